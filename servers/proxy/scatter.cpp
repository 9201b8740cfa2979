#include "servers/proxy/scatter.h"

#include "servers/proxy/backend_request.h"

namespace apus {
namespace {

class Scatter {
 public:
  Scatter(const Services& services, const Request& client, const ScatterPlan& plan, NodeIter& nodes,
          const Dress& dress)
      : services_(services), client_(client), plan_(plan), nodes_(nodes), dress_(dress) {}

  Response run() {
    if (plan_.count == 1 || !plan_.body.empty()) {
      for (std::size_t i = 0; i < plan_.count; ++i) one_by_one(i);
    } else {
      all_at_once();
    }
    while (answers_.size() < plan_.count) answers_.emplace_back(503);
    return best_response(services_, client_, std::move(answers_),
                         std::string(plan_.type) + " " + client_.method, plan_.override);
  }

 private:
  struct Sent {
    RingNode node;
    std::size_t index = 0;
    Clock::Steady start;
  };

  Call call_of(const RingDevice& device, std::size_t index) const {
    Request request = backend_request(services_, client_, plan_.method, plan_.place, device);
    dress_(request, index);
    if (!plan_.body.empty()) {
      request.content_length = plan_.body.size();
      request.body = std::make_unique<StringSource>(plan_.body);
    }
    Endpoint endpoint = endpoint_of(request, device);
    return {std::move(endpoint), std::move(request)};
  }

  // Until a node answers.
  void one_by_one(std::size_t index) {
    while (const auto node = nodes_.next()) {
      const auto start = services_.host.clock().steady();
      Outcome outcome =
          services_.host.transport().call(call_of(*node->device, index), services_.conf.deadlines);
      if (judge({*node, index, start}, std::move(outcome))) return;
    }
  }

  void all_at_once() {
    const auto volley = services_.host.transport().volley(services_.conf.deadlines);
    for (std::size_t i = 0; i < plan_.count; ++i) send(*volley, i);
    std::optional<Clock::Steady> limit;
    while (volley->under_way() > 0) {
      std::optional<std::chrono::milliseconds> longest;
      if (limit) {
        const auto left = *limit - services_.host.clock().steady();
        longest = std::max(std::chrono::ceil<std::chrono::milliseconds>(left),
                           std::chrono::milliseconds(0));
      }
      auto done = volley->wait(longest);
      if (!done) break;
      const Sent sent = sent_[done->number];
      if (!judge(sent, std::move(done->outcome))) {
        send(*volley, sent.index);
        continue;
      }
      if (!limit && have_quorum(statuses_, plan_.count))
        limit = services_.host.clock().steady() + services_.conf.post_quorum_timeout;
    }
  }

  void send(Volley& volley, std::size_t index) {
    const auto node = nodes_.next();
    if (!node) return;
    sent_.push_back({*node, index, services_.host.clock().steady()});
    volley.add(call_of(*node->device, index));
  }

  // False when another node must be asked.
  bool judge(const Sent& sent, Outcome outcome) {
    const RingDevice& device = *sent.node.device;
    const std::string& id = client_.context.trans_id;
    settle(outcome);
    if (!outcome.response) {
      services_.limiter().exception(device, plan_.type,
                                    "Trying to " + plan_.method + " " + plan_.place.name,
                                    outcome.error->what(), id);
      return false;
    }
    services_.timings().set(device, services_.host.clock().steady() - sent.start);
    const int status = outcome.response->status;
    if (status >= 500) {
      services_.limiter().failed(device, status,
                                 "Trying to " + plan_.method + " " + plan_.place.name + " From " +
                                     std::string(plan_.type) + " Server",
                                 id);
      return false;
    }
    statuses_.push_back(status);
    answers_.push_back(std::move(*outcome.response));
    return true;
  }

  const Services& services_;
  const Request& client_;
  const ScatterPlan& plan_;
  NodeIter& nodes_;
  const Dress& dress_;
  std::vector<Sent> sent_;  // by the volley's numbers
  std::vector<int> statuses_;
  Answers answers_;
};

}  // namespace

Response scatter(const Services& services, const Request& client, const ScatterPlan& plan,
                 NodeIter& nodes, const Dress& dress) {
  return Scatter(services, client, plan, nodes, dress).run();
}

}  // namespace apus
