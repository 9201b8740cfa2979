#include "servers/object/object_app.h"

#include <apus/constraints.h>
#include <apus/disk.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "framework/backend/request_log.h"
#include "framework/conf/served_policy.h"
#include "servers/object/object_options.h"

namespace apus {
namespace {

constexpr std::string_view kAllow = "DELETE, GET, HEAD, OPTIONS, POST, PUT, REPLICATE";
constexpr std::string_view kAllowWithoutReplication = "DELETE, GET, HEAD, OPTIONS, POST, PUT";

ObjectStore::Settings settings_of(const Options& options) {
  ObjectStore::Settings out;
  const Reserve reserve = parse_reserve(options.text("fallocate_reserve"));
  out.reserve_bytes = reserve.bytes;
  out.reserve_percent = reserve.percent;
  out.fallocate = !options.flag("disable_fallocate");
  const std::int64_t mib = options.integer("mb_per_sync");
  out.bytes_per_sync = mib > 0 ? static_cast<std::uint64_t>(mib) << 20U : UINT64_MAX;
  out.reclaim_age = options.number("reclaim_age");
  out.known_objects = static_cast<std::size_t>(options.integer("known_objects"));
  return out;
}

// All, where nothing is said: the kernel knows better what will be read again.
std::uint64_t kept_size(const Options& options) {
  if (!options.find("keep_cache_size")) return UINT64_MAX;
  return static_cast<std::uint64_t>(options.integer("keep_cache_size"));
}

// An update that takes longer than it may hold up the answer is queued before the answer: what was
// acknowledged is never in this process's memory alone.
Deadlines deadlines_of(const Options& options) {
  const auto patience =
      std::min(options.seconds("container_update_timeout"), options.seconds("node_timeout"));
  return {std::min(options.seconds("conn_timeout"), patience), patience};
}

// What another device may have room or health for; the proxy then leaves this one alone.
bool is_devices_fault(int error) {
  return error == ENOSPC || error == EDQUOT || error == E2BIG || error == ENOTSUP ||
         error == EOPNOTSUPP || error == EIO || error == EROFS || error == ENODEV;
}

ExpirerQueue::Settings expirer_of(const PluginArgs& args) {
  const std::string prefix =
      args.options.find("auto_create_account_prefix")
          .value_or(args.host.swift_conf().constraints.auto_create_account_prefix);
  return {prefix + args.options.text("expiring_objects_account_name"),
          args.options.integer("expiring_objects_container_divisor")};
}

}  // namespace

ObjectApp::ObjectApp(const PluginArgs& args)
    : host_(args.host),
      log_(args.host.logger(args.options)),
      devices_(args.options.text("devices"), args.options.flag("mount_check")),
      store_(args.host.disk(), args.host.clock(), log_, args.host.entropy(), args.host.swift_conf(),
             settings_of(args.options)),
      kept_(split_list(args.options.text("allowed_headers"))),
      updates_(args.host, store_, log_, deadlines_of(args.options)),
      expirer_(updates_, log_, expirer_of(args)),
      chunk_(static_cast<std::size_t>(args.options.integer("network_chunk_size"))),
      verify_percent_(args.options.number("etag_validate_pct")),
      max_upload_time_(args.options.number("max_upload_time")),
      slow_(args.options.number("slow")),
      log_requests_(args.options.flag("log_requests")),
      keep_cache_{kept_size(args.options), args.options.flag("keep_cache_private"),
                  args.options.flag("keep_cache_slo_manifest")} {
  const auto replication = args.options.find("replication_server");
  replication_ = !replication || is_true(*replication);
  for (const std::string& why : policies_not_served(host_.swift_conf())) log_.warning(why);
}

std::optional<ObjectApp::Target> ObjectApp::locate(const Request& request,
                                                   Response& refusal) const {
  const SwiftConf& conf = host_.swift_conf();
  const auto policy = request_policy(request, conf, refusal);
  if (!policy) return std::nullopt;
  const auto path = split_backend_path(request.path, 5, 5);
  if (!path) {
    refusal = bad_request(request, "Invalid path: " + quote(request.path));
    return std::nullopt;
  }
  if (auto reserved = check_reserved_names(path->account, path->container, path->object)) {
    refusal = std::move(*reserved);
    return std::nullopt;
  }
  Target out{*path, {}, *policy, std::nullopt};
  out.place.device = devices_.path(path->device);
  out.place.directory = conf.policy(*policy)->directory("objects");
  out.place.partition = path->partition;
  out.place.hash = conf.hash_path(path->account, path->container, path->object);
  out.place.name =
      request.path.substr(static_cast<std::size_t>(path->account.data() - request.path.data()) - 1);
  if (const auto power = parse_int(fact(request, "X-Backend-Next-Part-Power"));
      power && *power > 0 && *power <= 32) {
    out.next_part_power = static_cast<int>(*power);
  }
  return out;
}

Response ObjectApp::operator()(Request& request) const {
  const Clock::Steady start = host_.clock().steady();
  const std::string path = request.path;
  Response out;
  try {
    out = dispatch(request);
  } catch (const std::exception& error) {
    log_.error(
        "ERROR __call__ error with " + request.method + " " + quote(path) + ": " + error.what(),
        request.context.trans_id);
    out = error_response(500, request.method == "HEAD");
  }
  const std::chrono::duration<double> taken = host_.clock().steady() - start;
  if (log_requests_) log_request(request, path, out, taken.count());
  if (slow_ > taken.count() && (request.method == "PUT" || request.method == "DELETE")) {
    host_.clock().sleep(std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(slow_) - taken));
  }
  return out;
}

