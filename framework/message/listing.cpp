#include <apus/accept.h>
#include <apus/json.h>
#include <apus/listing.h>

namespace apus {
namespace {

constexpr std::string_view kTypes[] = {"text/plain", "application/json", "application/xml",
                                       "text/xml"};

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
  if (!is_utf8(format)) {
    refusal = Response(400, "\"format\" parameter not valid UTF-8");
    return std::nullopt;
  }
  if (format == "json") return ListingFormat::kJson;
  if (format == "xml") return ListingFormat::kXml;
  if (!format.empty()) return ListingFormat::kPlain;
  const AcceptChoice choice = choose_type(request.headers.get("Accept"), kTypes);
  if (choice.best) return static_cast<ListingFormat>(*choice.best);
  refusal = choice.malformed ? Response(400, "Invalid Accept header", "text/html; charset=UTF-8")
                             : error_response(406, request.method == "HEAD");
  return std::nullopt;
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
