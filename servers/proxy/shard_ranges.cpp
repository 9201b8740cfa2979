#include "servers/proxy/shard_ranges.h"

#include <apus/cache.h>

#include <algorithm>

#include "servers/proxy/container_controller.h"

namespace apus {
namespace {

const std::string* text_in(const Json& row, std::string_view name) {
  const Json* value = row.find(name);
  return value != nullptr ? value->text() : nullptr;
}

bool by_chance(const Services& services, double share) {
  return share > 0 && static_cast<double>(services.host.entropy().below(1000000)) < share * 1e6;
}

// The cached rows, or null; what became of the look-up is counted.
std::optional<Json> cached_rows(const Exchange& exchange, const std::string& key) {
  Cache* cache = exchange.request.context.cache;
  if (cache == nullptr) return std::nullopt;
  Metrics& metrics = exchange.services.host.metrics();
  if (by_chance(exchange.services, exchange.services.conf.updating_shards_skip_cache)) {
    metrics.increment("object.shard_updating.cache.skip");
    return std::nullopt;
  }
  const auto text = cache->get(key);
  auto rows = text ? Json::parse(*text) : std::nullopt;
  const bool hit = rows && rows->array() != nullptr && !rows->array()->empty();
  metrics.increment(hit ? "object.shard_updating.cache.hit" : "object.shard_updating.cache.miss");
  return hit ? std::move(rows) : std::nullopt;
}

// The rows a root tells when asked for shards; nothing when it tells none.
std::optional<Json> told_rows(const Exchange& exchange, Query query) {
  query.set("format", "json");
  query.set("states", "updating");
  Headers internal;
  internal.set("X-Backend-Record-Type", "shard");
  Response answer = get_container(exchange, exchange.path.account, exchange.path.container,
                                  std::move(query), internal);
  exchange.services.host.metrics().increment("object.shard_updating.backend." +
                                             std::to_string(answer.status));
  if (!answer.is_success()) return std::nullopt;
  if (lower(answer.internal.get("X-Backend-Record-Type")) != "shard") {
    exchange.services.log.error(
        "Failed to get shard ranges from " + exchange.request.path + ": unexpected record type",
        exchange.request.context.trans_id);
    return std::nullopt;
  }
  try {
    return Json::parse(read_all(answer.body.get(), kMaxShardBody), kMaxShardBody);
  } catch (const BodyError&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<ShardBounds> parse_shard_range(const Json& row) {
  const std::string* name = text_in(row, "name");
  const std::string* lower_bound = text_in(row, "lower");
  const std::string* upper_bound = text_in(row, "upper");
  if (name == nullptr || lower_bound == nullptr || upper_bound == nullptr) return std::nullopt;
  const std::size_t slash = name->find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == name->size()) return std::nullopt;
  return ShardBounds{*lower_bound, *upper_bound, name->substr(0, slash), name->substr(slash + 1)};
}

std::optional<std::vector<ShardBounds>> parse_shard_ranges(const Json& rows) {
  if (rows.array() == nullptr) return std::nullopt;
  std::vector<ShardBounds> out;
  for (const Json& row : *rows.array()) {
    auto range = parse_shard_range(row);
    if (!range) return std::nullopt;
    out.push_back(std::move(*range));
  }
  return out;
}

const ShardBounds* find_shard(const std::vector<ShardBounds>& ranges, std::string_view name) {
  const auto at = std::partition_point(ranges.begin(), ranges.end(),
                                       [&](const auto& range) { return range.ends_before(name); });
  return at != ranges.end() && at->holds(name) ? &*at : nullptr;
}

Json::Array filter_shard_rows(const Json::Array& rows, const Query& query) {
  const std::string includes(query.get("includes"));
  std::string marker(query.get("marker"));
  std::string end_marker(query.get("end_marker"));
  const bool reverse = is_true(query.get("reverse"));
  if (reverse) std::swap(marker, end_marker);
  Json::Array out;
  for (const Json& row : rows) {
    const auto range = parse_shard_range(row);
    if (!range) continue;
    if (!includes.empty()) {
      if (!range->holds(includes)) continue;
      out.push_back(row);
      break;
    }
    const bool starts = end_marker.empty() || range->lower.empty() || end_marker > range->lower;
    const bool ends = marker.empty() || range->upper.empty() || marker < range->upper;
    if (starts && ends) out.push_back(row);
  }
  if (reverse) std::reverse(out.begin(), out.end());
  return out;
}

std::string shard_cache_key(std::string_view state, const RequestPath& path) {
  std::string out = "shard-";
  return out.append(state).append("/").append(path.account).append("/").append(path.container);
}

Response get_container(const Exchange& exchange, std::string_view account,
                       std::string_view container, Query query, const Headers& internal) {
  std::string path = "/v1/";
  path.append(account).append("/").append(container);
  Request sub = make_subrequest(exchange.request, "GET", std::move(path), "SH", true);
  sub.query = std::move(query);
  sub.internal = internal;
  return exchange.proxy(sub);
}

std::optional<ShardBounds> update_shard(const Exchange& exchange, const ContainerInfo& info) {
  if (info.sharding_state != "sharded" && info.sharding_state != "sharding") return std::nullopt;
  const Services& services = exchange.services;
  const bool caches = services.conf.recheck_updating_shards.count() > 0;
  const std::string key = shard_cache_key("updating", exchange.path);
  auto rows = caches ? cached_rows(exchange, key) : std::nullopt;
  const bool known = rows.has_value();
  if (!known) {
    Query query;
    if (!caches) query.set("includes", exchange.path.object);
    rows = told_rows(exchange, std::move(query));
  }
  const auto ranges = rows ? parse_shard_ranges(*rows) : std::nullopt;
  if (!ranges || ranges->empty()) return std::nullopt;
  if (!caches) return ranges->front();
  if (Cache* cache = exchange.request.context.cache; cache != nullptr && !known)
    cache->set(key, rows->dump(), services.conf.recheck_updating_shards);
  const ShardBounds* found = find_shard(*ranges, exchange.path.object);
  if (found == nullptr) return std::nullopt;
  return *found;
}

}  // namespace apus