Response ObjectApp::dispatch(Request& request) const {
  const std::string& method = request.method;
  if (request.path.empty() || !is_utf8(request.path))
    return method == "HEAD" ? error_response(412, true)
                            : Response(412, "Invalid UTF8 or contains NULL");
  const std::string_view allow = replication_ ? kAllow : kAllowWithoutReplication;
  if (method == "OPTIONS") {
    Response out(200);
    out.headers.set("Allow", std::string(allow));
    out.headers.set("Server", "object-server/2.30.1");
    return out;
  }
  if (method == "REPLICATE" && replication_) return replicate(request);
  const bool known = method == "PUT" || method == "POST" || method == "GET" || method == "HEAD" ||
                     method == "DELETE";
  if (!known) return method_not_allowed(request, allow);
  Response refusal;
  const auto target = locate(request, refusal);
  if (!target) return refusal;
  if (method == "PUT") return put(request, *target);
  if (method == "POST") return post(request, *target);
  if (method == "DELETE") return remove(request, *target);
  return get(request, *target);
}

void ObjectApp::log_request(const Request& request, const std::string& path,
                            const Response& response, double seconds) const {
  const bool quiet =
      request.method == "REPLICATE" || !fact(request, "X-Backend-Replication").empty();
  log_backend_request(log_, quiet ? LogLevel::kDebug : LogLevel::kInfo, host_.clock().now(),
                      request, path, response, seconds);
}

std::optional<Response> ObjectApp::unusable(const Request& request, const Target& target,
                                            const OpenObject& object) {
  const bool head = request.method == "HEAD";
  if (object.state == ObjectState::kNotSupported)
    return insufficient_storage(request, target.path.device);
  if (object.state == ObjectState::kCollision) return error_response(403, head);
  if (object.state != ObjectState::kFailed) return std::nullopt;
  return is_devices_fault(object.error) ? insufficient_storage(request, target.path.device)
                                        : error_response(500, head);
}

Response ObjectApp::unwritten(const Request& request, const Target& target, int error) const {
  log_.error("ERROR cannot write " + target.place.folder() + ": " + std::strerror(error),
             request.context.trans_id);
  return is_devices_fault(error) ? insufficient_storage(request, target.path.device)
                                 : error_response(500);
}

Response ObjectApp::conflict(const Request& request, const Timestamp& existing) {
  Response out = error_response(409, request.method == "HEAD");
  out.internal.set("X-Backend-Timestamp", existing.internal());
  return out;
}

void ObjectApp::update_container(const Request& request, const Target& target, const char* method,
                                 Headers row) const {
  const std::string_view partition = fact(request, "X-Container-Partition");
  const std::string_view hosts = fact(request, "X-Container-Host");
  const std::string_view devices = fact(request, "X-Container-Device");
  const auto to = destinations(partition, hosts, devices);
  if (!to) {
    log_.error(
        "ERROR Container update failed: different numbers of hosts and devices in request: \"" +
            std::string(hosts) + "\" vs \"" + std::string(devices) + "\"",
        request.context.trans_id);
    return;
  }
  row.set("X-Backend-Storage-Policy-Index", std::to_string(target.policy));
  ContainerUpdates::add_origin(request, row);
  std::string shard = unquote(fact(request, "X-Backend-Quoted-Container-Path"));
  if (shard.empty()) shard = fact(request, "X-Backend-Container-Path");
  const std::size_t slash = shard.find('/');
  if (!shard.empty() && (slash == std::string::npos || slash == 0 || slash + 1 == shard.size() ||
                         shard.find('/', slash + 1) != std::string::npos)) {
    log_.error(
        "Invalid X-Backend-Container-Path, should be of the form 'account/container' but got '" +
            shard + "'.",
        request.context.trans_id);
    shard.clear();
  }
  updates_.send(request, target.place,
                {method, std::string(target.path.account), std::string(target.path.container),
                 std::string(target.path.object), std::move(row), std::move(shard)},
                *to);
}

void ObjectApp::update_expirer(const Request& request, const Target& target, std::int64_t before,
                               std::int64_t after, const Timestamp& timestamp) const {
  if (before == after || is_true(fact(request, "X-Backend-Replication"))) return;
  const ExpirerQueue::Object object{target.path.account, target.path.container, target.path.object,
                                    target.place.hash};
  if (after != 0) expirer_.add(request, target.place, object, after, timestamp);
  if (before != 0) expirer_.remove(request, target.place, object, before, timestamp);
}

APUS_EXPORT_BACKEND_APP("object", "1.0", ObjectApp, kObjectOptions)

}  // namespace apus
