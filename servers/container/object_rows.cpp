// Rows of objects, as object servers and proxies report them.
#include <apus/json.h>

#include "servers/container/container_app.h"

namespace apus {
namespace {

constexpr std::size_t kMaxUpdate = 64U << 20U;  ///< bytes of an UPDATE

// What stands in the row of an object that was put; nothing sets `wrong`.
std::optional<ObjectRow> row_of_put(const Request& request, std::string& wrong) {
  for (const char* name : {"X-Size", "X-Content-Type", "X-Etag"}) {
    if (request.headers.has(name)) continue;
    wrong = "Missing " + std::string(name);
    return std::nullopt;
  }
  ObjectRow row;
  const auto size = parse_int(request.headers.get("X-Size"));
  if (!size) wrong = "Invalid X-Size";
  row.size = size.value_or(0);
  row.content_type = request.headers.get("X-Content-Type");
  row.etag = request.headers.get("X-Etag");
  row.content_type_timestamp = request.headers.get("X-Content-Type-Timestamp");
  row.meta_timestamp = request.headers.get("X-Meta-Timestamp");
  for (const std::string& when : {row.content_type_timestamp, row.meta_timestamp}) {
    if (!when.empty() && !Timestamp::parse(when)) wrong = "Invalid timestamp '" + when + "'";
  }
  return wrong.empty() ? std::optional(std::move(row)) : std::nullopt;
}

}  // namespace

std::optional<bool> ContainerApp::autocreate(const Request& request, const BackendPath& path,
                                             ContainerBroker& broker, const Timestamp& timestamp,
                                             std::optional<int> policy, Response& refusal) const {
  if (broker.exists()) return false;
  const std::string& prefix = server_.host.swift_conf().constraints.auto_create_account_prefix;
  const std::string_view asked = fact(request, "X-Backend-Auto-Create");
  // Shards are made by the sharder alone, which says so.
  const bool may = !asked.empty() ? is_true(asked)
                                  : path.account.starts_with(prefix) &&
                                        !path.account.starts_with(prefix + "shards_");
  if (!may) {
    refusal = error_response(404);
    return std::nullopt;
  }
  if (!policy) {
    refusal = bad_request(request, "X-Backend-Storage-Policy-Index header is required");
    return std::nullopt;
  }
  return broker.create(timestamp, *policy);
}

std::optional<Response> ContainerApp::redirect_to_shard(const Request& request,
                                                        const BackendPath& path,
                                                        ContainerBroker& broker) const {
  if (!is_true(fact(request, "X-Backend-Accept-Redirect"))) return std::nullopt;
  ShardQuery query;
  query.includes = path.object;
  query.states = {ShardRange::kCreated, ShardRange::kCleaved, ShardRange::kActive,
                  ShardRange::kSharding};
  const auto found = broker.shard_ranges(query);
  if (found.empty()) return std::nullopt;
  const std::string location = "/" + found.front().name + "/" + std::string(path.object);
  if (location != quote(location) && !is_true(fact(request, "X-Backend-Accept-Quoted-Location")))
    return std::nullopt;  // the sender could not read it; the sharder moves the row later
  Response out = error_response(301);
  out.headers.set("Location", quote(location));
  out.internal.set("X-Backend-Location-Is-Quoted", "true");
  out.internal.set("X-Backend-Redirect-Timestamp", found.front().timestamp);
  return out;
}

Response ContainerApp::object_row(const Request& request, const BackendPath& path,
                                  ContainerBroker& broker, const Timestamp& timestamp) const {
  Response refusal;
  const auto asked = named_policy(request, refusal);
  if (!asked) return refusal;
  const int policy = asked->value_or(0);
  if (!autocreate(request, path, broker, timestamp, policy, refusal)) return refusal;
  if (auto redirect = redirect_to_shard(request, path, broker)) return std::move(*redirect);
  ObjectRow row;
  if (request.method == "DELETE") {
    row.content_type = "application/deleted";
    row.etag = "noetag";
    row.deleted = true;
  } else {
    std::string wrong;
    auto put = row_of_put(request, wrong);
    if (!put) return bad_request(request, wrong);
    row = std::move(*put);
  }
  row.name = path.object;
  row.created_at = timestamp.internal();
  row.policy = policy;
  broker.put_object(row);
  return error_response(request.method == "DELETE" ? 204 : 201);
}

Response ContainerApp::update(Request& request, const BackendPath& path, ContainerBroker& broker,
                              const Timestamp& timestamp) const {
  Response refusal;
  const auto asked = named_policy(request, refusal);
  if (!asked) return refusal;
  if (!autocreate(request, path, broker, timestamp, *asked, refusal)) return refusal;
  try {
    broker.merge_rows(read_all(request.body.get(), kMaxUpdate), "");
  } catch (const BadRow& error) {
    return bad_request(request, error.what());
  }
  return error_response(202);
}

}  // namespace apus
