#include "servers/proxy/reader.h"

#include <algorithm>
#include <utility>

#include "servers/proxy/backend_request.h"
#include "servers/proxy/resuming_body.h"

namespace apus {
namespace {

Timestamp stamp_of(const std::string* text) {
  return text != nullptr ? Timestamp::parse(*text).value_or(Timestamp()) : Timestamp();
}

// What a back end says of the age of what it has.
Timestamp age_of(const Response& response) {
  for (const char* name : {"X-Backend-Data-Timestamp", "X-Backend-Timestamp"}) {
    if (const std::string* text = response.internal.find(name)) return stamp_of(text);
  }
  for (const char* name : {"X-Put-Timestamp", "X-Timestamp"}) {
    if (const std::string* text = response.headers.find(name)) return stamp_of(text);
  }
  return {};
}

// A database that was made by a row alone, and not yet told that its container exists.
bool never_put(const Response& response) {
  const std::string* text = response.headers.find("X-Put-Timestamp");
  return text != nullptr && stamp_of(text).is_zero();
}

std::string plain_etag(const Response& response) {
  std::string out(response.headers.get("Etag"));
  std::erase(out, '"');
  return out;
}

// What a client may be kept waiting for until all of it is here.
constexpr std::uint64_t kSmallObject = 65536;
constexpr std::uint64_t kUsualListing = 8U << 20U;

// What is in memory, or a stretch of a file of this machine, cannot break off on its way.
bool cannot_break(Source& body) {
  return dynamic_cast<const StringSource*>(&body) != nullptr || body.file_region().has_value();
}

}  // namespace

Reader::Reader(const Services& services, const Request& client, ReadPlan plan)
    : services_(&services),
      client_(&client),
      plan_(std::move(plan)),
      nodes_(services, plan_.place, plan_.policy, plan_.type),
      is_object_(plan_.type == "Object"),
      newest_(is_true(client.headers.get("X-Newest"))),
      deadlines_(is_object_ && !newest_ ? services.conf.recoverable_deadlines
                                        : services.conf.deadlines),
      suppressed_404s_(std::min(plan_.policy.rebalance_missing_suppression_count,
                                static_cast<std::int64_t>(nodes_.primaries()) - 1)) {}

bool Reader::is_good(const Response& response) const {
  return response.status / 100 == 2 || response.status / 100 == 3 ||
         (is_object_ && response.status == 416);
}

Call Reader::call_of(const RingDevice& device) const {
  Request request = backend_request(*services_, *client_, client_->method, plan_.place, device);
  copy_read_fields(*client_, request);
  if (!range_.empty()) request.headers.set("Range", range_);
  request.query = plan_.query;
  Endpoint endpoint = endpoint_of(request, device);
  return {std::move(endpoint), std::move(request)};
}

// A small whole body is fetched before its node counts as one that has it: where it breaks off, or
// is not as long as announced, another node is asked and the client sees nothing of it.
bool Reader::fetch_small(const RingNode& node, Response& response) {
  const std::uint64_t limit = is_object_ ? kSmallObject : kUsualListing;
  if (newest_ || client_->method != "GET" || response.status != 200 || response.body == nullptr)
    return true;
  const std::uint64_t length = response.content_length.value_or(limit + 1);
  if (length > limit || cannot_break(*response.body)) return true;
  std::string why = "the body is not as long as announced";
  try {
    std::string text = read_all(response.body.get(), limit);
    if (text.size() == length) {
      response.body = std::make_unique<StringSource>(std::move(text));
      return true;
    }
  } catch (const BodyError& error) {
    why = error.what();
  }
  services_->limiter().exception(*node.device, plan_.type, "Trying to read during GET", why,
                                 client_->context.trans_id);
  return false;
}

bool Reader::judge_good(const RingNode& node, Response response) {
  if (never_put(response) || (!used_etag_.empty() && used_etag_ != plain_etag(response))) {
    answers_.emplace_back(404);
    return false;
  }
  const Timestamp age = age_of(response);
  if (age < latest_404_ || !fetch_small(node, response)) return false;
  if (!best_ || age >= age_of(best_->response)) best_ = Found{std::move(response), node};
  return !newest_;
}

void Reader::judge_bad(const RingNode& node, Response response) {
  const int status = response.status;
  const Timestamp age = stamp_of(response.internal.find("X-Backend-Timestamp"));
  // A handoff that has nothing knows nothing, and one that never had it may be new to its place.
  if (node.handoff_index >= 0 && (status >= 500 || status == 404) && age.is_zero()) return;
  if (suppressed_404s_ > 0 && status == 404 && age.is_zero()) {
    --suppressed_404s_;
    return;
  }
  settle_body(response);
  if (is_object_ && status == 404) latest_404_ = std::max(latest_404_, age);
  if (status >= 500) {
    services_->limiter().failed(*node.device, status,
                                " From " + std::string(plan_.type) + " Server",
                                client_->context.trans_id);
  }
  answers_.push_back(std::move(response));
}

bool Reader::judge(const RingNode& node, Outcome outcome) {
  if (!outcome.response) {
    services_->limiter().exception(*node.device, plan_.type,
                                   "Trying to " + client_->method + " " + client_->path,
                                   outcome.error->what(), client_->context.trans_id);
    return false;
  }
  if (is_good(*outcome.response)) return judge_good(node, std::move(*outcome.response));
  judge_bad(node, std::move(*outcome.response));
  return false;
}

void Reader::ask_in_turn() {
  const bool timed = services_->timings().wanted();
  while (const auto node = nodes_.next()) {
    const auto start = timed ? services_->host.clock().steady() : Clock::Steady();
    Outcome outcome = services_->host.transport().call(call_of(*node->device), deadlines_);
    if (timed && outcome.response)
      services_->timings().set(*node->device, services_->host.clock().steady() - start);
    if (judge(*node, std::move(outcome))) return;
  }
}

// While fewer than `concurrency` are under way, each gets concurrency_timeout before the next is
// asked.
void Reader::ask_at_once(std::size_t concurrency) {
  const auto volley = services_->host.transport().volley(deadlines_);
  std::vector<std::pair<RingNode, Clock::Steady>> sent;
  Clock& clock = services_->host.clock();
  const auto wait = [&](std::optional<std::chrono::milliseconds> longest) {
    const auto limit = clock.steady() + longest.value_or(std::chrono::milliseconds(0));
    while (volley->under_way() > 0) {
      auto left = longest;
      if (longest) {
        left = std::max(std::chrono::ceil<std::chrono::milliseconds>(limit - clock.steady()),
                        std::chrono::milliseconds(0));
      }
      auto done = volley->wait(left);
      if (!done) return false;
      const auto& [node, start] = sent[done->number];
      if (done->outcome.response) services_->timings().set(*node.device, clock.steady() - start);
      if (judge(node, std::move(done->outcome))) return true;
    }
    return false;
  };
  while (const auto node = nodes_.next()) {
    sent.emplace_back(*node, clock.steady());
    volley->add(call_of(*node->device));
    std::optional<std::chrono::milliseconds> longest;
    if (volley->under_way() < concurrency) longest = plan_.policy.concurrency_timeout;
    if (wait(longest)) return;
  }
  wait(std::nullopt);
}

std::optional<Reader::Found> Reader::find() {
  answers_.clear();
  best_.reset();
  const std::size_t replicas = nodes_.primaries();
  if (plan_.policy.concurrent_gets && replicas > 1) {
    ask_at_once(replicas);
  } else {
    ask_in_turn();
  }
  // A tombstone may have come after what is older than it.
  if (best_ && age_of(best_->response) < latest_404_) best_.reset();
  if (best_ && is_object_) used_etag_ = plain_etag(best_->response);
  return std::exchange(best_, std::nullopt);
}

std::optional<Reader::Found> Reader::find_rest(const std::string& range) {
  range_ = range;
  return find();
}

void Reader::outlive_client() {
  own_ = std::make_unique<Request>();
  own_->method = client_->method;
  own_->path = client_->path;
  copy_read_fields(*client_, *own_);
  own_->internal = client_->internal;
  own_->context.trans_id = client_->context.trans_id;
  own_->context.timestamp = client_->context.timestamp;
  client_ = own_.get();
}

Response Reader::failure() {
  return best_response(*services_, *client_, std::move(answers_),
                       std::string(plan_.type) + " " + client_->method);
}

Response read_from(const Services& services, const Request& client, ReadPlan plan) {
  Reader reader(services, client, std::move(plan));
  auto found = reader.find();
  if (!found) return reader.failure();
  Response out = std::move(found->response);
  clean_headers(out);
  out.reason.clear();
  out.headers.set("Accept-Ranges", "bytes");
  const bool has_entity = out.status == 200 || out.status == 206;
  if (client.method != "GET" || !has_entity || out.body == nullptr) return out;
  if (!reader.resumable() || cannot_break(*out.body)) return out;
  reader.outlive_client();
  return resuming(std::move(reader), std::move(out), found->node);
}

}  // namespace apus
