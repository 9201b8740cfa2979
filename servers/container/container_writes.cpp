// PUT, POST and DELETE of containers.
#include <apus/json.h>

#include "servers/container/container_app.h"

namespace apus {
namespace {

constexpr std::size_t kMaxShardRanges = 64U << 20U;  ///< bytes of a PUT of shard ranges

Response done(bool created, std::int64_t policy) {
  Response out = error_response(created ? 201 : 202);
  out.internal.set("X-Backend-Storage-Policy-Index", std::to_string(policy));
  return out;
}

std::int64_t policy_of(ContainerBroker& broker) {
  const auto stat = broker.info();
  return stat ? stat->policy : 0;
}

}  // namespace

std::string ContainerApp::keep_metadata(const Request& request, ContainerBroker& broker,
                                        const Timestamp& timestamp) const {
  const Headers fields = kept_fields(request, "Container", kept_);
  if (fields.empty()) return "";
  if (const std::string* target = fields.find("X-Container-Sync-To")) {
    const DatabaseMetadata stored = broker.metadata();
    const auto old = stored.find("X-Container-Sync-To");
    if (old == stored.end() || old->second.first != *target) broker.set_sync_points(-1, -1);
  }
  std::string wrong = broker.update_metadata(fields, timestamp);
  if (wrong.empty()) sync_targets_.update_store(broker);
  return wrong;
}

std::optional<bool> ContainerApp::update_or_create(ContainerBroker& broker,
                                                   const Timestamp& timestamp,
                                                   std::int64_t fresh_policy,
                                                   std::optional<int> asked_policy,
                                                   Response& refusal) const {
  if (!broker.exists() && broker.create(timestamp, fresh_policy)) return true;
  const bool revived = broker.gone();
  if (revived) {
    broker.set_policy(fresh_policy, timestamp);
  } else if (asked_policy) {
    const std::int64_t stored = policy_of(broker);
    if (stored != *asked_policy) {
      refusal = error_response(409);
      refusal.internal.set("X-Backend-Storage-Policy-Index", std::to_string(stored));
      return std::nullopt;
    }
  }
  broker.touch(timestamp);
  if (broker.gone()) {
    refusal = error_response(409);
    return std::nullopt;
  }
  if (revived) broker.set_status_changed_at(timestamp);
  return revived;
}

Response ContainerApp::put(const Request& request, const BackendPath& path, ContainerBroker& broker,
                           const Timestamp& timestamp) const {
  Response refusal;
  const auto asked = named_policy(request, refusal);
  if (!asked) return refusal;
  const auto fallback = parse_int(fact(request, "X-Backend-Storage-Policy-Default"));
  const std::int64_t fresh =
      *asked ? **asked : fallback.value_or(server_.host.swift_conf().default_policy().index);
  const auto created = update_or_create(broker, timestamp, fresh, *asked, refusal);
  if (!created) return refusal;
  const std::string wrong = keep_metadata(request, broker, timestamp);
  if (!wrong.empty()) return bad_request(request, wrong, kHtmlPage);
  if (auto answer = account_update_.send(request, path, broker)) return std::move(*answer);
  return done(*created, policy_of(broker));
}

Response ContainerApp::put_shards(Request& request, const BackendPath& path,
                                  ContainerBroker& broker, const Timestamp& timestamp) const {
  Response refusal;
  const auto asked = named_policy(request, refusal);
  if (!asked) return refusal;
  const auto body = Json::parse(read_all(request.body.get(), kMaxShardRanges), kMaxShardRanges);
  if (!body || body->array() == nullptr)
    return bad_request(request, "Invalid body: not a JSON list", kHtmlPage);
  std::vector<ShardRange> ranges;
  for (const Json& dict : *body->array()) {
    std::string why;
    auto range = ShardRange::from_json(dict, why);
    if (!range) return bad_request(request, "Invalid body: " + why, kHtmlPage);
    ranges.push_back(std::move(*range));
  }
  const auto created = autocreate(request, path, broker, timestamp, *asked, refusal);
  if (!created) return refusal;
  const std::string wrong = keep_metadata(request, broker, timestamp);
  if (!wrong.empty()) return bad_request(request, wrong, kHtmlPage);
  broker.merge_shard_ranges(std::move(ranges));
  return done(*created, policy_of(broker));
}

Response ContainerApp::post(const Request& request, ContainerBroker& broker,
                            const Timestamp& timestamp) const {
  if (broker.gone()) return error_response(404);
  broker.touch(timestamp);
  const std::string wrong = keep_metadata(request, broker, timestamp);
  if (!wrong.empty()) return bad_request(request, wrong, kHtmlPage);
  return error_response(204);
}

Response ContainerApp::remove(const Request& request, const BackendPath& path,
                              ContainerBroker& broker, const Timestamp& timestamp) const {
  Response refusal;
  if (!named_policy(request, refusal)) return refusal;
  if (!broker.exists()) return error_response(404);
  if (!broker.empty()) return error_response(409);
  const auto stat = broker.info();
  const bool existed = stat &&
                       !Timestamp::parse(stat->put_timestamp).value_or(Timestamp()).is_zero() &&
                       !stat->deleted();
  broker.mark_deleted(timestamp);
  if (!broker.gone()) return error_response(409);
  sync_targets_.update_store(broker);
  if (auto answer = account_update_.send(request, path, broker)) return std::move(*answer);
  return error_response(existed ? 204 : 404);
}

}  // namespace apus
