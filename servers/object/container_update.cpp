#include "servers/object/container_update.h"

#include <unistd.h>

#include "framework/backend/backend.h"
#include "framework/pickle/pickle.h"

namespace apus {
ContainerUpdates::ContainerUpdates(Host& host, const ObjectStore& store, Logger& log,
                                   Deadlines deadlines)
    : host_(host),
      store_(store),
      log_(log),
      deadlines_(deadlines),
      user_agent_("object-server " + std::to_string(::getpid())) {}

void ContainerUpdates::send(const Request& request, const ObjectPlace& place, const Update& update,
                            const Destination& to) const {
  const std::vector<std::string> hosts = split_list(to.hosts);
  const std::vector<std::string> devices = split_list(to.devices);
  if (hosts.empty() || to.partition.empty()) return;
  if (hosts.size() != devices.size()) {
    log_.error("ERROR Container update failed: different numbers of hosts and devices in request",
               request.context.trans_id);
    return;
  }
  std::vector<Call> calls;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const auto endpoint = parse_endpoint(hosts[i]);
    if (!endpoint) continue;
    std::string path = "/" + devices[i];
    path.append("/").append(to.partition).append("/").append(update.account).append("/");
    path.append(update.container).append("/").append(update.object);
    Call call{*endpoint, Request(update.method, std::move(path))};
    for (const auto& [name, value] : update.headers) {
      (is_internal_name(name) ? call.request.internal : call.request.headers).set(name, value);
    }
    call.request.headers.set("User-Agent", user_agent_);
    call.request.context.trans_id = request.context.trans_id;
    calls.push_back(std::move(call));
  }
  bool all_taken = calls.size() == hosts.size();
  std::vector<Outcome> outcomes;
  if (calls.size() == 1) {
    outcomes.push_back(host_.transport().call(std::move(calls.front()), deadlines_));
  } else {
    outcomes = host_.transport().gather(
        std::move(calls), deadlines_, [](const auto&) { return false; },
        std::chrono::milliseconds(0));
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].response && outcomes[i].response->is_success()) continue;
    all_taken = false;
    const std::string why = outcomes[i].response
                                ? "status " + std::to_string(outcomes[i].response->status)
                                : std::string(outcomes[i].error->what());
    log_.error("ERROR Container update failed (saving for async update later): " + why + " from " +
                   hosts[i] + "/" + devices[i],
               request.context.trans_id);
  }
  if (!all_taken) queue(place, update);
}

void ContainerUpdates::queue(const ObjectPlace& place, const Update& update) const {
  pickle::Writer writer;
  writer.begin_dict();
  for (const auto& [key, value] : {std::pair<const char*, const std::string&>{"op", update.method},
                                   {"account", update.account},
                                   {"container", update.container},
                                   {"obj", update.object}}) {
    writer.text(key);
    writer.text(value);
  }
  writer.text("headers");
  writer.begin_dict();
  for (const auto& [name, value] : update.headers) {
    writer.text(name);
    writer.text(pickle::latin1_to_utf8(value));
  }
  writer.end_dict();
  writer.end_dict();
  const std::string hash =
      host_.swift_conf().hash_path(update.account, update.container, update.object);
  const std::string_view when =
      update.headers.get("X-Meta-Timestamp", update.headers.get("X-Timestamp"));
  const int error = store_.queue_update(place.device, place.directory, hash,
                                        Timestamp::parse(when).value_or(host_.clock().timestamp()),
                                        writer.finish());
  if (error != 0) log_.error("ERROR async pending not written: errno " + std::to_string(error));
}

}  // namespace apus
