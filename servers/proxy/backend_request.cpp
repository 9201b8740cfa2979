#include "servers/proxy/backend_request.h"

#include <algorithm>
#include <array>

namespace apus {
namespace {

constexpr std::array<std::string_view, 7> kReadFields = {
    "Range",    "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since",
    "X-Newest", "Accept"};
constexpr std::array<std::string_view, 5> kContainerFields = {
    "X-Container-Read", "X-Container-Write", "X-Container-Sync-Key", "X-Container-Sync-To",
    "X-Versions-Location"};
constexpr std::array<std::string_view, 5> kRemovals = {
    "X-Remove-Container-Read", "X-Remove-Container-Write", "X-Remove-Container-Sync-Key",
    "X-Remove-Container-Sync-To", "X-Remove-Versions-Location"};
// Of the connection, of the user (secrets among them), or set by the proxy itself.
constexpr std::array<std::string_view, 34> kNotForObjects = {"Host",
                                                             "Connection",
                                                             "Keep-Alive",
                                                             "Content-Length",
                                                             "Transfer-Encoding",
                                                             "Expect",
                                                             "Te",
                                                             "Trailer",
                                                             "Upgrade",
                                                             "Proxy-Authorization",
                                                             "Proxy-Connection",
                                                             "Accept",
                                                             "Accept-Encoding",
                                                             "Accept-Language",
                                                             "User-Agent",
                                                             "Referer",
                                                             "Origin",
                                                             "Cookie",
                                                             "Authorization",
                                                             "X-Auth-Token",
                                                             "X-Storage-Token",
                                                             "X-Service-Token",
                                                             "X-Auth-User",
                                                             "X-Auth-Key",
                                                             "X-Storage-User",
                                                             "X-Storage-Pass",
                                                             "X-Timestamp",
                                                             "X-Trans-Id",
                                                             "X-Trans-Id-Extra",
                                                             "X-Detect-Content-Type",
                                                             "X-Delete-After",
                                                             "X-Copy-From",
                                                             "X-Copy-From-Account",
                                                             "X-Fresh-Metadata"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view one) { return same_name(name, one); });
}

template <std::size_t N>
void copy_fields(const Headers& from, Headers& to, const std::array<std::string_view, N>& names) {
  for (const auto& [name, value] : from) {
    if (is_one_of(name, names)) to.set(name, value);
  }
}

}  // namespace

Request backend_request(const Services& services, const Request& client, const std::string& method,
                        const Place& place, const RingDevice& device) {
  Request out;
  out.method = method;
  const std::string partition = std::to_string(place.partition);
  out.path.reserve(device.device.size() + partition.size() + place.name.size() + 2);
  out.path.append("/").append(device.device).append("/").append(partition).append(place.name);
  out.context.trans_id = client.context.trans_id;
  if (client.context.timestamp)
    out.headers.append_known_new("X-Timestamp", client.context.timestamp->internal());
  out.headers.append_known_new("X-Trans-Id", client.context.trans_id);
  out.headers.append_known_new("User-Agent", services.user_agent);
  for (const auto& [name, value] : client.internal) {
    if (is_internal_name(name)) out.internal.append_known_new(name, value);
  }
  if (client.context.allow_reserved_names)
    out.internal.set("X-Backend-Allow-Reserved-Names", "true");
  return out;
}

Endpoint endpoint_of(const Request& request, const RingDevice& device) {
  if (is_true(request.internal.get("X-Backend-Use-Replication-Network")))
    return {device.replication_ip, device.replication_port};
  return {device.ip, device.port};
}

void copy_read_fields(const Request& client, Request& to) {
  copy_fields(client.headers, to.headers, kReadFields);
}

void copy_metadata(const Request& client, Request& to, std::string_view kind) {
  const std::string meta = "X-" + std::string(kind) + "-Meta-";
  const std::string removal = "X-Remove-" + std::string(kind) + "-Meta-";
  for (const auto& [name, value] : client.headers) {
    if (starts_with_name(name, removal)) to.headers.set(meta + name.substr(removal.size()), "");
  }
  for (const auto& [name, value] : client.headers) {
    if (starts_with_name(name, meta) && name.size() > meta.size()) to.headers.set(name, value);
  }
}

void copy_container_fields(const Request& client, Request& to) {
  constexpr std::string_view kRemove = "X-Remove-";
  for (const auto& [name, value] : client.headers) {
    if (is_one_of(name, kRemovals)) to.headers.set("X-" + name.substr(kRemove.size()), "");
  }
  copy_fields(client.headers, to.headers, kContainerFields);
}

void copy_object_fields(const Request& client, Request& to) {
  for (const auto& [name, value] : client.headers) {
    if (is_internal_name(name) || is_one_of(name, kNotForObjects)) continue;
    to.headers.append_known_new(name, value);
  }
}

}  // namespace apus
