// The account server: listings and rows of containers, and what replicators ask.
#include <apus/plugin.h>

#include <array>

#include "framework/backend/database_server.h"
#include "framework/backend/replication_rpc.h"
#include "framework/store/db/account_broker.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
    OptionSpec{"fallocate_reserve", kText, "1%", "free space to keep, bytes or N%"},
    OptionSpec{"db_preallocation", kBool, "off", "let databases grow in large steps"},
    OptionSpec{"replication_server", kBool, "true", "answer REPLICATE"},
    OptionSpec{"auto_create_account_prefix", kText, ".", "accepted; set in swift.conf"},
};

constexpr std::chrono::milliseconds kRowPatience(3000);
constexpr std::chrono::milliseconds kReadPatience(100);

class AccountApp final : public App {
 public:
  explicit AccountApp(const PluginArgs& args)
      : server_(args.host, args.options, "accounts",
                {"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"}),
        replication_(server_, [this](DatabasePlace place, std::string file) {
          return std::make_unique<AccountBroker>(server_.services(), std::move(place), "",
                                                 std::move(file));
        }) {}

  Response operator()(Request& request) const override {
    if (!is_utf8(request.path)) return {412, "Invalid UTF8", kHtmlPage};
    if (!server_.allows(request.method)) return error_response(405);
    if (request.method == "OPTIONS") return server_.options();
    if (request.method == "REPLICATE") return replication_(request);
    const int most = request.method == "PUT" ? 4 : 3;
    const auto path = split_backend_path(request.path, 3, most);
    if (!path) return invalid_path(request, 3, most);
    if (auto refusal = check_internal_names(*path)) return std::move(*refusal);
    Response refusal;
    const auto place = server_.place(request, *path, refusal);
    if (!place) return refusal;
    AccountBroker broker(server_.services(), *place, std::string(path->account));
    return server_.guard(request, [&] { return dispatch(request, *path, broker); });
  }

 private:
  Response dispatch(Request& request, const BackendPath& path, AccountBroker& broker) const {
    if (request.method == "GET" || request.method == "HEAD") return get(request, path, broker);
    Response refusal;
    if (!path.container.empty()) {
      const bool timed = !fact(request, "X-Timestamp").empty();
      if (timed && !request_timestamp(request, refusal)) return refusal;
      return container_row(request, path, broker);
    }
    const auto timestamp = request_timestamp(request, refusal);
    if (!timestamp) return refusal;
    if (request.method == "PUT") return put(request, broker, *timestamp);
    if (broker.gone()) return marked(broker, 404);
    if (request.method == "POST") {
      const std::string wrong = keep_metadata(request, broker, *timestamp);
      return wrong.empty() ? error_response(204) : bad_request(request, wrong, kHtmlPage);
    }
    broker.mark_deleted(*timestamp);
    return marked(broker, 204);
  }

  // An empty answer that tells whether the account is there and marked deleted.
  static Response marked(AccountBroker& broker, int status) {
    Response out(status);
    out.headers.set("Content-Type", "text/html; charset=utf-8");
    const auto stat = broker.info();
    if (stat && stat->status_deleted()) out.headers.set("X-Account-Status", "Deleted");
    return out;
  }

  static std::string keep_metadata(const Request& request, AccountBroker& broker,
                                   const Timestamp& timestamp) {
    return broker.update_metadata(kept_fields(request, "Account", {}), timestamp);
  }

  // The row that a container server reports; nothing sets `wrong`.
  static std::optional<ContainerRow> reported_row(const Request& request, const BackendPath& path,
                                                  std::string& wrong) {
    const Headers& headers = request.headers;
    for (const char* name :
         {"X-Put-Timestamp", "X-Delete-Timestamp", "X-Object-Count", "X-Bytes-Used"}) {
      if (!headers.has(name)) wrong = "Missing " + std::string(name);
    }
    const auto put = Timestamp::parse(headers.get("X-Put-Timestamp"));
    const auto gone = Timestamp::parse(headers.get("X-Delete-Timestamp"));
    const auto objects = parse_int(headers.get("X-Object-Count"));
    const auto bytes = parse_int(headers.get("X-Bytes-Used"));
    const auto policy = parse_int(fact(request, "X-Backend-Storage-Policy-Index").empty()
                                      ? "0"
                                      : fact(request, "X-Backend-Storage-Policy-Index"));
    if (wrong.empty() && (!put || !gone || !objects || !bytes || !policy))
      wrong = "Invalid container row";
    if (!wrong.empty()) return std::nullopt;
    return ContainerRow{std::string(path.container),
                        std::string(headers.get("X-Put-Timestamp")),
                        std::string(headers.get("X-Delete-Timestamp")),
                        *objects,
                        *bytes,
                        *gone > *put && *objects == 0,
                        *policy};
  }

