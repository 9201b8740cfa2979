#include "servers/proxy/account_controller.h"

#include <apus/constraints.h>
#include <apus/json.h>

#include "servers/proxy/backend_request.h"
#include "servers/proxy/reader.h"
#include "servers/proxy/scatter.h"

namespace apus {
namespace {

constexpr std::string_view kAcl = "X-Account-Sysmeta-Core-Access-Control";

// Who may see it sees the account's ACL under its public name.
void show_acl(Response& response) {
  const std::string* stored = response.internal.find(kAcl);
  if (stored == nullptr) return;
  const auto acl = Json::parse(*stored);
  response.internal.erase(kAcl);
  if (!acl || acl->object() == nullptr || acl->object()->empty()) return;
  response.headers.set("X-Account-Access-Control", acl->dump(true, true));
}

// An account nobody has written to yet looks empty.
Response empty_account(const Exchange& exchange) {
  const bool head = exchange.is_head();
  Response out(head ? 204 : 200);
  const std::string now = exchange.services.host.clock().timestamp().normal();
  for (const char* name :
       {"X-Account-Container-Count", "X-Account-Object-Count", "X-Account-Bytes-Used"}) {
    out.headers.set(name, "0");
  }
  out.headers.set("X-Timestamp", now);
  out.headers.set("X-Put-Timestamp", now);
  out.headers.set("Content-Type", "application/json; charset=utf-8");
  out.internal.set("X-Backend-Fake-Account-Listing", "yes");
  if (!head) {
    out.body = std::make_unique<StringSource>("[]");
    out.content_length = 2;
  }
  return out;
}

}  // namespace

std::string_view AccountController::allowed() const {
  return x_.services.conf.allow_account_management ? "GET, HEAD, PUT, POST, DELETE, OPTIONS"
                                                   : "GET, HEAD, POST, OPTIONS";
}

Response AccountController::handle() const {
  const std::string& method = x_.request.method;
  if (method == "PUT") return put();
  if (method == "POST") return post();
  if (method == "DELETE") return remove();
  return read();
}

std::optional<Response> AccountController::bad_name() const {
  return too_long(x_.path.account, max_account_name(x_.path.account, x_.services.limits()),
                  "Account");
}

Response AccountController::read() const {
  if (auto bad = bad_name()) return std::move(*bad);
  const Services& services = x_.services;
  ReadPlan plan{account_place(services, x_.path.account), "Account", services.conf.defaults,
                x_.request.query};
  plan.query.set("format", "json");
  Response out = read_from(services, x_.request, std::move(plan));
  if (out.status == 404) {
    if (lower(out.headers.get("X-Account-Status")) == "deleted") {
      out.status = 410;
      out.reason.clear();
    } else if (services.conf.account_autocreate) {
      out = empty_account(x_);
    }
  }
  remember_account(x_.request, x_.path.account, out, services.conf.recheck_account,
                   services.host.swift_conf().policies);
  if (x_.request.context.swift_owner) {
    show_acl(out);
  } else {
    out.headers.erase_if([&](std::string_view name) { return is_owner_header(services, name); });
  }
  return out;
}

Response AccountController::send(const char* method) const {
  const Services& services = x_.services;
  const Place place = account_place(services, x_.path.account);
  NodeIter nodes(services, place, services.conf.defaults, "Account");
  const std::size_t count = nodes.primaries();
  return scatter(services, x_.request, {method, place, "Account", count}, nodes,
                 [&](Request& to, std::size_t) {
                   if (x_.request.method != "DELETE") copy_metadata(x_.request, to, "Account");
                 });
}

Response AccountController::put() const {
  if (auto bad = check_metadata(x_.request, MetadataKind::kAccount, x_.services.limits()))
    return std::move(*bad);
  if (auto bad = bad_name()) return std::move(*bad);
  forget_account(x_.request, x_.path.account);
  Response out = send("PUT");
  show_acl(out);
  return out;
}

Response AccountController::post() const {
  if (auto bad = bad_name()) return std::move(*bad);
  if (auto bad = check_metadata(x_.request, MetadataKind::kAccount, x_.services.limits()))
    return std::move(*bad);
  forget_account(x_.request, x_.path.account);
  Response out = send("POST");
  if (out.status == 404 && x_.services.conf.account_autocreate) {
    autocreate_account(x_);
    out = send("POST");
  }
  show_acl(out);
  return out;
}

Response AccountController::remove() const {
  // A query on a DELETE was meant for some filter; without it the whole account would go.
  if (!x_.request.raw_query.empty() || !x_.request.query.empty()) return error_response(400);
  forget_account(x_.request, x_.path.account);
  return send("DELETE");
}

}  // namespace apus
