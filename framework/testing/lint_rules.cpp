#include "framework/testing/lint_rules.h"

#include <algorithm>
#include <array>

namespace apus::testing {
namespace {

constexpr std::array<std::string_view, 5> kHostsOwn = {"Content-Length", "Date", "Connection",
                                                       "Keep-Alive", "Transfer-Encoding"};

// RFC 9110's token, and bytes of other scripts, which Swift lets through.
bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f &&
           std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
  });
}

bool breaks_a_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

void check_fields(const Headers& fields, const std::string& where, const Complain& complain) {
  for (const auto& [name, value] : fields) {
    if (!is_name(name)) complain(where + " has " + in_quotes(name) + ", which is no field name");
    if (name != title_case(name))
      complain(where + " spells " + in_quotes(name) + " other than " + title_case(name));
    if (breaks_a_line(value)) complain(where + ": the value of " + name + " holds CR, LF or NUL");
  }
}

}  // namespace

void check_request(const Request& request, const LintReport& report, const Complain& complain) {
  if (!is_name(request.method))
    complain("the method " + in_quotes(request.method) + " is no token");
  if (!request.path.starts_with('/'))
    complain("the path " + in_quotes(request.path) + " does not start with '/'");
  check_fields(request.headers, "Request::headers", complain);
  check_fields(request.internal, "Request::internal", complain);
  for (const auto& [name, value] : request.headers) {
    if (is_internal_name(name) && !report.allows_internal(name))
      complain("the internal name " + name + " is in Request::headers; it belongs in internal");
  }
  for (const auto& [name, value] : request.internal) {
    if (!is_internal_name(name) && name != "X-Timestamp")
      complain(name + " is in Request::internal, but is no internal name");
  }
  if (request.chunked && request.content_length)
    complain("the body is both chunked and of a known length");
  if (request.body != nullptr && !request.chunked && !request.content_length)
    complain("there is a body, but neither content_length nor chunked announces it");
  if (request.body == nullptr && request.content_length.value_or(0) > 0)
    complain("content_length is " + std::to_string(*request.content_length) + " without a body");
}

void check_response(bool head, const Response& response, const Complain& complain) {
  const int status = response.status;
  if (status < 200 || status > 599)
    complain("the status " + std::to_string(status) + " is not within 200 to 599");
  if (breaks_a_line(response.reason)) complain("the reason holds CR, LF or NUL");
  check_fields(response.headers, "Response::headers", complain);
  check_fields(response.internal, "Response::internal", complain);
  for (const auto& [name, value] : response.headers) {
    if (is_internal_name(name))
      complain("the internal name " + name + " is in Response::headers; it belongs in internal");
    if (std::find(kHostsOwn.begin(), kHostsOwn.end(), name) != kHostsOwn.end())
      complain(name + " is in Response::headers; the host makes it");
  }
  for (const auto& [name, value] : response.internal) {
    if (!is_internal_name(name) && name != "X-Timestamp")
      complain(name + " is in Response::internal, but is no internal name");
  }
  const std::uint64_t length = response.content_length.value_or(0);
  const bool bodyless = status == 204 || status == 304;
  if (bodyless && response.body != nullptr)
    complain("an answer with status " + std::to_string(status) + " has a body");
  if (status == 204 && length > 0)
    complain("an answer with status 204 has content_length " + std::to_string(length));
  if (!bodyless && !head && response.body == nullptr && length > 0)
    complain("content_length is " + std::to_string(length) + " without a body");
}

}  // namespace apus::testing
