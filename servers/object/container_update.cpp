#include "servers/object/container_update.h"

#include <unistd.h>

#include "framework/backend/backend.h"
#include "framework/backend/redirect.h"
#include "framework/store/object/async_pending.h"

namespace apus {
namespace {

// Pieces between commas, trimmed; empty ones are pieces too.
std::vector<std::string> pieces_of(std::string_view list) {
  std::vector<std::string> out;
  while (true) {
    const std::size_t comma = std::min(list.find(','), list.size());
    out.emplace_back(trim(list.substr(0, comma)));
    if (comma == list.size()) return out;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

std::optional<std::vector<ContainerUpdates::Destination>> destinations(std::string_view partition,
                                                                       std::string_view hosts,
                                                                       std::string_view devices) {
  std::vector<std::string> ips = pieces_of(hosts);
  std::vector<std::string> names = pieces_of(devices);
  if (ips.size() != names.size()) return std::nullopt;
  std::vector<ContainerUpdates::Destination> out;
  for (std::size_t i = 0; i < ips.size() && !partition.empty(); ++i) {
    out.push_back({std::string(partition), std::move(ips[i]), std::move(names[i])});
  }
  return out;
}

ContainerUpdates::ContainerUpdates(Host& host, const ObjectStore& store, Logger& log,
                                   Deadlines deadlines)
    : host_(host),
      store_(store),
      log_(log),
      deadlines_(deadlines),
      user_agent_("object-server " + std::to_string(::getpid())) {}

void ContainerUpdates::add_origin(const Request& request, Headers& to) {
  const std::string& id = request.context.trans_id;
  to.set("X-Trans-Id", std::string(request.headers.get("X-Trans-Id", id.empty() ? "-" : id)));
  std::string referer = request.method;
  referer.append(" ").append(request.context.scheme).append("://");
  referer.append(request.headers.get("Host", request.context.local_address));
  to.set("Referer", referer.append(quote(request.path)));
}

void ContainerUpdates::send(const Request& request, const PartitionPlace& place, Update update,
                            const std::vector<Destination>& to) const {
  if (to.empty()) return;
  update.headers.set("User-Agent", user_agent_);
  bool all_taken = true;
  std::vector<Call> calls;
  std::vector<const Destination*> asked;
  for (const Destination& one : to) {
    const auto endpoint = parse_endpoint(one.host);
    if (!endpoint || one.device.empty() || one.partition.empty()) {
      all_taken = false;
      continue;
    }
    std::string path = "/" + one.device + "/" + one.partition + "/";
    path += update.container_path.empty() ? update.account + "/" + update.container
                                          : update.container_path;
    Call call{*endpoint, Request(update.method, path + "/" + update.object)};
    for (const auto& [name, value] : update.headers) {
      (is_internal_name(name) ? call.request.internal : call.request.headers).set(name, value);
    }
    call.request.context.trans_id = request.context.trans_id;
    calls.push_back(std::move(call));
    asked.push_back(&one);
  }
  std::vector<Outcome> outcomes;
  if (calls.size() == 1) {
    outcomes.push_back(host_.transport().call(std::move(calls.front()), deadlines_));
  } else if (!calls.empty()) {
    outcomes = host_.transport().gather(
        std::move(calls), deadlines_, [](const auto&) { return false; },
        std::chrono::milliseconds(0));
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    all_taken = taken(request, outcomes[i], *asked[i], update) && all_taken;
  }
  if (!all_taken) queue(request, place, update);
}

// A container that is sharded sends elsewhere: the queued update then goes there.
bool ContainerUpdates::taken(const Request& request, const Outcome& outcome, const Destination& by,
                             Update& update) const {
  if (outcome.response && outcome.response->is_success()) return true;
  if (outcome.response && outcome.response->status == 301) {
    if (auto shard = redirect_of(*outcome.response)) {
      update.container_path = std::move(shard->path);
      return false;
    }
  }
  const std::string why = outcome.response ? std::to_string(outcome.response->status) + " response"
                                           : std::string(outcome.error->what());
  log_.error("ERROR Container update failed (saving for async update later): " + why + " from " +
                 by.host + "/" + by.device,
             request.context.trans_id);
  return false;
}

void ContainerUpdates::queue(const Request& request, const PartitionPlace& place,
                             const Update& update) const {
  AsyncPending pending;
  pending.operation = update.method;
  pending.account = update.account;
  pending.container = update.container;
  pending.object = update.object;
  pending.headers = update.headers;
  pending.container_path = update.container_path;
  const std::string hash =
      host_.swift_conf().hash_path(update.account, update.container, update.object);
  const int error = store_.queue_update(
      place, hash, pending.timestamp().value_or(host_.clock().timestamp()), pending.encode());
  if (error != 0) {
    log_.error("ERROR async pending not written: errno " + std::to_string(error),
               request.context.trans_id);
  }
}

}  // namespace apus
