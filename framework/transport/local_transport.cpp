#include "framework/transport/local_transport.h"

#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

namespace apus {
namespace {

constexpr std::size_t kQueuedPieces = 16;

Outcome failed(TransportError::Kind kind, const std::string& what) {
  return {std::nullopt, TransportError(kind, what)};
}

Outcome run(const App& app, Request& request) {
  try {
    return {app(request), std::nullopt};
  } catch (const std::exception& error) {
    return failed(TransportError::Kind::kReset, error.what());
  }
}

// One copy's share of the body: a bounded queue between the uploading thread and the app's.
class Pipe {
 public:
  /// False when the reader is gone.
  bool push(std::shared_ptr<const std::string> piece) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return pieces_.size() < kQueuedPieces || closed_; });
    if (closed_) return false;
    pieces_.push_back(std::move(piece));
    ready_.notify_one();
    return true;
  }
  void end(bool whole) {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    whole_ = whole;
    ready_.notify_one();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_one();
  }
  /// Null at the end. Throws BodyError when the upload was given up.
  std::shared_ptr<const std::string> pop() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return !pieces_.empty() || ended_; });
    if (pieces_.empty()) {
      if (!whole_) throw BodyError(BodyError::Kind::kDisconnect, "the upload was given up");
      return nullptr;
    }
    auto piece = std::move(pieces_.front());
    pieces_.pop_front();
    room_.notify_one();
    return piece;
  }

 private:
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable ready_;
  std::deque<std::shared_ptr<const std::string>> pieces_;
  bool ended_ = false;
  bool whole_ = false;
  bool closed_ = false;
};

class PipeSource final : public Source {
 public:
  explicit PipeSource(std::shared_ptr<Pipe> pipe) : pipe_(std::move(pipe)) {}
  ~PipeSource() override { pipe_->close(); }
  std::size_t read(std::span<char> out) override {
    while (piece_ == nullptr || at_ == piece_->size()) {
      if (ended_) return 0;
      piece_ = pipe_->pop();
      at_ = 0;
      if (piece_ == nullptr) {
        ended_ = true;
        return 0;
      }
    }
    const std::size_t count = std::min(out.size(), piece_->size() - at_);
    std::memcpy(out.data(), piece_->data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  std::shared_ptr<Pipe> pipe_;
  std::shared_ptr<const std::string> piece_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

class LocalUpload final : public Upload {
 public:
  using Find = std::function<const App*(const Endpoint&)>;
  explicit LocalUpload(Find find) : find_(std::move(find)) {}
  ~LocalUpload() override {
    for (const auto& copy : copies_) copy->pipe->end(false);
  }

  std::vector<std::optional<Outcome>> open(std::vector<Call> calls) override {
    std::vector<std::optional<Outcome>> out;
    for (Call& call : calls) {
      const App* app = find_(call.endpoint);
      if (app == nullptr) {
        out.emplace_back(
            failed(TransportError::Kind::kConnect, "no server at " + call.endpoint.ip));
        continue;
      }
      auto copy = std::make_unique<Copy>();
      copy->request = std::move(call.request);
      copy->request.body = std::make_unique<PipeSource>(copy->pipe);
      copy->thread = std::jthread([app, raw = copy.get()] {
        raw->outcome = run(*app, raw->request);
        raw->request.body.reset();
      });
      copies_.push_back(std::move(copy));
      out.emplace_back(std::nullopt);
    }
    return out;
  }
  std::size_t alive() const override {
    std::size_t count = 0;
    for (const auto& copy : copies_) count += copy->alive ? 1 : 0;
    return count;
  }
  void write(std::span<const char> bytes) override {
    const auto piece = std::make_shared<const std::string>(bytes.begin(), bytes.end());
    for (const auto& copy : copies_) {
      if (copy->alive) copy->alive = copy->pipe->push(piece);
    }
  }
  std::vector<Outcome> finish(
      const std::function<bool(const std::vector<std::optional<Outcome>>&)>& /*enough*/,
      std::chrono::milliseconds /*straggler*/) override {
    // A call in this process ends when its app does: there is no straggler to leave behind.
    std::vector<Outcome> out;
    for (const auto& copy : copies_) copy->pipe->end(true);
    for (const auto& copy : copies_) {
      copy->thread.join();
      out.push_back(std::move(copy->outcome));
    }
    copies_.clear();
    return out;
  }

 private:
  struct Copy {
    std::shared_ptr<Pipe> pipe = std::make_shared<Pipe>();
    Request request;
    Outcome outcome;
    bool alive = true;
    std::jthread thread;
  };
  Find find_;
  std::vector<std::unique_ptr<Copy>> copies_;
};

}  // namespace

LocalTransport::LocalTransport(Transport* beyond) : beyond_(beyond) {}
LocalTransport::~LocalTransport() = default;

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
  if (const App* app = find(call.endpoint)) return run(*app, call.request);
  if (beyond_ != nullptr) return beyond_->call(std::move(call), deadlines);
  return failed(TransportError::Kind::kConnect,
                "no server at " + call.endpoint.ip + ":" + std::to_string(call.endpoint.port));
}

std::vector<Outcome> LocalTransport::gather(
    std::vector<Call> calls, const Deadlines& deadlines,
    const std::function<bool(const std::vector<std::optional<Outcome>>&)>& enough,
    std::chrono::milliseconds straggler) {
  bool all_beyond = beyond_ != nullptr;
  for (const Call& call : calls) all_beyond = all_beyond && find(call.endpoint) == nullptr;
  if (all_beyond) return beyond_->gather(std::move(calls), deadlines, enough, straggler);
  std::vector<Outcome> out;
  for (Call& one : calls) out.push_back(call(std::move(one), deadlines));
  return out;
}

std::unique_ptr<Upload> LocalTransport::upload(const Deadlines& deadlines) {
  {
    const std::shared_lock lock(mutex_);
    if (apps_.empty() && beyond_ != nullptr) return beyond_->upload(deadlines);
  }
  return std::make_unique<LocalUpload>([this](const Endpoint& endpoint) { return find(endpoint); });
}

}  // namespace apus
