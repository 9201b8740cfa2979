#include "servers/proxy/shard_listing.h"

#include <apus/cache.h>
#include <apus/json.h>

#include "servers/proxy/backend_request.h"
#include "servers/proxy/container_controller.h"
#include "servers/proxy/shard_ranges.h"

namespace apus {
namespace {

std::optional<Json> rows_of(Response& answer) {
  try {
    auto out = Json::parse(read_all(answer.body.get(), kMaxShardBody), kMaxShardBody);
    if (!out || out->array() == nullptr) return std::nullopt;
    return out;
  } catch (const BodyError&) {
    return std::nullopt;
  }
}

void set_body(Response& answer, const Json::Array& rows) {
  std::string text = Json(rows).dump();
  answer.content_length = text.size();
  answer.body = std::make_unique<StringSource>(std::move(text));
}

std::string name_of(const Json& row) {
  for (const char* key : {"name", "subdir"}) {
    const Json* value = row.find(key);
    if (value != nullptr && value->text() != nullptr) return *value->text();
  }
  return "";
}

// The bound past all names with the prefix, byte by byte; empty when there is none.
std::string just_past(std::string prefix) {
  if (prefix.empty() || static_cast<unsigned char>(prefix.back()) == 0xff) return "";
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

class Listing {
 public:
  Listing(const Exchange& exchange, Response root, ShardHistory& history)
      : x_(exchange),
        root_(std::move(root)),
        history_(history),
        query_(exchange.request.query),
        reverse_(is_true(query_.get("reverse"))),
        marker_(query_.get("marker")),
        end_marker_(query_.get("end_marker")),
        prefix_(query_.get("prefix")),
        most_(limit_of(exchange)),
        left_(most_) {
    query_.erase("states");
  }

  Response run(const std::vector<ShardBounds>& ranges) {
    const std::string* own = x_.request.internal.find(kPolicyIndex);
    policy_ = own != nullptr ? *own : std::string(root_.internal.get(kPolicyIndex));
    history_.emplace(x_.path.account, x_.path.container);
    for (const ShardBounds& range : ranges) {
      if (outside(range)) continue;
      if (auto failed = take(range)) return std::move(*failed);
      if (left_ <= 0 || past_end()) break;
    }
    set_body(root_, objects_);
    show_sums();
    return std::move(root_);
  }

 private:
  static std::int64_t limit_of(const Exchange& exchange) {
    const std::int64_t most = exchange.services.limits().container_listing_limit;
    return parse_digits(exchange.request.query.get("limit")).value_or(most);
  }

  [[nodiscard]] bool outside(const ShardBounds& range) const {
    if (prefix_.empty()) return false;
    const std::string past = just_past(prefix_);
    return range.ends_before(prefix_) || (!past.empty() && range.begins_past(past));
  }

  [[nodiscard]] bool past_end() const {
    if (end_marker_.empty() || objects_.empty()) return false;
    const std::string last = name_of(objects_.back());
    return reverse_ ? end_marker_ >= last : end_marker_ <= last;
  }

  // Names at or before what is listed, and those beyond the range, are not asked for.
  [[nodiscard]] Query query_for(const ShardBounds& range) const {
    Query out = query_;
    out.set("limit", std::to_string(left_));
    out.set("marker", objects_.empty() ? marker_ : name_of(objects_.back()));
    if (!end_marker_.empty() && range.holds(end_marker_)) {
      out.set("end_marker", end_marker_);
    } else {
      out.set("end_marker", reverse_ ? range.lower : range.end_marker());
    }
    return out;
  }

  Response ask(const ShardBounds& range) {
    Headers internal = x_.request.internal;
    internal.erase("X-Backend-Record-Type");
    internal.set(kPolicyIndex, policy_);
    if (history_.contains({range.account, range.container}))
      internal.set("X-Backend-Record-Type", "object");
    Request sub = make_subrequest(x_.request, "GET", "/v1/" + range.account + "/" + range.container,
                                  "SH", true);
    sub.query = query_for(range);
    sub.internal = std::move(internal);
    if (is_true(x_.request.headers.get("X-Newest"))) sub.headers.set("X-Newest", "true");
    const auto path = split_request_path(sub.path);
    const Exchange there{x_.services, x_.proxy, sub, *path};
    return ContainerController(there, &history_).handle();
  }

  std::optional<Response> take(const ShardBounds& range) {
    Response answer = ask(range);
    statuses_ += (statuses_.empty() ? "" : ", ") + std::to_string(answer.status);
    auto rows = answer.is_success() ? rows_of(answer) : std::nullopt;
    if (!rows) {
      x_.services.log.error("Aborting listing from shards due to bad response: [" + statuses_ + "]",
                            x_.request.context.trans_id);
      return error_response(503);
    }
    const std::string_view policy = answer.internal.get("X-Backend-Record-Storage-Policy-Index",
                                                        answer.internal.get(kPolicyIndex));
    if (policy != policy_) {
      x_.services.log.error("Aborting listing from shards due to bad shard policy index: " +
                                std::string(policy) + " (expected " + policy_ + ")",
                            x_.request.context.trans_id);
      return error_response(503);
    }
    for (const Json& row : *rows->array()) objects_.push_back(row);
    left_ -= static_cast<std::int64_t>(rows->array()->size());
    return std::nullopt;
  }

  // A whole listing knows better than the root what is in it.
  void show_sums() {
    for (const char* name : {"marker", "end_marker", "path", "prefix", "delimiter"}) {
      if (!query_.get(name).empty()) return;
    }
    if (static_cast<std::int64_t>(objects_.size()) >= most_) return;
    std::int64_t bytes = 0;
    for (const Json& row : objects_) {
      const Json* size = row.find("bytes");
      if (size != nullptr && size->integer() != nullptr) bytes += *size->integer();
    }
    root_.headers.set("X-Container-Object-Count", std::to_string(objects_.size()));
    root_.headers.set("X-Container-Bytes-Used", std::to_string(bytes));
  }

  const Exchange& x_;
  Response root_;
  ShardHistory& history_;
  Query query_;
  bool reverse_;
  std::string marker_;
  std::string end_marker_;
  std::string prefix_;
  std::int64_t most_;
  std::int64_t left_;
  std::string policy_;
  std::string statuses_;
  Json::Array objects_;
};

void set_all(Headers& to, std::string_view prefix, const InfoFields& fields) {
  for (const auto& [name, value] : fields) to.set(std::string(prefix) + name, value);
}

}  // namespace

Response list_from_shards(const Exchange& exchange, Response root, ShardHistory& history) {
  const auto rows = rows_of(root);
  const auto ranges = rows ? parse_shard_ranges(*rows) : std::nullopt;
  if (!ranges) {
    exchange.services.log.error("Problem with listing response from " + exchange.request.path,
                                exchange.request.context.trans_id);
    return error_response(503);
  }
  if (ranges->empty()) {
    set_body(root, {});
    return root;
  }
  return Listing(exchange, std::move(root), history).run(*ranges);
}

std::optional<Response> cached_listing_shards(const Exchange& exchange, const ContainerInfo& info) {
  if (!info.is_success() || info.sharding_state != "sharded") return std::nullopt;
  const auto created = Timestamp::parse(info.created_at);
  const auto put = Timestamp::parse(info.put_timestamp);
  if (!created || !put || info.delete_timestamp.empty() || info.status_changed_at.empty())
    return std::nullopt;
  const Services& services = exchange.services;
  const double share = services.conf.listing_shards_skip_cache;
  if (share > 0 && static_cast<double>(services.host.entropy().below(1000000)) < share * 1e6) {
    services.host.metrics().increment("container.shard_listing.cache.skip");
    return std::nullopt;
  }
  const auto text = exchange.request.context.cache->get(shard_cache_key("listing", exchange.path));
  const auto rows = text ? Json::parse(*text, kMaxShardBody) : std::nullopt;
  const bool hit = rows && parse_shard_ranges(*rows);
  services.host.metrics().increment(hit ? "container.shard_listing.cache.hit"
                                        : "container.shard_listing.cache.miss");
  if (!hit) return std::nullopt;
  Response out(200);
  Headers& shown = out.headers;
  shown.set("Content-Type", "application/json");
  shown.set("X-Container-Object-Count", std::to_string(info.object_count));
  shown.set("X-Container-Bytes-Used", std::to_string(info.bytes));
  shown.set("X-Timestamp", created->normal());
  shown.set("Last-Modified", http_date(put->ceil_seconds()));
  shown.set("Accept-Ranges", "bytes");
  for (const auto& [name, value] :
       {std::pair<const char*, const std::string&>{"X-Container-Read", info.read_acl},
        {"X-Container-Write", info.write_acl},
        {"X-Container-Sync-Key", info.sync_key},
        {"X-Container-Sync-To", info.sync_to},
        {"X-Versions-Location", info.versions}}) {
    if (!value.empty()) shown.set(name, value);
  }
  set_all(shown, "X-Container-Meta-", info.meta);
  set_all(out.internal, "X-Container-Sysmeta-", info.sysmeta);
  out.internal.set("X-Backend-Timestamp", info.created_at);
  out.internal.set("X-Backend-Put-Timestamp", info.put_timestamp);
  out.internal.set("X-Backend-Delete-Timestamp", info.delete_timestamp);
  out.internal.set("X-Backend-Status-Changed-At", info.status_changed_at);
  out.internal.set(kPolicyIndex, std::to_string(info.storage_policy));
  out.internal.set("X-Backend-Sharding-State", info.sharding_state);
  out.internal.set("X-Backend-Record-Type", "shard");
  out.internal.set("X-Backend-Cached-Results", "true");
  set_body(out, filter_shard_rows(*rows->array(), exchange.request.query));
  return out;
}

void remember_listing_shards(const Exchange& exchange, Response& answer) {
  const bool complete = is_true(answer.internal.get("X-Backend-Override-Shard-Name-Filter"));
  answer.internal.erase("X-Backend-Override-Shard-Name-Filter");
  if (!answer.is_success() || !complete ||
      lower(answer.internal.get("X-Backend-Record-Type")) != "shard" ||
      lower(answer.internal.get("X-Backend-Sharding-State")) != "sharded") {
    return;
  }
  const auto rows = rows_of(answer);
  if (!rows || !parse_shard_ranges(*rows)) {
    exchange.services.log.error(
        "Failed to get shard ranges from " + exchange.request.path + ": invalid data",
        exchange.request.context.trans_id);
    set_body(answer, {});
    return;
  }
  if (!rows->array()->empty()) {
    exchange.request.context.cache->set(shard_cache_key("listing", exchange.path), rows->dump(),
                                        exchange.services.conf.recheck_listing_shards);
  }
  set_body(answer, filter_shard_rows(*rows->array(), exchange.request.query));
}

}  // namespace apus
