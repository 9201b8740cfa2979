#include "servers/proxy/uploader.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "servers/proxy/backend_request.h"
#include "servers/proxy/client_body.h"

namespace apus {
namespace {

// What is sent with its head, for the servers to take or to refuse whole.
constexpr std::uint64_t kShort = 65536;

class Uploader {
 public:
  Uploader(const Services& services, Request& client, const Place& place, const PolicyConf& policy,
           std::size_t count, const Dress& dress)
      : services_(services),
        client_(client),
        place_(place),
        nodes_(services, place, policy, "Object", local_first(place, policy)),
        count_(count),
        dress_(dress),
        body_(client, static_cast<std::uint64_t>(services.limits().max_file_size)) {}

  Response run() {
    if (auto refusal = store()) return std::move(*refusal);
    return verdict();
  }

 private:
  std::optional<Response> store() {
    if (count_ == 1) return one_copy();
    return is_short() ? short_copies() : several_copies();
  }

  // With a condition one server's refusal counts for all: they are asked before any gets bytes.
  [[nodiscard]] bool is_short() const {
    const std::uint64_t length = client_.content_length.value_or(0);  // one of none goes chunked
    return length > 0 && length <= kShort && !client_.context.update_footers &&
           !client_.headers.has("If-None-Match");
  }

  [[nodiscard]] const std::string& trans_id() const { return client_.context.trans_id; }

  Call call_of(const RingDevice& device, std::size_t index) const {
    Request request = backend_request(services_, client_, "PUT", place_, device);
    request.content_length = client_.content_length;
    request.chunked = client_.chunked;
    dress_(request, index);
    Endpoint endpoint = endpoint_of(request, device);
    return {std::move(endpoint), std::move(request)};
  }

  // An answer that came instead of "100 Continue". False when another node must be asked.
  bool take_early(const RingNode& node, Outcome outcome) {
    return take_if_well(node, std::move(outcome), true);
  }

  // An answer to a head that had its body with it. False when another node must be asked.
  bool take_whole(const RingNode& node, Outcome outcome) {
    settle(outcome);
    if (!was_left(outcome)) return take_if_well(node, std::move(outcome), false);
    answers_.emplace_back(503);
    return true;
  }

  bool take_if_well(const RingNode& node, Outcome outcome, bool asked) {
    const RingDevice& device = *node.device;
    const char* const step = asked ? "Expect: 100-continue" : "Trying to PUT";
    if (!outcome.response) {
      services_.limiter().exception(device, "Object",
                                    std::string(step) + (asked ? " on " : " ") + quote(place_.name),
                                    outcome.error->what(), trans_id());
      return false;
    }
    const int status = outcome.response->status;
    if (status >= 500) {
      services_.limiter().failed(
          device, status,
          std::string(step) + (asked ? "" : " " + quote(place_.name)) + " From Object Server",
          trans_id());
      return false;
    }
    answers_.push_back(std::move(*outcome.response));
    return true;
  }

  // Who was not waited for any longer did nothing wrong.
  static bool was_left(const Outcome& outcome) {
    return !outcome.response && outcome.error->kind() == TransportError::Kind::kLeft;
  }

  // An answer to the whole body, after "100 Continue".
  void take_late(const RingNode& node, Outcome outcome) {
    const RingDevice& device = *node.device;
    settle(outcome);
    if (!outcome.response) {
      if (!was_left(outcome)) {
        services_.limiter().exception(device, "Object",
                                      "Trying to get final status of PUT to " + client_.path,
                                      outcome.error->what(), trans_id());
      }
      answers_.emplace_back(503);
      return;
    }
    if (outcome.response->status >= 500) {
      services_.limiter().failed(device, outcome.response->status,
                                 "From Object Server re: " + client_.path, trans_id());
    }
    answers_.push_back(std::move(*outcome.response));
  }

  // What answers before the body already decide.
  std::optional<Response> early_verdict(std::size_t connections) {
    const auto any = [&](int status) {
      return std::any_of(answers_.begin(), answers_.end(),
                         [&](const Response& one) { return one.status == status; });
    };
    if (client_.headers.has("If-None-Match") && any(412)) return error_response(412);
    if (any(409)) return error_response(202);
    return too_few(connections, "Object PUT returning 503, ");
  }

  std::optional<Response> too_few(std::size_t connections, const char* text) {
    const std::size_t wanted = quorum_size(count_);
    if (connections >= wanted) return std::nullopt;
    services_.log.error(
        text + std::to_string(connections) + "/" + std::to_string(wanted) + " required connections",
        trans_id());
    return error_response(503);
  }

  std::optional<Response> client_failed() {
    const int status = body_.failure().value_or(499);
    if (status == 408) {
      services_.log.warning("ERROR Client read timeout", trans_id());
      services_.host.metrics().increment("object.client_timeouts");
    } else if (status == 499) {
      services_.log.warning("Client disconnected without sending enough data", trans_id());
      services_.host.metrics().increment("object.client_disconnects");
    }
    return error_response(status);
  }

  // The body goes straight to the one node, without a queue in between.
  std::optional<Response> one_copy() {
    while (const auto node = nodes_.next()) {
      Call call = call_of(*node->device, 0);
      call.request.body = body_.lend();
      call.request.context.update_footers = client_.context.update_footers;
      Outcome outcome = services_.host.transport().call(std::move(call), services_.conf.deadlines);
      if (body_.failure()) return client_failed();
      if (body_.touched()) {
        take_late(*node, std::move(outcome));
        break;
      }
      if (take_early(*node, std::move(outcome))) break;
    }
    return body_.touched() ? std::nullopt : early_verdict(answers_.size());
  }

