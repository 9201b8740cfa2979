#include <apus/app.h>
#include <apus/message.h>

#include <array>
#include <utility>

namespace apus {
namespace {

struct StatusText {
  int status;
  std::string_view reason;
  std::string_view explanation;
};

// Reasons and the page's paragraph as they are on Swift's wire, where clients have come to match
// them.
constexpr StatusText kTexts[] = {
    {100, "Continue", ""},
    {200, "OK", ""},
    {201, "Created", ""},
    {202, "Accepted", "The request is accepted for processing."},
    {203, "Non-Authoritative Information", ""},
    {204, "No Content", ""},
    {205, "Reset Content", ""},
    {206, "Partial Content", ""},
    {300, "Multiple Choices", ""},
    {301, "Moved Permanently", "The resource has moved permanently."},
    {302, "Found", "The resource has moved temporarily."},
    {303, "See Other", "The response to the request can be found under a different URI."},
    {304, "Not Modified", ""},
    {307, "Temporary Redirect", "The resource has moved temporarily."},
    {400, "Bad Request",
     "The server could not comply with the request since it is either malformed or otherwise "
     "incorrect."},
    {401, "Unauthorized",
     "This server could not verify that you are authorized to access the document you requested."},
    {402, "Payment Required", "Access was denied for financial reasons."},
    {403, "Forbidden", "Access was denied to this resource."},
    {404, "Not Found", "The resource could not be found."},
    {405, "Method Not Allowed", "The method is not allowed for this resource."},
    {406, "Not Acceptable",
     "The resource is not available in a format acceptable to your browser."},
    {408, "Request Timeout",
     "The server has waited too long for the request to be sent by the client."},
    {409, "Conflict", "There was a conflict when trying to complete your request."},
    {410, "Gone", "This resource is no longer available."},
    {411, "Length Required", "Content-Length header required."},
    {412, "Precondition Failed", "A precondition for this request was not met."},
    {413, "Request Entity Too Large", "The body of your request was too large for this server."},
    {414, "Request URI Too Long", "The request URI was too long for this server."},
    {415, "Unsupported Media Type", "The request media type is not supported by this server."},
    {416, "Requested Range Not Satisfiable", "The Range requested is not available."},
    {417, "Expectation Failed", "Expectation failed."},
    {422, "Unprocessable Entity", "Unable to process the contained instructions"},
    {429, "Too Many Requests", ""},
    {431, "Request Header Fields Too Large", ""},
    {497, "Blacklisted", ""},
    {498, "Rate Limited", ""},
    {499, "Client Disconnect", "The client was disconnected during request."},
    {500, "Internal Error",
     "The server has either erred or is incapable of performing the requested operation."},
    {501, "Not Implemented", "The requested method is not implemented by this server."},
    {502, "Bad Gateway", "Bad gateway."},
    {503, "Service Unavailable",
     "The server is currently unavailable. Please try again at a later time."},
    {504, "Gateway Timeout", "A timeout has occurred speaking to a backend server."},
    {505, "HTTP Version Not Supported", ""},
    {507, "Insufficient Storage",
     "There was not enough space to save the resource. Drive: unknown"},
    {529, "Too Many Backend Requests",
     "The server is incapable of performing the requested operation "
     "due to too many requests. Slow down."},
};

const StatusText* find_text(int status) {
  for (const auto& text : kTexts) {
    if (text.status == status) return &text;
  }
  return nullptr;
}

}  // namespace

App::~App() = default;
void App::foresee(const Request&, ForeseenKeys&) const {}
Filter::Filter(std::unique_ptr<const App> next) : next_(std::move(next)) {}
Filter::~Filter() = default;
Daemon::~Daemon() = default;

Context::Context() = default;
Context::Context(const Context&) = default;
Context::Context(Context&&) noexcept = default;
Context& Context::operator=(const Context&) = default;
Context& Context::operator=(Context&&) noexcept = default;
Context::~Context() = default;

Request::Request() = default;
Request::Request(std::string method_in, std::string path_in)
    : method(std::move(method_in)), path(std::move(path_in)), raw_path(quote(path)) {}
Request::Request(Request&&) noexcept = default;
Request& Request::operator=(Request&&) noexcept = default;
Request::~Request() = default;

Request make_subrequest(const Request& parent, std::string method, std::string path,
                        std::string_view source, bool pre_authorized) {
  Request out(std::move(method), std::move(path));
  out.context = parent.context;
  out.context.source = source;
  out.context.access_log_made = false;
  // What was found out about the parent alone: its ACL says nothing of another path.
  out.context.acl.clear();
  out.context.swift_owner = false;
  out.context.reseller_request = false;
  out.context.content_type_overridden = false;
  out.context.symlink_override = false;
  out.context.slo_override = false;
  out.context.format_listing = true;
  out.context.update_footers = nullptr;
  out.context.fetch_crypto_keys = nullptr;
  out.context.crypto_override = false;
  out.context.timestamp.reset();
  out.context.foreseen.clear();
  for (const std::string_view name : {"User-Agent", "X-Trans-Id-Extra", "Referer"}) {
    if (const std::string* value = parent.headers.find(name)) out.headers.set(name, *value);
  }
  if (pre_authorized) {
    out.context.authorize = [](Request&) { return std::optional<Response>(); };
    out.context.authorize_override = true;
    out.context.remote_user = ".wsgi.pre_authed";
    out.context.swift_owner = true;
  }
  return out;
}

Response::Response() = default;
Response::Response(int status_in) : status(status_in), content_length(0) {}
Response::Response(int status_in, std::string text, std::string_view content_type)
    : status(status_in), content_length(text.size()) {
  headers.set("Content-Type", std::string(content_type));
  body = std::make_unique<StringSource>(std::move(text));
}
Response::Response(Response&&) noexcept = default;
Response& Response::operator=(Response&&) noexcept = default;
Response::~Response() = default;

std::string_view reason_phrase(int status) {
  const StatusText* text = find_text(status);
  return text != nullptr ? text->reason : "Unknown";
}

Response error_response(int status, bool head) {
  const StatusText* text = find_text(status);
  if (head || status == 204 || status == 304 || text == nullptr || text->explanation.empty()) {
    Response empty(status);
    empty.headers.set("Content-Type", "text/html; charset=UTF-8");
    return empty;
  }
  std::string page = "<html><h1>";
  page.append(text->reason).append("</h1><p>").append(text->explanation).append("</p></html>");
  return Response(status, std::move(page), "text/html; charset=UTF-8");
}

Response unauthorized_response(const Request& request, std::string_view text) {
  const auto path = split_api_path(request.path, 2);
  const bool named = path && path->account != "v1.0" && path->account != "auth";
  const bool head = request.method == "HEAD";
  Response out = head || text.empty()
                     ? error_response(401, head)
                     : Response(401, std::string(text), "text/html; charset=UTF-8");
  const std::string realm = named ? quote(path->account) : "unknown";
  out.headers.set("Www-Authenticate", "Swift realm=\"" + realm + "\"");
  return out;
}

Response method_not_allowed(const Request& request, std::string_view allow) {
  Response out = error_response(405, request.method == "HEAD");
  out.headers.set("Allow", std::string(allow));
  return out;
}

}  // namespace apus
