#include "servers/proxy/proxy_app.h"

#include <apus/constraints.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "framework/conf/served_policy.h"
#include "servers/proxy/account_controller.h"
#include "servers/proxy/backend_request.h"
#include "servers/proxy/container_controller.h"
#include "servers/proxy/cors.h"
#include "servers/proxy/info_controller.h"
#include "servers/proxy/object_controller.h"
#include "servers/proxy/proxy_options.h"

namespace apus {
namespace {

bool is_allowed(std::string_view method, std::string_view allowed) {
  while (!allowed.empty()) {
    const std::size_t end = std::min(allowed.find(','), allowed.size());
    if (trim(allowed.substr(0, end)) == method) return true;
    allowed.remove_prefix(std::min(end + 1, allowed.size()));
  }
  return false;
}

// The hook is put back for filters that go on with the request.
class HookPause {
 public:
  explicit HookPause(Request& request) : request_(request) {
    hook_.swap(request.context.authorize);
  }
  ~HookPause() { hook_.swap(request_.context.authorize); }
  HookPause(const HookPause&) = delete;
  HookPause& operator=(const HookPause&) = delete;

 private:
  Request& request_;
  AuthorizeHook hook_;
};

}  // namespace

ProxyApp::ProxyApp(const PluginArgs& args) : services_(args.host, args.options) {
  // A ring that is missing is told now, by its name.
  RingDirectory& rings = args.host.rings();
  rings.account();
  rings.container();
  for (const StoragePolicy& policy : args.host.swift_conf().policies) rings.object(policy.index);
  for (const std::string& why : policies_not_served(args.host.swift_conf()))
    services_.log.warning(why);
  register_info(services_);
}

Response ProxyApp::counted(int status, bool head) const {
  services_.host.metrics().increment("errors");
  return error_response(status, head);
}

// A moment that a server or a trusted filter gave the request.
std::optional<Response> ProxyApp::bad_timestamp(Request& request) const {
  if (request.context.timestamp) return std::nullopt;
  if (const std::string* text = request.internal.find("X-Timestamp")) {
    request.context.timestamp = Timestamp::parse(*text);
    if (!request.context.timestamp) {
      return text_answer(400,
                         "X-Timestamp should be a UNIX timestamp float value; was '" + *text + "'",
                         "text/plain");
    }
    return std::nullopt;
  }
  request.context.timestamp = services_.host.clock().timestamp();
  return std::nullopt;
}

void ProxyApp::name_transaction(Request& request) const {
  if (!request.context.trans_id.empty()) return;
  std::array<char, 24> time{};
  std::snprintf(time.data(), time.size(), "-%010llx",
                static_cast<unsigned long long>(services_.host.clock().now()));
  std::string suffix = services_.conf.trans_id_suffix;
  if (const std::string* extra = request.headers.find("X-Trans-Id-Extra"))
    suffix += "-" + extra->substr(0, 32);
  request.context.trans_id =
      "tx" + services_.host.entropy().hex(11).substr(0, 21) + time.data() + quote(suffix);
}

bool ProxyApp::is_denied_host(const Request& request) const {
  const auto& denied = services_.conf.deny_host_headers;
  if (denied.empty()) return false;
  const std::string_view host = request.headers.get("Host");
  return std::find(denied.begin(), denied.end(), host.substr(0, host.find(':'))) != denied.end();
}

template <typename Controller>
Response ProxyApp::handle(const Exchange& exchange, const Controller& controller,
                          bool has_container) const {
  const std::string& method = exchange.request.method;
  const std::string* origin = exchange.request.headers.find("Origin");
  const bool cross = has_container && origin != nullptr && !origin->empty();
  if (method == "OPTIONS" && !std::is_same_v<Controller, InfoController>) {
    const auto info = cross ? container_facts(exchange) : nullptr;
    return answer_options(exchange, controller.allowed(), info.get());
  }
  if (!cross) return controller.handle();
  const auto info = container_facts(exchange);
  Response out = controller.handle();
  add_cors_fields(exchange, *info, out);
  return out;
}

template <typename Controller>
Response ProxyApp::run(const Exchange& exchange, const Controller& controller,
                       bool has_container) const {
  Request& request = exchange.request;
  if (is_denied_host(request)) return text_answer(403, "Invalid host header");
  name_transaction(request);
  if (!is_allowed(request.method, controller.allowed()))
    return method_not_allowed(request, controller.allowed());
  if (!request.context.authorize) return handle(exchange, controller, has_container);
  // Who may do it without any ACL is not asked about again; others once the ACL is known.
  // An ACL that another request met on its way here says nothing of this path.
  request.context.acl.clear();
  if (auto refusal = request.context.authorize(request)) {
    if (!controller.delays_denial(request.method)) return std::move(*refusal);
    return handle(exchange, controller, has_container);
  }
  const HookPause pause(request);
  return handle(exchange, controller, has_container);
}

Response ProxyApp::to_object(const Exchange& exchange) const {
  Request& request = exchange.request;
  const auto info =
      get_container_info(request, *this, exchange.path.account, exchange.path.container,
                         "GET_CONTAINER_INFO", services_.limits().auto_create_account_prefix);
  if (info->status / 100 == 5) return error_response(503, exchange.is_head());
  int policy = info->storage_policy;
  if (const std::string* index = request.internal.find(kPolicyIndex))
    policy = static_cast<int>(parse_int(*index).value_or(-1));
  const StoragePolicy* known = services_.host.swift_conf().policy(policy);
  if (known == nullptr) return text_answer(503, "Unknown Storage Policy");
  if (const std::string why = not_served(*known); !why.empty()) {
    services_.log.error(why, request.context.trans_id);
    return text_answer(501, why);
  }
  if (auto bad = check_reserved_names(exchange.path.account, exchange.path.container,
                                      exchange.path.object))
    return std::move(*bad);
  return run(exchange, ObjectController(exchange, policy, info), true);
}

Response ProxyApp::route(Request& request) const {
  if (auto bad = bad_timestamp(request)) return std::move(*bad);
  const bool reserved = request.context.allow_reserved_names;
  if (!is_valid_text(request.path, reserved)) {
    services_.host.metrics().increment("errors");
    return text_answer(412, "Invalid UTF8 or contains NULL");
  }
  if (request.path == "/info") {
    const Exchange exchange{services_, *this, request, {}};
    return run(exchange, InfoController(exchange), false);
  }
  const bool head = request.method == "HEAD";
  const auto path = split_request_path(request.path);
  if (!path) return counted(404, head);
  const bool known = is_valid_api_version(path->version, services_.limits());
  if (!path->account.empty() && !known) return counted(400, head);
  const Exchange exchange{services_, *this, request, *path};
  if (path->account.empty() || (path->container.empty() && !path->object.empty())) {
    services_.host.metrics().increment("errors");
    return text_answer(412, "Bad URL");
  }
  if (!path->object.empty()) return to_object(exchange);
  if (auto bad = check_reserved_names(path->account, path->container, {})) return std::move(*bad);
  if (!path->container.empty()) return run(exchange, ContainerController(exchange), true);
  return run(exchange, AccountController(exchange), false);
}

Response ProxyApp::operator()(Request& request) const {
  Response out = route(request);
  // A HEAD's answer has the length of what it leaves out, and nothing else.
  if (request.method == "HEAD") out.body.reset();
  return out;
}

APUS_EXPORT_APP("proxy", "1.0", ProxyApp, kProxyOptions)

}  // namespace apus
