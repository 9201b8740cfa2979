#include <apus/json.h>
#include <apus/listing.h>

#include <charconv>
#include <vector>

namespace apus {
namespace {

constexpr std::string_view kTypes[] = {"text/plain", "application/json", "application/xml",
                                       "text/xml"};

struct Accepted {
  std::string type;
  std::string subtype;
  double quality = 1;
};

// One "type/subtype;q=x"; nothing when malformed.
std::optional<Accepted> parse_accepted(std::string_view piece) {
  const std::size_t semicolon = std::min(piece.find(';'), piece.size());
  const std::string_view range = trim(piece.substr(0, semicolon));
  const std::size_t slash = range.find('/');
  Accepted out;
  if (slash == std::string_view::npos) return std::nullopt;
  out.type = lower(range.substr(0, slash));
  out.subtype = lower(range.substr(slash + 1));
  if (out.type.empty() || out.subtype.empty() ||
      range.find_first_of(" \t()<>@,;:\\\"[]?={}") != std::string_view::npos) {
    return std::nullopt;
  }
  piece.remove_prefix(semicolon);
  while (!piece.empty()) {
    piece.remove_prefix(1);
    const std::size_t end = std::min(piece.find(';'), piece.size());
    const std::string_view parameter = trim(piece.substr(0, end));
    piece.remove_prefix(end);
    if (!starts_with_name(parameter, "q=")) continue;
    const std::string_view text = trim(parameter.substr(2));
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), out.quality);
    if (error != std::errc() || at != text.data() + text.size() || out.quality < 0)
      return std::nullopt;
  }
  return out;
}

// How well `type` is accepted: quality first, then how exactly it was named.
std::pair<double, int> rank(const std::vector<Accepted>& all, std::string_view type) {
  std::pair<double, int> best{0, -1};
  const std::string_view major = type.substr(0, type.find('/'));
  const std::string_view minor = type.substr(type.find('/') + 1);
  for (const Accepted& one : all) {
    const bool fits =
        (one.type == "*" || one.type == major) && (one.subtype == "*" || one.subtype == minor);
    if (!fits) continue;
    const int exact = (one.type != "*" ? 1 : 0) + (one.subtype != "*" ? 1 : 0);
    if (exact > best.second) best = {one.quality, exact};
  }
  return best;
}

void append_xml(std::string& out, std::string_view text, bool attribute) {
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (attribute && c == '"') {
      out += "&quot;";
    } else if (attribute && (c == '\n' || c == '\r' || c == '\t')) {
      out += "&#" + std::to_string(static_cast<int>(c)) + ";";
    } else {
      out += c;
    }
  }
}

void append_element(std::string& out, std::string_view name, std::string_view text) {
  out.append("<").append(name).append(">");
  append_xml(out, text, false);
  out.append("</").append(name).append(">");
}

}  // namespace

std::optional<ListingFormat> listing_format(const Request& request, Response& refusal) {
  const std::string format = lower(request.query.get("format"));
  if (format == "json") return ListingFormat::kJson;
  if (format == "xml") return ListingFormat::kXml;
  if (!format.empty()) return ListingFormat::kPlain;
  const std::string* header = request.headers.find("Accept");
  if (header == nullptr || trim(*header).empty()) return ListingFormat::kPlain;
  std::vector<Accepted> all;
  for (const std::string& piece : split_list(*header)) {
    const auto accepted = parse_accepted(piece);
    if (!accepted) {
      refusal = Response(400, "Invalid Accept header", "text/html; charset=UTF-8");
      return std::nullopt;
    }
    all.push_back(*accepted);
  }
  std::optional<ListingFormat> best;
  std::pair<double, int> best_rank{0, -1};
  for (std::size_t i = 0; i < std::size(kTypes); ++i) {
    const auto its = rank(all, kTypes[i]);
    if (its.first > 0 && its > best_rank) {
      best_rank = its;
      best = static_cast<ListingFormat>(i);
    }
  }
  if (!best) refusal = error_response(406, request.method == "HEAD");
  return best;
}

std::string_view listing_content_type(ListingFormat format) {
  switch (format) {
    case ListingFormat::kPlain:
      return "text/plain; charset=utf-8";
    case ListingFormat::kJson:
      return "application/json; charset=utf-8";
    case ListingFormat::kXml:
      return "application/xml; charset=utf-8";
    case ListingFormat::kTextXml:
      return "text/xml; charset=utf-8";
  }
  return "";
}

ListingWriter::ListingWriter(ListingKind kind, ListingFormat format, std::string_view owner)
    : kind_(kind), format_(format), owner_(owner) {
  if (format_ == ListingFormat::kJson) out_ = "[";
}

void ListingWriter::add(const ListingEntry& entry) {
  if (format_ == ListingFormat::kPlain) {
    out_.append(entry.name).append("\n");
  } else if (format_ == ListingFormat::kJson) {
    add_json(entry);
  } else {
    add_xml(entry);
  }
  first_ = false;
}

void ListingWriter::add_json(const ListingEntry& entry) {
  if (!first_) out_ += ", ";
  if (entry.subdir) {
    out_ += "{\"subdir\": ";
    append_json_string(out_, entry.name);
  } else if (kind_ == ListingKind::kAccount) {
    out_ += "{\"name\": ";
    append_json_string(out_, entry.name);
    out_ += ", \"count\": " + std::to_string(entry.count) +
            ", \"bytes\": " + std::to_string(entry.bytes);
    out_.append(", \"last_modified\": \"").append(entry.last_modified).append("\"");
  } else {
    out_ += "{\"bytes\": " + std::to_string(entry.bytes) + ", \"hash\": ";
    append_json_string(out_, entry.hash);
    out_ += ", \"name\": ";
    append_json_string(out_, entry.name);
    out_ += ", \"content_type\": ";
    append_json_string(out_, entry.content_type);
    out_.append(", \"last_modified\": \"").append(entry.last_modified).append("\"");
  }
  out_ += '}';
}

void ListingWriter::add_xml(const ListingEntry& entry) {
  const bool account = kind_ == ListingKind::kAccount;
  if (first_) {
    begin_xml();
    out_ += account ? "\">\n" : "\">";
  }
  if (entry.subdir) {
    out_ += "<subdir name=\"";
    append_xml(out_, entry.name, true);
    if (account) {
      out_ += "\" />\n";
      return;
    }
    out_ += "\">";
    append_element(out_, "name", entry.name);
    out_ += "</subdir>";
    return;
  }
  out_ += account ? "<container>" : "<object>";
  append_element(out_, "name", entry.name);
  if (account) {
    append_element(out_, "count", std::to_string(entry.count));
    append_element(out_, "bytes", std::to_string(entry.bytes));
  } else {
    append_element(out_, "hash", entry.hash);
    append_element(out_, "bytes", std::to_string(entry.bytes));
    append_element(out_, "content_type", entry.content_type);
  }
  append_element(out_, "last_modified", entry.last_modified);
  out_ += account ? "</container>\n" : "</object>";
}

void ListingWriter::begin_xml() {
  out_.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<")
      .append(kind_ == ListingKind::kAccount ? "account" : "container")
      .append(" name=\"");
  append_xml(out_, owner_, true);
}

std::string ListingWriter::finish() {
  if (format_ == ListingFormat::kJson) {
    out_ += ']';
  } else if (format_ != ListingFormat::kPlain) {
    const bool account = kind_ == ListingKind::kAccount;
    if (first_) {
      begin_xml();
      out_ += account ? "\">\n</account>" : "\" />";
    } else {
      out_ += account ? "</account>" : "</container>";
    }
  }
  return std::move(out_);
}

}  // namespace apus
