#include "middleware/bulk/report.h"

#include <apus/json.h>

#include <map>

namespace apus::bulk {
namespace {

std::string escape(std::string_view text) {
  std::string out;
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
  return out;
}

// "Number Not Found" is <number_not_found>.
std::string element(std::string_view name) {
  std::string out = lower(name);
  for (char& c : out) {
    if (c == ' ') c = '_';
  }
  return out;
}

std::string json_of(const Report& report) {
  Json out;
  out.set("Response Status", report.status);
  out.set("Response Body", report.body);
  for (const auto& [name, count] : report.counts) out.set(name, count);
  Json::Array errors;
  for (const auto& [name, status] : report.errors)
    errors.push_back(Json::Array{Json(name), Json(status)});
  out.set("Errors", std::move(errors));
  return out.dump();
}

std::map<std::string, std::string> sorted_lines(const Report& report) {
  std::map<std::string, std::string> out{{"Response Status", report.status},
                                         {"Response Body", report.body}};
  for (const auto& [name, count] : report.counts) out[name] = std::to_string(count);
  return out;
}

std::string xml_of(const Report& report, std::string_view root) {
  std::string out = "<" + std::string(root) + ">\n";
  for (const auto& [name, value] : sorted_lines(report))
    out += "<" + element(name) + ">" + escape(value) + "</" + element(name) + ">\n";
  out += "<errors>\n";
  for (const auto& [name, status] : report.errors)
    out += "<object><name>" + escape(name) + "</name><status>" + escape(status) +
           "</status></object>\n";
  return out + "</errors>\n</" + std::string(root) + ">\n";
}

}  // namespace

std::string Report::text(std::optional<ListingFormat> format, std::string_view root) const {
  if (format == ListingFormat::kJson) return json_of(*this);
  if (format == ListingFormat::kXml || format == ListingFormat::kTextXml)
    return xml_of(*this, root);
  std::string out;
  for (const auto& [name, value] : sorted_lines(*this)) out += name + ": " + value + "\n";
  out += "Errors:\n";
  for (const auto& [name, line] : errors) out += name + ", " + line + "\n";
  return out;
}

std::string status_line(int status, std::string_view reason) {
  return std::to_string(status) + " " +
         std::string(reason.empty() ? reason_phrase(status) : reason);
}

}  // namespace apus::bulk