  // Calls for the copies that no node has taken yet.
  struct Round {
    std::vector<Call> calls;
    std::vector<RingNode> nodes;
    std::vector<std::size_t> indices;
  };

  [[nodiscard]] std::vector<std::size_t> all_copies() const {
    std::vector<std::size_t> out(count_);
    std::iota(out.begin(), out.end(), std::size_t{0});
    return out;
  }

  // The next node for each; fewer when nodes run out.
  Round next_round(const std::vector<std::size_t>& open) {
    Round round;
    for (const std::size_t index : open) {
      const auto node = nodes_.next();
      if (!node) break;
      round.calls.push_back(call_of(*node->device, index));
      round.nodes.push_back(*node);
      round.indices.push_back(index);
    }
    return round;
  }

  // Opens one copy for each index, with node after node.
  void open_copies(Upload& upload, const std::function<void(Headers&)>& footers) {
    auto open = all_copies();
    while (!open.empty()) {
      Round round = next_round(open);
      if (round.calls.empty()) return;
      for (Call& call : round.calls) call.request.context.update_footers = footers;
      open.clear();
      auto outcomes = upload.open(std::move(round.calls));
      for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (!outcomes[i]) {
          opened_.push_back(round.nodes[i]);
        } else if (!take_early(round.nodes[i], std::move(*outcomes[i]))) {
          open.push_back(round.indices[i]);
        }
      }
    }
  }

  // Each copy is one message there and one back; the bytes stay here for the next node.
  std::optional<Response> short_copies() {
    std::string body(*client_.content_length, '\0');
    if (auto refusal = read_short(body)) return refusal;
    auto open = all_copies();
    bool last = false;  // with a quorum there is one more try, and no long row of silent handoffs
    while (!open.empty() && !last) {
      last = enough({});
      Round round = next_round(open);
      if (round.calls.empty()) break;
      open.clear();
      const auto upload = services_.host.transport().upload(services_.conf.deadlines);
      upload->send_whole(std::move(round.calls), body);
      auto outcomes = finish(*upload);
      for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (!take_whole(round.nodes[i], std::move(outcomes[i]))) open.push_back(round.indices[i]);
      }
    }
    return early_verdict(answers_.size());
  }

  // To the end of the source and not only to the last byte: who watches it decides there.
  std::optional<Response> read_short(std::string& body) {
    const std::size_t length = body.size();
    body.resize(length + 1);
    std::size_t at = 0;
    try {
      while (const std::size_t count = body_.read(std::span(body).subspan(at))) at += count;
    } catch (const BodyError&) {
      return client_failed();
    }
    body.resize(length);
    return std::nullopt;
  }

  std::vector<Outcome> finish(Upload& upload) {
    return upload.finish([&](const auto& so_far) { return enough(so_far); },
                         services_.conf.post_quorum_timeout);
  }

  std::optional<Response> several_copies() {
    // Filters are asked for their footers once; every copy gets the same.
    const auto footers = std::make_shared<Headers>();
    const auto& update = client_.context.update_footers;
    std::function<void(Headers&)> hand_out;
    if (update) {
      hand_out = [footers](Headers& to) {
        for (const auto& [name, value] : *footers) to.set(name, value);
      };
    }
    const auto upload = services_.host.transport().upload(services_.conf.deadlines);
    open_copies(*upload, hand_out);
    if (auto refusal = early_verdict(opened_.size() + answers_.size())) return refusal;
    if (auto refusal = send_body(*upload)) return refusal;
    if (update) update(*footers);
    auto outcomes = finish(*upload);
    for (std::size_t i = 0; i < outcomes.size(); ++i) take_late(opened_[i], std::move(outcomes[i]));
    return std::nullopt;
  }

  std::optional<Response> send_body(Upload& upload) {
    std::string buffer(services_.conf.client_chunk_size, '\0');
    try {
      while (const std::size_t count = body_.read(buffer)) {
        upload.write(std::span<const char>(buffer).first(count));
        if (auto refusal =
                too_few(upload.alive() + answers_.size(), "Object PUT exceptions during send, ")) {
          return refusal;
        }
      }
    } catch (const BodyError&) {
      return client_failed();
    }
    return std::nullopt;
  }

  bool enough(const std::vector<std::optional<Outcome>>& so_far) {
    std::vector<int> statuses;
    for (const Response& answer : answers_) statuses.push_back(answer.status);
    for (const auto& outcome : so_far) {
      if (outcome && outcome->response) statuses.push_back(outcome->response->status);
    }
    return have_quorum(statuses, count_);
  }

  Response verdict() {
    std::set<std::string> etags;
    for (const Response& answer : answers_) {
      if (!answer.is_success()) continue;
      std::string etag(answer.headers.get("Etag"));
      std::erase(etag, '"');
      etags.insert(std::move(etag));
    }
    if (etags.size() > 1) {
      services_.log.error(
          "Object servers returned " + std::to_string(etags.size()) + " mismatched etags",
          trans_id());
      return error_response(500);
    }
    while (answers_.size() < count_) answers_.emplace_back(503);
    Response out = best_response(services_, client_, std::move(answers_), "Object PUT");
    if (!etags.empty() && !etags.begin()->empty()) out.headers.set("Etag", *etags.begin());
    out.headers.set("Last-Modified", http_date(client_.context.timestamp->ceil_seconds()));
    return out;
  }

  const Services& services_;
  Request& client_;
  const Place& place_;
  NodeIter nodes_;
  std::size_t count_;
  const Dress& dress_;
  ClientBody body_;
  std::vector<RingNode> opened_;
  Answers answers_;
};

}  // namespace

Response store_object(const Services& services, Request& client, const Place& place,
                      const PolicyConf& policy, std::size_t count, const Dress& dress) {
  return Uploader(services, client, place, policy, count, dress).run();
}

}  // namespace apus
