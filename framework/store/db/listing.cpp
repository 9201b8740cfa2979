#include "framework/store/db/listing.h"

#include <algorithm>

namespace apus {
namespace {

// The first text after all that start with `text`: its last code point plus one.
std::string successor(std::string text) {
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

class Walk {
 public:
  Walk(Database& database, const std::string& table, const std::string& columns,
       const ListingQuery& query, std::int64_t policy,
       const std::function<void(const Statement&, ListingEntry&)>& fill)
      : database_(database),
        table_(table),
        columns_(columns),
        query_(query),
        policy_(policy),
        fill_(fill),
        marker_(query.marker),
        end_marker_(query.end_marker),
        prefix_(query.prefix),
        delimiter_(query.delimiter) {
    if (query.reverse) std::swap(marker_, end_marker_);
    if (query.path) {
      prefix_ = *query.path;
      if (!prefix_.empty()) prefix_ = prefix_.substr(0, prefix_.find_last_not_of('/') + 1) + "/";
      if (query.path->empty()) prefix_.clear();
      delimiter_ = "/";
    }
    first_marker_ = marker_;
  }

  std::vector<ListingEntry> run() {
    while (static_cast<std::int64_t>(out_.size()) < query_.limit && page()) {
    }
    return std::move(out_);
  }

 private:
  // One query; true when another may follow.
  bool page() {
    std::string sql = "SELECT name, " + columns_ + " FROM " + table_ + " WHERE deleted = 0";
    std::vector<std::string> texts;
    const auto bound = [&](const char* comparison, std::string value) {
      sql.append(" AND name ").append(comparison).append(" ?");
      texts.push_back(std::move(value));
    };
    if (policy_ >= 0) sql += " AND storage_policy_index = " + std::to_string(policy_);
    const std::string end_of_prefix = prefix_.empty() ? "" : successor(prefix_);
    if (!end_marker_.empty() && (prefix_.empty() || end_marker_ < end_of_prefix)) {
      bound("<", end_marker_);
    } else if (!prefix_.empty()) {
      bound("<", end_of_prefix);
    }
    if (jumped_) {
      bound(">=", marker_);
    } else if (!marker_.empty() && (prefix_.empty() || marker_ >= prefix_)) {
      bound(">", marker_);
    } else if (!prefix_.empty()) {
      bound(">=", prefix_);
    }
    if (!query_.allow_reserved) bound(">=", "\x01");
    sql += query_.reverse ? " ORDER BY name DESC LIMIT ?" : " ORDER BY name LIMIT ?";
    Statement rows = database_.query(sql.c_str());
    for (const std::string& text : texts) rows.bind(text);
    rows.bind(query_.limit - static_cast<std::int64_t>(out_.size()));
    while (static_cast<std::int64_t>(out_.size()) < query_.limit && rows.step()) {
      if (take(rows)) return true;
    }
    return false;
  }

  // Adds a row, or a subdir and then jumps behind it: true asks for a new query.
  bool take(const Statement& row) {
    const std::string_view name = row.text(0);
    const std::size_t at =
        delimiter_.empty() ? std::string_view::npos : name.find(delimiter_, prefix_.size());
    if (query_.path) return take_path(row, name, at);
    if (at == std::string_view::npos) {
      add(row, name);
      return false;
    }
    const std::string folder(name.substr(0, at + delimiter_.size()));
    if (folder != first_marker_) {
      ListingEntry entry;
      entry.name = folder;
      entry.subdir = true;
      out_.push_back(std::move(entry));
    }
    jump(folder, at);
    return true;
  }

  bool take_path(const Statement& row, std::string_view name, std::size_t at) {
    if (name == *query_.path) return false;
    if (at != std::string_view::npos && at + 1 < name.size()) {
      // Deeper than one level. Swift goes on behind the jump's name itself, not at it.
      const std::string folder(name.substr(0, at + 1));
      jump(folder, at);
      jumped_ = false;
      return true;
    }
    add(row, name);
    return false;
  }

  void jump(const std::string& folder, std::size_t at) {
    if (query_.reverse) {
      end_marker_ = folder;
      return;
    }
    marker_ = folder.substr(0, at) + successor(delimiter_);
    jumped_ = true;
  }

  void add(const Statement& row, std::string_view name) {
    ListingEntry& entry = out_.emplace_back();
    entry.name = name;
    fill_(row, entry);
  }

  Database& database_;
  const std::string& table_;
  const std::string& columns_;
  const ListingQuery& query_;
  std::int64_t policy_;
  const std::function<void(const Statement&, ListingEntry&)>& fill_;
  std::string marker_;
  std::string end_marker_;
  std::string prefix_;
  std::string delimiter_;
  std::string first_marker_;
  bool jumped_ = false;
  std::vector<ListingEntry> out_;
};

}  // namespace

std::vector<ListingEntry> list_names(
    Database& database, const std::string& table, const std::string& columns,
    const ListingQuery& query, std::int64_t policy,
    const std::function<void(const Statement&, ListingEntry&)>& fill) {
  return Walk(database, table, columns, query, policy, fill).run();
}

}  // namespace apus
