#include "servers/container/container_app.h"

#include <array>

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
    OptionSpec{"db_preallocation", kBool, "off", "let databases grow in large steps"},
    OptionSpec{"allowed_sync_hosts", kList, "127.0.0.1", "hosts a container may be synced to"},
    OptionSpec{"replication_server", kBool, "true", "answer REPLICATE"},
    OptionSpec{"auto_create_account_prefix", kText, ".", "accepted; set in swift.conf"},
};

std::vector<std::string_view> kept_headers(const Options& options) {
  std::vector<std::string_view> out = {"X-Container-Read", "X-Container-Write",
                                       "X-Container-Sync-Key", "X-Container-Sync-To"};
  if (options.flag("allow_versions")) out.emplace_back("X-Versions-Location");
  return out;
}

bool is_verb_of_containers_alone(std::string_view method) {
  return method == "POST" || method == "UPDATE";
}

}  // namespace

ContainerApp::ContainerApp(const PluginArgs& args)
    : server_(args.host, args.options, "containers",
              {"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "UPDATE"}),
      replication_(server_,
                   [this](DatabasePlace place, std::string file) {
                     return std::make_unique<ContainerBroker>(server_.services(), std::move(place),
                                                              "", "", std::move(file));
                   }),
      account_update_(args.host, server_.log,
                      {args.options.seconds("conn_timeout"), args.options.seconds("node_timeout")}),
      sync_targets_(args.host, server_.log, args.options.list("allowed_sync_hosts")),
      kept_(kept_headers(args.options)) {}

Response ContainerApp::operator()(Request& request) const {
  if (!is_utf8(request.path)) return {412, "Invalid UTF8 or contains NULL", kHtmlPage};
  if (!server_.allows(request.method)) return error_response(405);
  if (request.method == "OPTIONS") return server_.options();
  if (request.method == "REPLICATE") return replication_(request);
  const int most = is_verb_of_containers_alone(request.method) ? 4 : 5;
  const auto path = split_backend_path(request.path, 4, most);
  if (!path) return invalid_path(request, 4, most);
  if (auto refusal = check_internal_names(*path)) return std::move(*refusal);
  Response refusal;
  if (request.method == "GET" || request.method == "HEAD") {
    const auto place = server_.place(request, *path, refusal);
    if (!place) return refusal;
    ContainerBroker broker(server_.services(), *place, std::string(path->account),
                           std::string(path->container));
    broker.set_patience({std::chrono::milliseconds(100), true});
    return server_.guard(request, [&] { return get(request, *path, broker); });
  }
  const auto timestamp = request_timestamp(request, refusal);
  if (!timestamp) return refusal;
  if (const std::string* target = request.headers.find("X-Container-Sync-To");
      target != nullptr && (request.method == "PUT" || request.method == "POST")) {
    const std::string wrong = sync_targets_.check(*target);
    if (!wrong.empty()) return bad_request(request, wrong, kHtmlPage);
  }
  const auto place = server_.place(request, *path, refusal);
  if (!place) return refusal;
  ContainerBroker broker(server_.services(), *place, std::string(path->account),
                         std::string(path->container));
  return server_.guard(request, [&] { return write(request, *path, broker, *timestamp); });
}

Response ContainerApp::write(Request& request, const BackendPath& path, ContainerBroker& broker,
                             const Timestamp& timestamp) const {
  const std::string& method = request.method;
  if (method == "UPDATE") return update(request, path, broker, timestamp);
  if (method == "POST") return post(request, broker, timestamp);
  if (!path.object.empty()) return object_row(request, path, broker, timestamp);
  if (method == "DELETE") return remove(request, path, broker, timestamp);
  if (lower(fact(request, "X-Backend-Record-Type")) == "shard")
    return put_shards(request, path, broker, timestamp);
  return put(request, path, broker, timestamp);
}

std::optional<std::optional<int>> ContainerApp::named_policy(const Request& request,
                                                             Response& refusal) const {
  std::optional<std::optional<int>> out;
  const std::string* text = request.internal.find("X-Backend-Storage-Policy-Index");
  if (text == nullptr) {
    out.emplace();
    return out;
  }
  const auto index = parse_int(*text);
  if (index && *index >= 0 && *index <= 1000000 &&
      server_.host.swift_conf().policy(static_cast<int>(*index)) != nullptr) {
    out.emplace(static_cast<int>(*index));
    return out;
  }
  refusal = bad_request(request, "Invalid X-Backend-Storage-Policy-Index " +
                                     (index ? std::to_string(*index) : "'" + *text + "'"));
  return out;
}

APUS_EXPORT_BACKEND_APP("container", "1.0", ContainerApp, kOptions)

}  // namespace apus
