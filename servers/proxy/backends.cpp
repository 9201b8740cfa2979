#include "servers/proxy/backends.h"

#include <unistd.h>

#include <algorithm>

namespace apus {
namespace {

constexpr std::chrono::milliseconds kPostQuorum{500};
constexpr std::size_t kChunk = 65536;

Endpoint endpoint_of(const RingDevice& device) { return {device.ip, device.port}; }

bool is_good(const Response& response) {
  return response.status < 400 || response.status == 416 || response.status == 412;
}

int status_of(const Outcome& outcome) { return outcome.response ? outcome.response->status : 503; }

}  // namespace

Backends::Backends(Host& host, Logger& log, Deadlines deadlines)
    : host_(host),
      log_(log),
      deadlines_(deadlines),
      user_agent_("proxy-server " + std::to_string(::getpid())) {}

Place Backends::account(std::string_view account) const {
  Place out{host_.rings().account(), 0, "/" + std::string(account)};
  out.partition = out.ring->partition_of(host_.swift_conf().hash_path(account));
  return out;
}
Place Backends::container(std::string_view account, std::string_view container) const {
  Place out{host_.rings().container(), 0,
            "/" + std::string(account) + "/" + std::string(container)};
  out.partition = out.ring->partition_of(host_.swift_conf().hash_path(account, container));
  return out;
}
Place Backends::object(int policy, std::string_view account, std::string_view container,
                       std::string_view object) const {
  Place out{host_.rings().object(policy), 0,
            "/" + std::string(account) + "/" + std::string(container) + "/" + std::string(object)};
  out.partition = out.ring->partition_of(host_.swift_conf().hash_path(account, container, object));
  return out;
}

Request Backends::request(const Request& client, const std::string& method, const Place& place,
                          const RingDevice& device) const {
  Request out(method, "/" + device.device + "/" + std::to_string(place.partition) + place.name);
  out.context.trans_id = client.context.trans_id;
  if (client.context.timestamp)
    out.headers.append_known_new("X-Timestamp", client.context.timestamp->internal());
  out.headers.append_known_new("X-Trans-Id", client.context.trans_id);
  out.headers.append_known_new("User-Agent", user_agent_);
  return out;
}

void Backends::report(const Request& client, const RingDevice& device,
                      const Outcome& outcome) const {
  if (outcome.response && outcome.response->status < 500) return;
  const std::string why = outcome.response ? "status " + std::to_string(outcome.response->status)
                                           : outcome.error->what();
  log_.error("ERROR with server " + device.ip + ":" + std::to_string(device.port) + "/" +
                 device.device + ": " + why,
             client.context.trans_id);
}

Response Backends::read(const Request& client, const std::string& method, const Place& place,
                        const Dress& dress, const Query& query) const {
  std::vector<RingNode> nodes = place.ring->primaries(place.partition);
  if (nodes.size() > 1)
    std::rotate(nodes.begin(),
                nodes.begin() + static_cast<std::ptrdiff_t>(host_.entropy().below(nodes.size())),
                nodes.end());
  const std::size_t primaries = nodes.size();
  std::unique_ptr<HandoffWalk> walk;
  std::optional<Response> best;
  for (std::size_t i = 0; i < 2 * primaries; ++i) {
    if (i >= nodes.size()) {
      if (walk == nullptr) walk = place.ring->handoffs(place.partition);
      const auto next = walk->next();
      if (!next) break;
      nodes.push_back(*next);
    }
    const RingDevice& device = *nodes[i].device;
    Request one = request(client, method, place, device);
    one.query = query;
    dress(one, i);
    Outcome outcome = host_.transport().call({endpoint_of(device), std::move(one)}, deadlines_);
    report(client, device, outcome);
    if (!outcome.response) continue;
    if (is_good(*outcome.response)) return std::move(*outcome.response);
    // A handoff that has nothing knows nothing; among the primaries a 404 outranks an error.
    if (i >= primaries && outcome.response->status == 404 && best) continue;
    if (!best || (best->status >= 500 && outcome.response->status < 500))
      best = std::move(outcome.response);
  }
  if (!best || best->status >= 500) return error_response(503, method == "HEAD");
  return std::move(*best);
}

Response Backends::judge(const Request& client, std::vector<Outcome> outcomes,
                         std::size_t wanted) const {
  const std::size_t quorum = quorum_size(wanted);
  for (const int kind : {2, 3, 4}) {
    std::size_t count = 0;
    Outcome* chosen = nullptr;
    for (Outcome& outcome : outcomes) {
      if (status_of(outcome) / 100 != kind) continue;
      ++count;
      if (chosen == nullptr || status_of(outcome) > status_of(*chosen)) chosen = &outcome;
    }
    if (count >= quorum && chosen != nullptr) return std::move(*chosen->response);
  }
  std::string statuses;
  for (const Outcome& outcome : outcomes) statuses += " " + std::to_string(status_of(outcome));
  log_.error(client.method + " returning 503 for" + statuses, client.context.trans_id);
  return error_response(503, client.method == "HEAD");
}

Response Backends::write(const Request& client, const std::string& method, const Place& place,
                         const Dress& dress) const {
  const std::vector<RingNode> nodes = place.ring->primaries(place.partition);
  std::vector<Call> calls;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Request one = request(client, method, place, *nodes[i].device);
    dress(one, i);
    calls.push_back({endpoint_of(*nodes[i].device), std::move(one)});
  }
  std::vector<Outcome> outcomes;
  if (calls.size() == 1) {
    outcomes.push_back(host_.transport().call(std::move(calls.front()), deadlines_));
  } else {
    outcomes = host_.transport().gather(
        std::move(calls), deadlines_,
        [&](const auto& so_far) {
          std::size_t good = 0;
          for (const auto& outcome : so_far)
            good += outcome && status_of(*outcome) / 100 == 2 ? 1 : 0;
          return good >= quorum_size(nodes.size());
        },
        kPostQuorum);
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) report(client, *nodes[i].device, outcomes[i]);
  return judge(client, std::move(outcomes), nodes.size());
}