  Response container_row(const Request& request, const BackendPath& path,
                         AccountBroker& broker) const {
    if (!request.context.trans_id.empty() || request.headers.has("X-Trans-Id"))
      broker.set_patience({kRowPatience, false});
    const bool auto_created =
        path.account.starts_with(server_.host.swift_conf().constraints.auto_create_account_prefix);
    if (auto_created && !broker.exists()) {
      const auto asked = Timestamp::parse(fact(request, "X-Timestamp"));
      broker.create(asked.value_or(server_.host.clock().timestamp()));
    }
    const bool override = lower(request.headers.get("X-Account-Override-Deleted")) == "yes";
    if (!broker.exists() || (!override && broker.gone())) return error_response(404);
    std::string wrong;
    const auto row = reported_row(request, path, wrong);
    if (!row) return bad_request(request, wrong, kHtmlPage);
    broker.put_container(*row);
    return error_response(*row->delete_timestamp > *row->put_timestamp ? 204 : 201);
  }

  static Response put(const Request& request, AccountBroker& broker, const Timestamp& timestamp) {
    bool created = false;
    if (!broker.exists()) {
      created = broker.create(timestamp);
    } else if (const auto stat = broker.info(); stat && stat->status_deleted()) {
      Response out(403, "Recently deleted", "text/html; charset=utf-8");
      out.headers.set("X-Account-Status", "Deleted");
      return out;
    } else {
      created = broker.gone();
      broker.touch(timestamp);
      if (broker.gone()) return error_response(409);
    }
    const std::string wrong = keep_metadata(request, broker, timestamp);
    if (!wrong.empty()) return bad_request(request, wrong, kHtmlPage);
    return error_response(created ? 201 : 202);
  }

  Response get(const Request& request, const BackendPath& path, AccountBroker& broker) const {
    const bool head = request.method == "HEAD";
    Response refusal;
    ListingQuery query;
    if (!head) {
      auto asked = listing_query(
          request, server_.host.swift_conf().constraints.account_listing_limit, refusal);
      if (!asked) return refusal;
      query = std::move(*asked);
      query.path.reset();  // only containers have pseudo directories
    }
    const auto format = listing_format(request, refusal);
    if (!format) return refusal;
    broker.set_patience({kReadPatience, true});
    const auto stat = broker.info();
    if (!stat || stat->deleted()) return marked(broker, 404);
    Response out(head ? 204 : 200);
    show_stat(out, *stat);
    if (head) {
      out.headers.set("Content-Type", std::string(listing_content_type(*format)));
      return out;
    }
    ListingWriter writer(ListingKind::kAccount, *format, path.account);
    broker.list(query, [&](const ListingEntry& entry) { writer.add(entry); });
    answer_listing(request, out, *format, writer.finish());
    return out;
  }

  void show_stat(Response& out, const AccountStat& stat) const {
    out.headers.set("X-Account-Container-Count", std::to_string(stat.container_count));
    out.headers.set("X-Account-Object-Count", std::to_string(stat.object_count));
    out.headers.set("X-Account-Bytes-Used", std::to_string(stat.bytes_used));
    out.headers.set("X-Timestamp", normal_time(stat.created_at));
    out.headers.set("X-PUT-Timestamp", normal_time(stat.put_timestamp));
    for (const auto& one : stat.policies) {
      const StoragePolicy* policy = server_.host.swift_conf().policy(static_cast<int>(one.policy));
      if (policy == nullptr) continue;
      const std::string prefix = "X-Account-Storage-Policy-" + policy->name + "-";
      out.headers.set(prefix + "Container-Count", std::to_string(one.container_count));
      out.headers.set(prefix + "Object-Count", std::to_string(one.object_count));
      out.headers.set(prefix + "Bytes-Used", std::to_string(one.bytes_used));
    }
    show_metadata(out, parse_metadata_column(stat.metadata));
  }

  DatabaseServer server_;
  ReplicationRpc replication_;
};

}  // namespace

APUS_EXPORT_BACKEND_APP("account", "1.0", AccountApp, kOptions)

}  // namespace apus
