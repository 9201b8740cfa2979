// The container server: listings and rows of objects.
#include <apus/plugin.h>
#include <apus/transport.h>

#include <array>

#include "framework/backend/database_server.h"
#include "framework/store/db/container_broker.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
    OptionSpec{"node_timeout", kNumber, "3", "seconds an account server may take", 0.001, 86400},
    OptionSpec{"conn_timeout", kNumber, "0.5", "seconds to connect to it", 0.001, 86400},
    OptionSpec{"allow_versions", kBool, "false", "keep X-Versions-Location"},
    OptionSpec{"fallocate_reserve", kText, "1%", "free space to keep, bytes or N%"},
    OptionSpec{"allowed_sync_hosts", kText, "127.0.0.1", "accepted; container sync comes later"},
    OptionSpec{"replication_server", kText, nullptr, "accepted; replication comes as plugins"},
    OptionSpec{"auto_create_account_prefix", kText, ".", "accepted; set in swift.conf"},
};

constexpr int kAnyPolicy = -1;
constexpr std::string_view kAllow = "DELETE, GET, HEAD, OPTIONS, POST, PUT";
constexpr std::array<std::string_view, 4> kSaved = {"X-Container-Read", "X-Container-Write",
                                                    "X-Container-Sync-Key", "X-Container-Sync-To"};

class ContainerApp final : public App {
 public:
  explicit ContainerApp(const PluginArgs& args)
      : server_(args.host, args.options, "containers"),
        deadlines_{args.options.seconds("conn_timeout"), args.options.seconds("node_timeout")} {}

  Response operator()(Request& request) const override {
    if (request.method == "OPTIONS") {
      Response out(200);
      out.headers.set("Allow", std::string(kAllow));
      return out;
    }
    if (!is_utf8(request.path)) return Response(412, "Invalid UTF8 or contains NULL");
    const auto path = split_backend_path(request.path, 4, 5);
    if (!path) return bad_request(request, "Invalid path: " + quote(request.path));
    Response refusal;
    const auto place = server_.place(request, *path, refusal);
    if (!place) return refusal;
    ContainerBroker broker(server_.services(), *place, std::string(path->account),
                           std::string(path->container));
    return server_.guard(request, [&] { return dispatch(request, *path, broker); });
  }

 private:
  Response dispatch(Request& request, const BackendPath& path, ContainerBroker& broker) const {
    const std::string& method = request.method;
    if (method == "GET" || method == "HEAD") return get(request, path, broker);
    Response refusal;
    if (method != "PUT" && method != "POST" && method != "DELETE")
      return method_not_allowed(request, kAllow);
    const auto timestamp = request_timestamp(request, refusal);
    if (!timestamp) return refusal;
    if (!path.object.empty()) {
      if (method == "POST") return method_not_allowed(request, kAllow);
      return object_row(request, path, broker, *timestamp);
    }
    if (method == "PUT") return put(request, path, broker, *timestamp);
    if (method == "POST") return post(request, broker, *timestamp);
    return remove(request, path, broker, *timestamp);
  }

  [[nodiscard]] bool is_auto_created(const BackendPath& path) const {
    return path.account.starts_with(
        server_.host.swift_conf().constraints.auto_create_account_prefix);
  }

  Response object_row(const Request& request, const BackendPath& path, ContainerBroker& broker,
                      const Timestamp& timestamp) const {
    const auto policy = request_policy(request, server_.host.swift_conf());
    if (!policy) return bad_request(request, "Invalid X-Backend-Storage-Policy-Index");
    if (!broker.exists()) {
      if (!is_auto_created(path)) return error_response(404);
      broker.create(timestamp, *policy);
    }
    ObjectRow row;
    row.name = path.object;
    row.created_at = timestamp.internal();
    row.policy = *policy;
    if (request.method == "DELETE") {
      row.content_type = "application/deleted";
      row.etag = "noetag";
      row.deleted = true;
      broker.put_object(row);
      return error_response(204);
    }
    for (const char* name : {"X-Size", "X-Content-Type", "X-Etag"}) {
      if (!request.headers.has(name)) return bad_request(request, "Missing " + std::string(name));
    }
    row.size = parse_int(request.headers.get("X-Size")).value_or(0);
    row.content_type = request.headers.get("X-Content-Type");
    row.etag = request.headers.get("X-Etag");
    row.content_type_timestamp = request.headers.get("X-Content-Type-Timestamp");
    row.meta_timestamp = request.headers.get("X-Meta-Timestamp");
    broker.put_object(row);
    return error_response(201);
  }

