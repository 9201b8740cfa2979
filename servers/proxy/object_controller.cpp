#include "servers/proxy/object_controller.h"

#include <apus/constraints.h>

#include "servers/proxy/backend_request.h"
#include "servers/proxy/reader.h"
#include "servers/proxy/scatter.h"
#include "servers/proxy/shard_ranges.h"
#include "servers/proxy/uploader.h"

namespace apus {
namespace {

constexpr std::size_t kQueueCleaners = 2;

// "swift_..." parameters of a type are the store's own.
bool has_own_parameter(std::string_view type) {
  for (std::size_t at = type.find(';'); at != std::string_view::npos; at = type.find(';', at + 1)) {
    const std::size_t name = type.find_first_not_of(" \t\r\n\v\f", at + 1);
    if (name != std::string_view::npos && type.substr(name).starts_with("swift_")) return true;
  }
  return false;
}

// Without the size that a manifest's type carries inside.
void clean_type(Response& response) {
  const std::string_view type = response.headers.get("Content-Type");
  const std::size_t last = type.rfind(';');
  if (last == std::string_view::npos) return;
  if (trim(type.substr(last + 1)).starts_with("swift_bytes="))
    response.headers.set("Content-Type", std::string(type.substr(0, last)));
}

// If-None-Match of a PUT may be "*" alone.
bool names_an_etag(const Request& request) {
  const std::string* condition = request.headers.find("If-None-Match");
  if (condition == nullptr) return false;
  for (std::string& tag : split_list(*condition)) {
    std::erase(tag, '"');
    if (tag == "*") return false;
  }
  return true;
}

}  // namespace

void ObjectController::Rows::dress(Request& to, std::size_t index) const {
  container.dress(to, index, "X-Container-");
  if (!shard.empty()) to.internal.set("X-Backend-Quoted-Container-Path", shard);
  if (expirer) {
    expirer->dress(to, index, "X-Delete-At-");
    if (to.internal.has("X-Delete-At-Host"))
      to.internal.set("X-Delete-At-Container", expirer_container);
  }
  if (!to.internal.has("X-Backend-Clean-Expiring-Object-Queue")) {
    to.internal.set("X-Backend-Clean-Expiring-Object-Queue", index < kQueueCleaners ? "t" : "f");
  }
}

Place ObjectController::place() const {
  return object_place(x_.services, policy_, x_.path.account, x_.path.container, x_.path.object);
}

Response ObjectController::handle() const {
  const std::string& method = x_.request.method;
  x_.request.context.policy_index = policy_;
  if (method == "PUT") return put();
  if (method == "POST") return post();
  if (method == "DELETE") return remove();
  return read();
}

std::optional<Response> ObjectController::denied(const std::string& acl,
                                                 const std::string& sync_key) const {
  x_.request.context.acl = acl;
  x_.request.context.sync_key = sync_key;
  x_.request.internal.set(kPolicyIndex, std::to_string(policy_));
  return refused(x_.request);
}

Response ObjectController::read() const {
  if (auto refusal = denied(info_->read_acl)) return std::move(*refusal);
  Response out =
      read_from(x_.services, x_.request, {place(), "Object", x_.services.conf.policy(policy_)});
  clean_type(out);
  return out;
}

ObjectController::Rows ObjectController::rows(std::size_t requests) const {
  Rows out{RowUpdates(requests), "", std::nullopt, ""};
  const auto shard = update_shard(x_, *info_);
  const Place where = shard ? container_place(x_.services, shard->account, shard->container)
                            : container_place(x_.services, x_.path.account, x_.path.container);
  const std::size_t containers = where.ring->primaries(where.partition).size();
  out.container.spread(where, updates_needed(containers, requests));
  if (shard) out.shard = quote(shard->account + "/" + shard->container);
  return out;
}

// An object that expires is a row of the expirer's queue too.
void ObjectController::add_expirer(Rows& rows, std::size_t requests) const {
  const auto when = parse_int(x_.request.headers.get("X-Delete-At"));
  if (!when) return;
  const Services& services = x_.services;
  x_.request.context.log_info.push_back("x-delete-at:" + std::to_string(*when));
  const std::string hash =
      services.host.swift_conf().hash_path(x_.path.account, x_.path.container, x_.path.object);
  std::int64_t spread = 0;
  for (const char digit : hash)
    spread = (spread * 16 + (digit <= '9' ? digit - '0' : digit - 'a' + 10)) % 100;
  const std::int64_t divisor = services.conf.expirer_divisor;
  rows.expirer_container = normalize_delete_at(*when / divisor * divisor - spread);
  const Place queue =
      container_place(services, services.conf.expirer_account, rows.expirer_container);
  const Place own = container_place(services, x_.path.account, x_.path.container);
  const std::size_t containers = own.ring->primaries(own.partition).size();
  rows.expirer.emplace(requests);
  rows.expirer->spread(queue, updates_needed(containers, requests), true);
}

void ObjectController::choose_type() const {
  Headers& headers = x_.request.headers;
  const bool detect = is_true(headers.get("X-Detect-Content-Type"));
  if (!detect && !headers.get("Content-Type").empty()) return;
  std::string type = x_.services.mime_types.guess(x_.request.path);
  headers.set("Content-Type", type.empty() ? "application/octet-stream" : std::move(type));
  if (detect) headers.erase("X-Detect-Content-Type");
}

namespace {

void set_next_part_power(const Place& place, Request& to) {
  if (const auto power = place.ring->next_part_power())
    to.internal.set("X-Backend-Next-Part-Power", std::to_string(*power));
}

}  // namespace

Response ObjectController::put() const {
  Request& request = x_.request;
  if (names_an_etag(request))
    return text_answer(400, "If-None-Match only supports *", "text/plain");
  if (auto refusal = denied(info_->write_acl, info_->sync_key)) return std::move(*refusal);
  if (!info_->is_success()) return error_response(404);
  choose_type();
  const Timestamp& now = *request.context.timestamp;
  if (auto bad = check_object_creation(request, x_.path.object, x_.services.limits(), now))
    return std::move(*bad);
  if (!request.context.content_type_overridden &&
      has_own_parameter(request.headers.get("Content-Type"))) {
    return text_answer(400, "Invalid Content-Type, swift_* is not a valid parameter name.");
  }
  const Place where = place();
  const std::size_t count = where.ring->primaries(where.partition).size();
  Rows rows = this->rows(count);
  add_expirer(rows, count);
  return store_object(x_.services, request, where, x_.services.conf.policy(policy_), count,
                      [&](Request& to, std::size_t index) {
                        copy_object_fields(request, to);
                        rows.dress(to, index);
                        set_next_part_power(where, to);
                      });
}

Response ObjectController::post() const {
  Request& request = x_.request;
  if (auto refusal = denied(info_->write_acl)) return std::move(*refusal);
  if (!info_->is_success()) return error_response(404);
  if (auto bad = check_metadata(request, MetadataKind::kObject, x_.services.limits()))
    return std::move(*bad);
  if (auto bad = check_delete_headers(request, *request.context.timestamp)) return std::move(*bad);
  const Place where = place();
  const PolicyConf& policy = x_.services.conf.policy(policy_);
  NodeIter nodes(x_.services, where, policy, "Object");
  const std::size_t count = nodes.primaries();
  Rows rows = this->rows(count);
  add_expirer(rows, count);
  return scatter(x_.services, request, {"POST", where, "Object", count}, nodes,
                 [&](Request& to, std::size_t index) {
                   copy_object_fields(request, to);
                   rows.dress(to, index);
                   set_next_part_power(where, to);
                 });
}

Response ObjectController::remove() const {
  Request& request = x_.request;
  if (auto refusal = denied(info_->write_acl, info_->sync_key)) return std::move(*refusal);
  if (!info_->is_success()) return error_response(404);
  const Place where = place();
  const PolicyConf& policy = x_.services.conf.policy(policy_);
  const DeleteNodes wanted = delete_nodes(where, policy);
  NodeIter nodes(x_.services, where, policy, "Object", wanted.preferred);
  const Rows rows = this->rows(wanted.count);
  ScatterPlan plan{"DELETE", where, "Object", wanted.count};
  plan.override = StatusOverride{404, 204};
  return scatter(x_.services, request, plan, nodes, [&](Request& to, std::size_t index) {
    copy_object_fields(request, to);
    rows.dress(to, index);
    set_next_part_power(where, to);
  });
}

}  // namespace apus
