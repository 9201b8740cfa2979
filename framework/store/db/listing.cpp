#include "framework/store/db/listing.h"

#include <vector>

namespace apus {

std::string name_after(std::string text) {
  std::size_t at = text.size();
  while (at > 0 && (static_cast<unsigned char>(text[at - 1]) & 0xC0U) == 0x80U) --at;
  if (at == 0) return text;
  const std::size_t start = at - 1;
  // In UTF-8 the next code point is the next byte string, but for a full tail byte, which carries
  // over.
  for (std::size_t i = text.size(); i-- > start;) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool tail = i > start;
    if (tail && byte == 0xBF) {
      text[i] = static_cast<char>(0x80);
      continue;
    }
    if (!tail && byte == 0x7F) return text.substr(0, start) + "\xc2\x80";
    text[i] = static_cast<char>(byte + 1);
    break;
  }
  return text;
}

namespace {

class Walk {
 public:
  Walk(Database& database, const std::string& table, const std::string& columns,
       const ListingQuery& query, std::optional<std::int64_t> policy,
       const std::function<void(const Statement&, ListingEntry&)>& fill, const ListingSink& sink)
      : database_(database),
        table_(table),
        columns_(columns),
        query_(query),
        policy_(policy),
        fill_(fill),
        sink_(sink),
        marker_(query.reverse ? query.end_marker : query.marker),
        end_marker_(query.reverse ? query.marker : query.end_marker),
        prefix_(query.prefix),
        delimiter_(query.delimiter),
        left_(query.limit) {
    if (query.path) {
      prefix_ = *query.path;
      if (!prefix_.empty()) prefix_ = prefix_.substr(0, prefix_.find_last_not_of('/') + 1) + "/";
      delimiter_ = "/";
    }
    if (!prefix_.empty()) end_of_prefix_ = name_after(prefix_);
    first_marker_ = marker_;
  }

  void run() {
    while (left_ > 0 && page() && !delimiter_.empty()) {
    }
  }

 private:
  void bound(const char* comparison, std::string value) {
    sql_.append(" AND name ").append(comparison).append(" ?");
    texts_.push_back(std::move(value));
  }

  void add_bounds() {
    if (!end_marker_.empty() && (prefix_.empty() || end_marker_ < end_of_prefix_)) {
      bound("<", end_marker_);
    } else if (!prefix_.empty()) {
      bound("<", end_of_prefix_);
    }
    if (at_marker_) {
      bound(">=", marker_);
    } else if (!marker_.empty() && (prefix_.empty() || marker_ >= prefix_)) {
      bound(">", marker_);
    } else if (!prefix_.empty()) {
      bound(">=", prefix_);
    }
    at_marker_ = false;
    if (!query_.allow_reserved) bound(">=", "\x01");
  }

  // One query; false when it had no row.
  bool page() {
    sql_ = "SELECT name, " + columns_ + " FROM " + table_ + " WHERE deleted = 0";
    texts_.clear();
    add_bounds();
    if (policy_) sql_ += " AND storage_policy_index = ?";
    sql_ += query_.reverse ? " ORDER BY name DESC LIMIT ?" : " ORDER BY name LIMIT ?";
    Statement rows = database_.query(sql_.c_str());
    for (const std::string& text : texts_) rows.bind(text);
    if (policy_) rows.bind(*policy_);
    rows.bind(left_);
    bool any = false;
    while (left_ > 0 && rows.step()) {
      any = true;
      const std::string_view name = rows.text(0);
      if (!delimiter_.empty()) (query_.reverse ? end_marker_ : marker_) = name;
      if (take(rows, name)) break;
    }
    return any;
  }

  // Hands over a row, or a subdir and then jumps behind it: true asks for a new query.
  bool take(const Statement& row, std::string_view name) {
    const std::size_t at =
        delimiter_.empty() ? std::string_view::npos : name.find(delimiter_, prefix_.size());
    const bool inside = at != std::string_view::npos;
    if (query_.path) {
      if (name == prefix_) return false;
      if (inside && name.size() > at + 1) {
        jump(std::string(name.substr(0, at + 1)), at);
        at_marker_ = false;  // Swift goes on behind the jump's name itself, not at it
        return true;
      }
    } else if (inside) {
      std::string folder(name.substr(0, at + delimiter_.size()));
      jump(folder, at);
      if (folder != first_marker_) add_folder(std::move(folder));
      return true;
    }
    entry_.name = name;
    fill_(row, entry_);
    sink_(entry_);
    --left_;
    return false;
  }

  void add_folder(std::string folder) {
    ListingEntry entry;
    entry.name = std::move(folder);
    entry.subdir = true;
    sink_(entry);
    --left_;
  }

  void jump(const std::string& folder, std::size_t at) {
    if (query_.reverse) {
      end_marker_ = folder;
    } else {
      marker_ = folder.substr(0, at) + name_after(delimiter_);
      at_marker_ = true;
    }
  }

  Database& database_;
  const std::string& table_;
  const std::string& columns_;
  const ListingQuery& query_;
  std::optional<std::int64_t> policy_;
  const std::function<void(const Statement&, ListingEntry&)>& fill_;
  const ListingSink& sink_;
  std::string marker_;
  std::string end_marker_;
  std::string prefix_;
  std::string delimiter_;
  std::int64_t left_;  ///< entries that still fit
  std::string end_of_prefix_;
  std::string first_marker_;
  bool at_marker_ = false;  ///< the next query may return the marker itself
  std::string sql_;
  std::vector<std::string> texts_;
  ListingEntry entry_;
};

}  // namespace

void list_names(Database& database, const std::string& table, const std::string& columns,
                const ListingQuery& query, std::optional<std::int64_t> policy,
                const std::function<void(const Statement&, ListingEntry&)>& fill,
                const ListingSink& sink) {
  Walk(database, table, columns, query, policy, fill, sink).run();
}

}  // namespace apus
