#include "framework/transport/http_exchange.h"

namespace apus::http {
namespace {

bool is_transports_own(std::string_view name) {
  for (const std::string_view own : {"Host", "Content-Length", "Transfer-Encoding", "Connection",
                                     "Expect", "Keep-Alive", "Upgrade", "Te", "Trailer"}) {
    if (same_name(name, own)) return true;
  }
  return false;
}

[[noreturn]] void refuse(std::string_view what, std::string_view name) {
  throw TransportError(TransportError::Kind::kMalformed,
                       std::string(what) + " cannot be sent: " + quote(name));
}

bool is_name(std::string_view name) {
  unsigned found = 0;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    found |= static_cast<unsigned>(byte <= ' ') | static_cast<unsigned>(byte == ':') |
             static_cast<unsigned>(byte == 0x7f);
  }
  return found == 0 && !name.empty();
}

void append_fields(std::string& out, const Headers& fields) {
  for (const auto& [name, value] : fields) {
    if (is_transports_own(name)) continue;
    if (!is_name(name)) refuse("header name", name);
    if (!is_sendable(value)) refuse("value of header", name);
    out.append(name).append(": ").append(value).append("\r\n");
  }
}

void append_host(std::string& out, const Endpoint& endpoint) {
  const bool v6 = endpoint.ip.find(':') != std::string::npos;
  if (!is_name(v6 ? "v6" : endpoint.ip) || !is_sendable(endpoint.ip)) refuse("host", endpoint.ip);
  out.append("Host: ");
  if (v6) out += '[';
  out.append(endpoint.ip);
  if (v6) out += ']';
  out.append(":").append(std::to_string(endpoint.port)).append("\r\n");
}

}  // namespace

std::string build_request_head(const Call& call, bool has_body, bool expect) {
  const Request& request = call.request;
  if (!is_name(request.method)) refuse("method", request.method);
  std::string out;
  out.reserve(1024);
  out.append(request.method).append(" ");
  if (!request.path.starts_with('/')) out += '/';
  out.append(quote(request.path));
  if (!request.query.empty()) out.append("?").append(request.query.encode());
  out.append(" HTTP/1.1\r\n");
  append_host(out, call.endpoint);
  append_fields(out, request.headers);
  append_fields(out, request.internal);
  if (has_body && !request.content_length) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (has_body) {
    out.append("Content-Length: ").append(std::to_string(*request.content_length)).append("\r\n");
  } else if (request.content_length || request.method == "PUT" || request.method == "POST") {
    out.append("Content-Length: 0\r\n");
  }
  if (expect) out.append("Expect: 100-continue\r\n");
  out.append("\r\n");
  return out;
}

}  // namespace apus::http
