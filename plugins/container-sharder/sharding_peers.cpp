#include "plugins/container-sharder/sharding_peers.h"

#include <unistd.h>

#include "framework/backend/direct_call.h"
#include "plugins/container-sharder/sharder_settings.h"

namespace apus {

ShardingPeers::ShardingPeers(Host& host, Logger& log, const Deadlines& deadlines,
                             std::unique_ptr<InternalClient> client)
    : host_(host), log_(log), deadlines_(deadlines), client_(std::move(client)) {}
ShardingPeers::~ShardingPeers() = default;

std::optional<std::vector<ShardRange>> ShardingPeers::fetch(ContainerBroker& shard, Query query,
                                                            bool include_deleted,
                                                            const std::stop_token& stop) const {
  const std::string root = shard.root_path();
  const auto refuse = [&](const std::string& why) {
    log_.error("Failed to get shard ranges from " + quote(root) + ": " + why);
    return std::nullopt;
  };
  query.set("format", "json");
  InternalClient::Answer answer;
  try {
    answer = client_->ask("GET", "/v1/" + root, {2},
                          {{"X-Backend-Record-Type", "shard"},
                           {"X-Backend-Override-Deleted", "true"},
                           {"X-Backend-Include-Deleted", include_deleted ? "True" : "False"},
                           {"X-Newest", "true"}},
                          query.encode(), stop);
  } catch (const UnexpectedAnswer& error) {
    log_.warning("Failed to get shard ranges from " + quote(root) + ": " + error.what());
    return std::nullopt;
  }
  const std::string_view type = answer.internal.get("X-Backend-Record-Type");
  if (lower(type) != "shard") return refuse("unexpected record type '" + std::string(type) + "'");
  const auto dicts = Json::parse(answer.body);
  if (!dicts || dicts->array() == nullptr) return refuse("invalid data: no JSON list");
  std::vector<ShardRange> out;
  for (const Json& dict : *dicts->array()) {
    std::string why;
    auto range = ShardRange::from_json(dict, why);
    if (!range) return refuse("invalid data: " + why);
    out.push_back(std::move(*range));
  }
  return out;
}

bool ShardingPeers::put(const RingDevice& device, std::uint32_t partition, const std::string& path,
                        const Headers& fields, const std::string& body) const {
  Call call = direct_call(device, "PUT", partition, "/" + path, fields);
  call.request.headers.set("User-Agent", "container-sharder " + std::to_string(::getpid()));
  call.request.content_length = body.size();
  call.request.body = std::make_unique<StringSource>(body);
  const Outcome outcome = host_.transport().call(std::move(call), deadlines_);
  if (outcome.response && outcome.response->is_success()) return true;
  log_.warning("Failed to put shard ranges to " + device.ip + ":" + std::to_string(device.port) +
               "/" + device.device + " " + quote(path) + ": " +
               (outcome.response ? std::to_string(outcome.response->status)
                                 : std::string(outcome.error->what())));
  return false;
}

bool ShardingPeers::send(const std::string& path, const std::vector<ShardRange>& ranges,
                         const Headers& fields) const {
  Json::Array dicts;
  for (ShardRange range : ranges) {
    range.reported = false;
    dicts.push_back(range.to_json());
  }
  const std::string body = Json(std::move(dicts)).dump();
  Headers all = fields;
  all.set("X-Backend-Record-Type", "shard");
  all.set("X-Timestamp", host_.clock().timestamp().normal());
  all.set("Content-Type", "application/json");
  const auto ring = host_.rings().container();
  const std::size_t slash = path.find('/');
  const std::uint32_t partition = ring->partition_of(
      host_.swift_conf().hash_path(path.substr(0, slash), path.substr(slash + 1)));
  std::int64_t taken = 0;
  for (const RingNode& node : ring->primaries(partition)) {
    if (put(*node.device, partition, path, all, body)) ++taken;
  }
  return taken >= quorum_of(ring->replica_count());
}

}  // namespace apus