  /// The policy that the request names, -1 when it names none; nothing sets `refusal`.
  [[nodiscard]] std::optional<int> wanted_policy(const Request& request, Response& refusal) const {
    const std::string_view text = fact(request, "X-Backend-Storage-Policy-Index");
    if (text.empty()) return kAnyPolicy;
    const auto index = parse_int(text);
    if (index && server_.host.swift_conf().policy(static_cast<int>(*index)) != nullptr)
      return static_cast<int>(*index);
    refusal = bad_request(request, "Invalid X-Backend-Storage-Policy-Index " + std::string(text));
    return std::nullopt;
  }

  Response put(const Request& request, const BackendPath& path, ContainerBroker& broker,
               const Timestamp& timestamp) const {
    Response refusal;
    const auto asked = wanted_policy(request, refusal);
    if (!asked) return refusal;
    const SwiftConf& conf = server_.host.swift_conf();
    const auto fallback = parse_int(fact(request, "X-Backend-Storage-Policy-Default"));
    const int policy = *asked != kAnyPolicy
                           ? *asked
                           : static_cast<int>(fallback.value_or(conf.default_policy().index));
    bool created = !broker.exists() && broker.create(timestamp, policy);
    auto info = broker.info();
    if (!info) return error_response(500);
    const bool was_deleted = info->deleted();
    if (!created) {
      if (!was_deleted && *asked != kAnyPolicy && *asked != info->policy) {
        Response out = error_response(409);
        out.internal.set("X-Backend-Storage-Policy-Index", std::to_string(info->policy));
        return out;
      }
      if (timestamp.internal() <= info->delete_timestamp) return error_response(409);
      broker.touch(timestamp);
      if (was_deleted) {
        broker.set_policy(policy, timestamp);
        created = true;
      }
    }
    const std::string wrong =
        broker.update_metadata(kept_fields(request, "Container", kSaved), timestamp, "Container");
    if (!wrong.empty()) return bad_request(request, wrong);
    if (auto answer = account_update(request, path, broker)) return std::move(*answer);
    Response out = error_response(created ? 201 : 202);
    if (const auto now = broker.info())
      out.internal.set("X-Backend-Storage-Policy-Index", std::to_string(now->policy));
    return out;
  }

  Response post(const Request& request, ContainerBroker& broker, const Timestamp& timestamp) const {
    const auto info = broker.info();
    if (!info || info->deleted()) return error_response(404);
    broker.touch(timestamp);
    const std::string wrong =
        broker.update_metadata(kept_fields(request, "Container", kSaved), timestamp, "Container");
    if (!wrong.empty()) return bad_request(request, wrong);
    return error_response(204);
  }

  Response remove(const Request& request, const BackendPath& path, ContainerBroker& broker,
                  const Timestamp& timestamp) const {
    const auto info = broker.info();
    if (!info) return error_response(404);
    if (info->object_count > 0) return error_response(409);
    const bool existed = info->delete_timestamp < info->put_timestamp;
    if (timestamp.internal() <= info->put_timestamp) return error_response(409);
    broker.mark_deleted(timestamp);
    if (auto answer = account_update(request, path, broker)) return std::move(*answer);
    return error_response(existed ? 204 : 404);
  }

