#include "framework/transport/local_transport.h"

#include <deque>
#include <mutex>

#include "framework/transport/local_call.h"
#include "framework/transport/local_upload.h"

namespace apus {
namespace {

// Calls of this process are made when somebody waits, before the waiting for those beyond.
class LocalVolley final : public Volley {
 public:
  LocalVolley(LocalTransport& owner, Transport* beyond, const Deadlines& deadlines)
      : owner_(owner), beyond_(beyond), deadlines_(deadlines) {}

  std::size_t add(Call call) override {
    const std::size_t number = count_++;
    if (beyond_ == nullptr || owner_.find(call.endpoint) != nullptr) {
      here_.emplace_back(number, std::move(call));
    } else {
      if (!volley_) volley_ = beyond_->volley(deadlines_);
      volley_->add(std::move(call));
      numbers_.push_back(number);
    }
    return number;
  }
  [[nodiscard]] std::size_t under_way() const override {
    return here_.size() + (volley_ ? volley_->under_way() : 0);
  }
  std::optional<Done> wait(std::optional<std::chrono::milliseconds> longest) override {
    if (!here_.empty()) {
      auto [number, call] = std::move(here_.front());
      here_.pop_front();
      return Done{number, owner_.call(std::move(call), deadlines_)};
    }
    auto done = volley_ ? volley_->wait(longest) : std::nullopt;
    if (done) done->number = numbers_[done->number];
    return done;
  }

 private:
  LocalTransport& owner_;
  Transport* beyond_;
  Deadlines deadlines_;
  std::size_t count_ = 0;
  std::deque<std::pair<std::size_t, Call>> here_;
  std::unique_ptr<Volley> volley_;
  std::vector<std::size_t> numbers_;  // of the calls beyond, by their number there
};

}  // namespace

LocalTransport::LocalTransport(Transport* beyond)
    : beyond_(beyond), running_(std::make_shared<local::Running>()) {}
LocalTransport::~LocalTransport() { settle(); }

void LocalTransport::settle() { running_->wait_for_none(); }

void LocalTransport::add(const Endpoint& endpoint, const App& app) {
  const std::unique_lock lock(mutex_);
  apps_[{endpoint.ip, endpoint.port}] = &app;
}

const App* LocalTransport::find(const Endpoint& endpoint) const {
  const std::shared_lock lock(mutex_);
  const auto at = apps_.find({endpoint.ip, endpoint.port});
  return at == apps_.end() ? nullptr : at->second;
}

Outcome LocalTransport::call(Call call, const Deadlines& deadlines) {
  if (const App* app = find(call.endpoint)) return local::run(*app, call.request);
  if (beyond_ != nullptr) return beyond_->call(std::move(call), deadlines);
  return local::no_server(call.endpoint);
}

std::vector<Outcome> LocalTransport::gather(
    std::vector<Call> calls, const Deadlines& deadlines,
    const std::function<bool(const std::vector<std::optional<Outcome>>&)>& enough,
    std::chrono::milliseconds straggler) {
  const auto all = volley(deadlines);
  std::vector<std::optional<Outcome>> found(calls.size());
  for (Call& one : calls) all->add(std::move(one));
  std::optional<std::chrono::milliseconds> longest;
  while (auto done = all->wait(longest)) {
    found[done->number] = std::move(done->outcome);
    if (!longest && enough(found)) longest = straggler;
  }
  std::vector<Outcome> out;
  out.reserve(found.size());
  for (auto& outcome : found) {
    out.push_back(outcome
                      ? std::move(*outcome)
                      : local::failed(TransportError::Kind::kLeft, "enough others had answered"));
  }
  return out;
}

std::unique_ptr<Upload> LocalTransport::upload(const Deadlines& deadlines) {
  {
    const std::shared_lock lock(mutex_);
    if (apps_.empty() && beyond_ != nullptr) return beyond_->upload(deadlines);
  }
  return std::make_unique<local::LocalUpload>(
      [this](const Endpoint& endpoint) { return find(endpoint); }, beyond_, deadlines, running_);
}

std::unique_ptr<Volley> LocalTransport::volley(const Deadlines& deadlines) {
  return std::make_unique<LocalVolley>(*this, beyond_, deadlines);
}

}  // namespace apus
