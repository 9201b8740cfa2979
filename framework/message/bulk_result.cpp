#include <apus/bulk_result.h>
#include <apus/json.h>
#include <apus/message.h>

#include <algorithm>

namespace apus {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
}

std::string json_text(const BulkResult& result) {
  Json out{Json::Object{}};
  for (const auto& [name, value] : result.values) {
    out.set(name, value.number ? Json(parse_int(value.text).value_or(0)) : Json(value.text));
  }
  Json::Array errors;
  for (const auto& [name, status] : result.errors)
    errors.emplace_back(Json::Array{Json(name), Json(status)});
  out.set("Errors", Json(std::move(errors)));
  return out.dump();
}

auto sorted(const BulkResult& result) {
  auto out = result.values;
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return out;
}

std::string xml_text(const BulkResult& result, std::string_view root) {
  std::string out = "<" + std::string(root) + ">\n";
  for (const auto& [name, value] : sorted(result)) {
    std::string tag = lower(name);
    std::replace(tag.begin(), tag.end(), ' ', '_');
    out += "<" + tag + ">";
    append_escaped(out, value.text);
    out += "</" + tag + ">\n";
  }
  out += "<errors>\n";
  for (const auto& [name, status] : result.errors) {
    out += "<object><name>";
    append_escaped(out, name);
    out += "</name><status>";
    append_escaped(out, status);
    out += "</status></object>\n";
  }
  return out + "</errors>\n</" + std::string(root) + ">\n";
}

}  // namespace

const std::string_view kBulkTypes[4] = {"text/plain", "application/json", "application/xml",
                                        "text/xml"};

void BulkResult::set(std::string_view name, std::string text) {
  const auto at = std::find_if(values.begin(), values.end(),
                               [&](const auto& value) { return value.first == name; });
  if (at != values.end()) {
    at->second = {std::move(text), false};
  } else {
    values.emplace_back(std::string(name), Value{std::move(text), false});
  }
}

void BulkResult::set(std::string_view name, std::int64_t number) {
  set(name, std::to_string(number));
  std::find_if(values.begin(), values.end(), [&](const auto& value) {
    return value.first == name;
  })->second.number = true;
}

std::string BulkResult::text(std::string_view type, std::string_view root) const {
  if (type == "application/json") return json_text(*this);
  if (type.ends_with("/xml")) return xml_text(*this, root);
  std::string out;
  for (const auto& [name, value] : sorted(*this)) out += name + ": " + value.text + "\n";
  out += "Errors:\n";
  for (const auto& [name, status] : errors) out += name + ", " + status + "\n";
  return out;
}

std::string status_line(int status) {
  return std::to_string(status) + " " + std::string(reason_phrase(status));
}

}  // namespace apus
