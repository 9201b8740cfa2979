// The account server: listings and rows of containers.
#include <apus/plugin.h>

#include <array>

#include "framework/backend/database_server.h"
#include "framework/store/db/account_broker.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
    OptionSpec{"fallocate_reserve", kText, "1%", "free space to keep, bytes or N%"},
    OptionSpec{"replication_server", kText, nullptr, "accepted; replication comes as plugins"},
    OptionSpec{"auto_create_account_prefix", kText, ".", "accepted; set in swift.conf"},
};

constexpr std::string_view kAllow = "DELETE, GET, HEAD, OPTIONS, POST, PUT";

class AccountApp final : public App {
 public:
  explicit AccountApp(const PluginArgs& args) : server_(args.host, args.options, "accounts") {}

  Response operator()(Request& request) const override {
    if (request.method == "OPTIONS") {
      Response out(200);
      out.headers.set("Allow", std::string(kAllow));
      return out;
    }
    if (!is_utf8(request.path)) return Response(412, "Invalid UTF8");
    const auto path = split_backend_path(request.path, 3, 4);
    if (!path) return bad_request(request, "Invalid path: " + quote(request.path));
    Response refusal;
    const auto place = server_.place(request, *path, refusal);
    if (!place) return refusal;
    AccountBroker broker(server_.services(), *place, std::string(path->account));
    return server_.guard(request, [&] { return dispatch(request, *path, broker); });
  }

 private:
  Response dispatch(Request& request, const BackendPath& path, AccountBroker& broker) const {
    const std::string& method = request.method;
    if (method == "GET" || method == "HEAD") return get(request, path, broker);
    if (method != "PUT" && method != "POST" && method != "DELETE")
      return method_not_allowed(request, kAllow);
    if (!path.container.empty()) {
      if (method != "PUT") return method_not_allowed(request, kAllow);
      return container_row(request, path, broker);
    }
    Response refusal;
    const auto timestamp = request_timestamp(request, refusal);
    if (!timestamp) return refusal;
    if (method == "PUT") return put(request, broker, *timestamp);
    if (method == "POST") return post(request, broker, *timestamp);
    const auto info = broker.info();
    if (!info || info->deleted()) return gone(request, info.has_value());
    broker.mark_deleted(*timestamp);
    return gone_now();
  }

  static Response gone(const Request& request, bool was_there) {
    Response out = error_response(404, request.method == "HEAD");
    if (was_there) out.headers.set("X-Account-Status", "Deleted");
    return out;
  }
  static Response gone_now() {
    Response out = error_response(204);
    out.headers.set("X-Account-Status", "Deleted");
    return out;
  }

  Response container_row(const Request& request, const BackendPath& path,
                         AccountBroker& broker) const {
    for (const char* name :
         {"X-Put-Timestamp", "X-Delete-Timestamp", "X-Object-Count", "X-Bytes-Used"}) {
      if (!request.headers.has(name)) return bad_request(request, "Missing " + std::string(name));
    }
    const auto stamp = [&](const char* name) {
      const std::string text(request.headers.get(name));
      return text == "0" ? text : Timestamp::parse(text).value_or(Timestamp()).internal();
    };
    ContainerRow row;
    row.name = path.container;
    row.put_timestamp = stamp("X-Put-Timestamp");
    row.delete_timestamp = stamp("X-Delete-Timestamp");
    row.object_count = parse_int(request.headers.get("X-Object-Count")).value_or(0);
    row.bytes_used = parse_int(request.headers.get("X-Bytes-Used")).value_or(0);
    row.policy = parse_int(fact(request, "X-Backend-Storage-Policy-Index")).value_or(0);
    row.deleted = row.delete_timestamp > row.put_timestamp && row.object_count == 0;
    const bool auto_created =
        path.account.starts_with(server_.host.swift_conf().constraints.auto_create_account_prefix);
    if (!broker.exists() && auto_created) broker.create(server_.host.clock().timestamp());
    const auto info = broker.info();
    if (!info) return error_response(404);
    if (info->deleted() && !is_true(request.headers.get("X-Account-Override-Deleted")))
      return gone(request, true);
    broker.put_container(row);
    return error_response(row.delete_timestamp > row.put_timestamp ? 204 : 201);
  }

  Response put(const Request& request, AccountBroker& broker, const Timestamp& timestamp) const {
    const bool created = !broker.exists() && broker.create(timestamp);
    if (!created) {
      const auto info = broker.info();
      if (!info) return error_response(500);
      if (info->deleted()) {
        Response out(403, "Recently deleted");
        out.headers.set("X-Account-Status", "Deleted");
        return out;
      }
      if (timestamp.internal() <= info->delete_timestamp) return error_response(409);
      broker.touch(timestamp);
    }
    const std::string wrong =
        broker.update_metadata(kept_fields(request, "Account", {}), timestamp, "Account");
    if (!wrong.empty()) return bad_request(request, wrong);
    return error_response(created ? 201 : 202);
  }

  Response post(const Request& request, AccountBroker& broker, const Timestamp& timestamp) const {
    const auto info = broker.info();
    if (!info || info->deleted()) return gone(request, info.has_value());
    const std::string wrong =
        broker.update_metadata(kept_fields(request, "Account", {}), timestamp, "Account");
    if (!wrong.empty()) return bad_request(request, wrong);
    return error_response(204);
  }

  Response get(const Request& request, const BackendPath& path, AccountBroker& broker) const {
    const bool head = request.method == "HEAD";
    const auto info = broker.info();
    if (!info || info->deleted()) return gone(request, info.has_value());
    Response refusal;
    const auto format = listing_format(request, refusal);
    if (!format) return refusal;
    Response out(head ? 204 : 200);
    out.headers.set("X-Account-Container-Count", std::to_string(info->container_count));
    out.headers.set("X-Account-Object-Count", std::to_string(info->object_count));
    out.headers.set("X-Account-Bytes-Used", std::to_string(info->bytes_used));
    out.headers.set("X-Timestamp",
                    Timestamp::parse(info->created_at).value_or(Timestamp()).normal());
    out.headers.set("X-PUT-Timestamp",
                    Timestamp::parse(info->put_timestamp).value_or(Timestamp()).normal());
    for (const auto& stat : info->policies) {
      const StoragePolicy* policy = server_.host.swift_conf().policy(static_cast<int>(stat.policy));
      if (policy == nullptr) continue;
      const std::string prefix = "X-Account-Storage-Policy-" + policy->name + "-";
      out.headers.set(prefix + "Container-Count", std::to_string(stat.container_count));
      out.headers.set(prefix + "Object-Count", std::to_string(stat.object_count));
      out.headers.set(prefix + "Bytes-Used", std::to_string(stat.bytes_used));
    }
    show_metadata(out, broker.metadata());
    if (head) {
      out.headers.set("Content-Type", std::string(listing_content_type(*format)));
      return out;
    }
    auto query = listing_query(request, server_.host.swift_conf().constraints.account_listing_limit,
                               refusal);
    if (!query) return refusal;
    query->path.reset();  // only containers have pseudo directories
    answer_listing(request, out, ListingKind::kAccount, *format, path.account, broker.list(*query));
    return out;
  }

  DatabaseServer server_;
};

}  // namespace

APUS_EXPORT_BACKEND_APP("account", "1.0", AccountApp, kOptions)

}  // namespace apus