Response Backends::upload(Request& client, const Place& place, const Dress& dress) const {
  const std::vector<RingNode> nodes = place.ring->primaries(place.partition);
  std::vector<Call> calls;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Request one = request(client, "PUT", place, *nodes[i].device);
    one.content_length = client.content_length;
    one.chunked = client.chunked;
    dress(one, i);
    calls.push_back({endpoint_of(*nodes[i].device), std::move(one)});
  }
  if (calls.size() == 1) {
    calls.front().request.body = std::move(client.body);
    calls.front().request.context.update_footers = client.context.update_footers;
    std::vector<Outcome> outcomes;
    outcomes.push_back(host_.transport().call(std::move(calls.front()), deadlines_));
    report(client, *nodes.front().device, outcomes.front());
    return judge(client, std::move(outcomes), 1);
  }
  const auto copies = host_.transport().upload(deadlines_);
  std::vector<Outcome> outcomes;
  for (auto& refused : copies->open(std::move(calls))) {
    if (refused) outcomes.push_back(std::move(*refused));
  }
  std::string buffer(kChunk, '\0');
  std::uint64_t sent = 0;
  while (client.body != nullptr && copies->alive() >= quorum_size(nodes.size())) {
    const std::size_t count = client.body->read(buffer);
    if (count == 0) break;
    sent += count;
    copies->write(std::span(buffer).first(count));
  }
  if (client.content_length && sent != *client.content_length &&
      copies->alive() >= quorum_size(nodes.size())) {
    return error_response(499);
  }
  for (Outcome& outcome : copies->finish([](const auto&) { return false; }, kPostQuorum))
    outcomes.push_back(std::move(outcome));
  return judge(client, std::move(outcomes), nodes.size());
}

}  // namespace apus