  // Reports the container to its accounts. An answer only when all of them said 404.
  std::optional<Response> account_update(const Request& request, const BackendPath& path,
                                         ContainerBroker& broker) const {
    const std::vector<std::string> hosts = split_list(fact(request, "X-Account-Host"));
    const std::vector<std::string> devices = split_list(fact(request, "X-Account-Device"));
    const std::string_view partition = fact(request, "X-Account-Partition");
    const auto info = broker.info();
    if (hosts.empty() || hosts.size() != devices.size() || partition.empty() || !info)
      return std::nullopt;
    std::size_t missing = 0;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      // An address that cannot be read is one that cannot be reached: port 0.
      Call call{parse_endpoint(hosts[i]).value_or(Endpoint{hosts[i], 0}),
                Request("PUT", "/" + devices[i] + "/" + std::string(partition) + "/" +
                                   std::string(path.account) + "/" + std::string(path.container))};
      Headers& fields = call.request.headers;
      fields.set("X-Put-Timestamp", info->put_timestamp);
      fields.set("X-Delete-Timestamp", info->delete_timestamp);
      fields.set("X-Object-Count", std::to_string(info->object_count));
      fields.set("X-Bytes-Used", std::to_string(info->bytes_used));
      fields.set("X-Trans-Id", request.context.trans_id);
      call.request.internal.set("X-Backend-Storage-Policy-Index", std::to_string(info->policy));
      if (is_true(fact(request, "X-Account-Override-Deleted")))
        fields.set("X-Account-Override-Deleted", "yes");
      call.request.context.trans_id = request.context.trans_id;
      const Outcome outcome = server_.host.transport().call(std::move(call), deadlines_);
      if (outcome.response && outcome.response->status == 404) ++missing;
      if (!outcome.response ||
          (!outcome.response->is_success() && outcome.response->status != 404)) {
        server_.log.error("ERROR account update failed with " + hosts[i] + "/" + devices[i] +
                              " (will retry later)",
                          request.context.trans_id);
      }
    }
    if (missing == hosts.size()) return error_response(404);
    return std::nullopt;
  }

  Response get(const Request& request, const BackendPath& path, ContainerBroker& broker) const {
    const bool head = request.method == "HEAD";
    const auto info = broker.info();
    if (!info) return error_response(404, head);
    const bool gone = info->deleted();
    Response out = gone ? error_response(404, head) : Response(head ? 204 : 200);
    const auto backend = [&](const char* name, const std::string& stamp) {
      out.internal.set(name, Timestamp::parse(stamp).value_or(Timestamp()).internal());
    };
    backend("X-Backend-Timestamp", info->created_at);
    backend("X-Backend-PUT-Timestamp", info->put_timestamp);
    backend("X-Backend-DELETE-Timestamp", info->delete_timestamp);
    backend("X-Backend-Status-Changed-At", info->status_changed_at);
    out.internal.set("X-Backend-Storage-Policy-Index", std::to_string(info->policy));
    out.internal.set("X-Backend-Sharding-State", "unsharded");
    if (gone) return out;
    Response refusal;
    const auto format = listing_format(request, refusal);
    if (!format) return refusal;
    out.headers.set("X-Container-Object-Count", std::to_string(info->object_count));
    out.headers.set("X-Container-Bytes-Used", std::to_string(info->bytes_used));
    out.headers.set("X-Timestamp",
                    Timestamp::parse(info->created_at).value_or(Timestamp()).normal());
    out.headers.set("X-PUT-Timestamp",
                    Timestamp::parse(info->put_timestamp).value_or(Timestamp()).normal());
    const auto put_time = Timestamp::parse(info->put_timestamp).value_or(Timestamp());
    out.headers.set("Last-Modified", http_date(put_time.ceil_seconds()));
    show_metadata(out, broker.metadata());
    if (head) {
      out.headers.set("Content-Type", std::string(listing_content_type(*format)));
      return out;
    }
    const auto query = listing_query(
        request, server_.host.swift_conf().constraints.container_listing_limit, refusal);
    if (!query) return refusal;
    const auto policy =
        parse_int(fact(request, "X-Backend-Storage-Policy-Index")).value_or(info->policy);
    out.internal.set("X-Backend-Record-Type", "object");
    answer_listing(request, out, ListingKind::kContainer, *format, path.container,
                   broker.list(*query, policy));
    return out;
  }

  DatabaseServer server_;
  Deadlines deadlines_;
};

}  // namespace

APUS_EXPORT_BACKEND_APP("container", "1.0", ContainerApp, kOptions)

}  // namespace apus
