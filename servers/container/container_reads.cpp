// GET and HEAD: what a container is, and its objects or shards in any of the listing's forms.
#include <apus/json.h>

#include <algorithm>

#include "servers/container/container_app.h"

namespace apus {

void ContainerApp::show_stat(Response& out, const ContainerStat& stat, bool deleted) const {
  out.internal.set("X-Backend-Timestamp", internal_time(stat.created_at));
  out.internal.set("X-Backend-PUT-Timestamp", internal_time(stat.put_timestamp));
  out.internal.set("X-Backend-DELETE-Timestamp", internal_time(stat.delete_timestamp));
  out.internal.set("X-Backend-Status-Changed-At", internal_time(stat.status_changed_at));
  out.internal.set("X-Backend-Storage-Policy-Index", std::to_string(stat.policy));
  if (deleted) return;
  out.headers.set("X-Container-Object-Count", std::to_string(stat.object_count));
  out.headers.set("X-Container-Bytes-Used", std::to_string(stat.bytes_used));
  out.headers.set("X-Timestamp", normal_time(stat.created_at));
  out.headers.set("X-PUT-Timestamp", normal_time(stat.put_timestamp));
  out.internal.set("X-Backend-Sharding-State", std::string(sharding_state_name(stat.state)));
  const auto put_time = Timestamp::parse(stat.put_timestamp).value_or(Timestamp());
  out.headers.set("Last-Modified", http_date(put_time.ceil_seconds()));
}

void ContainerApp::show_kept_metadata(Response& out, const ContainerStat& stat) const {
  DatabaseMetadata all = parse_metadata_column(stat.metadata);
  std::erase_if(all, [&](const auto& entry) {
    const std::string& name = entry.first;
    return !starts_with_name(name, "X-Container-Meta-") &&
           !starts_with_name(name, "X-Container-Sysmeta-") &&
           std::none_of(kept_.begin(), kept_.end(),
                        [&](std::string_view kept) { return same_name(kept, name); });
  });
  show_metadata(out, all);
}

Response ContainerApp::get(const Request& request, const BackendPath& path,
                           ContainerBroker& broker) const {
  const bool head = request.method == "HEAD";
  Response refusal;
  ListingQuery query;
  if (!head) {
    auto asked = listing_query(
        request, server_.host.swift_conf().constraints.container_listing_limit, refusal);
    if (!asked) return refusal;
    query = std::move(*asked);
  }
  const auto format = listing_format(request, refusal);
  if (!format) return refusal;
  const ContainerStat stat = broker.info().value_or(ContainerStat());
  const bool deleted = stat.deleted() || !broker.exists();
  const std::string type = lower(fact(request, "X-Backend-Record-Type"));
  const bool shards =
      !head && (type == "shard" || (type == "auto" && (stat.state == ShardingState::kSharding ||
                                                       stat.state == ShardingState::kSharded)));
  if (!head && !shards && !named_policy(request, refusal)) return refusal;
  const bool shown = !deleted || (shards && broker.exists() &&
                                  is_true(fact(request, "X-Backend-Override-Deleted")));
  Response out = shown ? Response(head ? 204 : 200) : error_response(404, head);
  show_stat(out, stat, !shown);
  if (!shown) return out;
  if (shards) return list_shards(request, broker, stat, query, *format, std::move(out));
  if (!head) return list_objects(request, path, broker, stat, query, *format, std::move(out));
  show_kept_metadata(out, stat);
  out.headers.set("Content-Type", std::string(listing_content_type(*format)));
  return out;
}

Response ContainerApp::list_objects(const Request& request, const BackendPath& path,
                                    ContainerBroker& broker, const ContainerStat& stat,
                                    const ListingQuery& query, ListingFormat format,
                                    Response out) const {
  Response refusal;  // cannot be: get() looked at the policy
  const auto asked = named_policy(request, refusal);
  const std::int64_t policy = asked && *asked ? **asked : stat.policy;
  out.internal.set("X-Backend-Record-Type", "object");
  out.internal.set("X-Backend-Record-Storage-Policy-Index", std::to_string(policy));
  show_kept_metadata(out, stat);
  ListingWriter writer(ListingKind::kContainer, format, path.container);
  broker.list(query, policy, [&](const ListingEntry& entry) { writer.add(entry); });
  answer_listing(request, out, format, writer.finish());
  return out;
}

Response ContainerApp::list_shards(const Request& request, ContainerBroker& broker,
                                   const ContainerStat& stat, const ListingQuery& query,
                                   ListingFormat format, Response out) const {
  out.internal.set("X-Backend-Record-Type", "shard");
  ShardQuery wanted;
  if (stat.state == ShardingState::kSharded &&
      lower(fact(request, "X-Backend-Override-Shard-Name-Filter")) == "sharded") {
    out.internal.set("X-Backend-Override-Shard-Name-Filter", "true");
  } else {
    wanted.marker = query.marker;
    wanted.end_marker = query.end_marker;
    wanted.includes = request.query.get("includes");
    wanted.reverse = query.reverse;
  }
  const std::vector<std::string> names = split_list(request.query.get("states"));
  const auto states = shard_states(names);
  if (!states) return bad_request(request, "Bad state", kHtmlPage);
  const auto named = [&](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  wanted.states = *states;
  wanted.fill_gaps = named("listing") || named("updating");
  wanted.include_own = named("auditing");
  wanted.include_deleted = is_true(fact(request, "X-Backend-Include-Deleted"));
  show_kept_metadata(out, stat);
  std::string text;
  Json::Array dicts;
  for (const ShardRange& range : broker.shard_ranges(wanted)) {
    text += range.name + "\n";
    Json dict = range.to_json();
    dict.set("last_modified",
             Json(Timestamp::parse(range.timestamp).value_or(Timestamp()).isoformat()));
    dicts.push_back(std::move(dict));
  }
  if (format == ListingFormat::kXml || format == ListingFormat::kTextXml)
    return bad_request(request, "shard ranges have no XML form");
  if (format == ListingFormat::kJson) text = Json(std::move(dicts)).dump();
  answer_listing(request, out, format, std::move(text));
  return out;
}

}  // namespace apus
