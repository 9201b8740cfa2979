#include "framework/transport/local_upload.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <thread>

#include "framework/transport/local_call.h"

namespace apus::local {
namespace {

using Steady = std::chrono::steady_clock;
constexpr std::size_t kQueuedPieces = 16;

Steady::time_point limit_of(std::chrono::milliseconds span) {
  return span.count() == 0 ? Steady::time_point::max() : Steady::now() + span;
}

// No wait_until(max): it overflows. False when the time came first.
template <typename Ready>
bool wait_until(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                Steady::time_point limit, Ready ready) {
  if (limit != Steady::time_point::max()) return changed.wait_until(lock, limit, ready);
  changed.wait(lock, ready);
  return true;
}

}  // namespace

// What all copies of one upload share: one lock, and the news that one of them is done.
struct Board {
  std::mutex mutex;
  std::condition_variable news;
};

// What the uploading thread and the app's thread share of one copy; guarded by the board's lock.
struct Copy {
  using Piece = std::shared_ptr<const std::string>;

  explicit Copy(std::shared_ptr<Board> shared) : board(std::move(shared)) {}

  // The uploading thread's side. False when the app is gone or took too long.
  bool push(const Piece& piece, Steady::time_point limit) {
    std::unique_lock lock(board->mutex);
    const bool room = wait_until(changed, lock, limit,
                                 [&] { return pieces.size() < kQueuedPieces || done || closed; });
    if (!room) give_up(TransportError::Kind::kTimeout, "took no bytes for too long");
    if (done || closed) return false;
    pieces.push_back(piece);
    changed.notify_all();
    return true;
  }
  void end(bool complete) {
    const std::lock_guard lock(board->mutex);
    if (ended) return;
    ended = true;
    whole = complete;
    changed.notify_all();
  }
  // Whether it waits for the body, once that was decided.
  bool opened(Steady::time_point limit) {
    std::unique_lock lock(board->mutex);
    if (!wait_until(changed, lock, limit, [&] { return reading || done; }))
      give_up(TransportError::Kind::kTimeout, "silent for too long");
    return reading && !done;
  }
  // With the lock.
  void give_up(TransportError::Kind kind, const char* why) {
    if (done) return;
    done = true;
    ended = true;
    whole = false;
    outcome = failed(kind, why);
    changed.notify_all();
  }

  // The app's side. Null at the end. Throws BodyError when the upload was given up.
  Piece pop() {
    std::unique_lock lock(board->mutex);
    reading = true;
    changed.notify_all();
    changed.wait(lock, [&] { return !pieces.empty() || ended; });
    if (ended && !whole) throw BodyError(BodyError::Kind::kDisconnect, "the upload was given up");
    if (pieces.empty()) return nullptr;
    Piece piece = std::move(pieces.front());
    pieces.pop_front();
    changed.notify_all();
    return piece;
  }
  void close() {
    const std::lock_guard lock(board->mutex);
    closed = true;
    changed.notify_all();
  }
  void answer(Outcome result) {
    const std::lock_guard lock(board->mutex);
    if (!done) outcome = std::move(result);
    done = true;
    changed.notify_all();
    board->news.notify_all();
  }

  std::shared_ptr<Board> board;
  std::condition_variable changed;
  std::deque<Piece> pieces;
  bool reading = false;  // the app asked for the body
  bool ended = false;
  bool whole = false;
  bool closed = false;  // the app wants no more of it
  bool done = false;
  bool alive = true;  // of the uploading thread alone
  Outcome outcome;
  Request request;
};

namespace {

class CopySource final : public Source {
 public:
  explicit CopySource(std::shared_ptr<Copy> copy) : copy_(std::move(copy)) {}
  ~CopySource() override { copy_->close(); }
  std::size_t read(std::span<char> out) override {
    while (piece_ == nullptr || at_ == piece_->size()) {
      if (ended_) return 0;
      piece_ = copy_->pop();
      at_ = 0;
      if (piece_ == nullptr) ended_ = true;
    }
    const std::size_t count = std::min(out.size(), piece_->size() - at_);
    std::memcpy(out.data(), piece_->data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  std::shared_ptr<Copy> copy_;
  Copy::Piece piece_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

// An outcome for who judges: an answer by its status alone.
Outcome shown(const Outcome& outcome) {
  if (!outcome.response) return {std::nullopt, outcome.error};
  return {Response(outcome.response->status), std::nullopt};
}

}  // namespace

void Running::begin() {
  const std::lock_guard lock(mutex_);
  ++count_;
}
void Running::end() {
  const std::lock_guard lock(mutex_);
  --count_;
  changed_.notify_all();
}
void Running::wait_for_none() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return count_ == 0; });
}

LocalUpload::LocalUpload(Find find, Transport* beyond, const Deadlines& deadlines,
                         std::shared_ptr<Running> running)
    : find_(std::move(find)),
      beyond_(beyond),
      deadlines_(deadlines),
      running_(std::move(running)),
      board_(std::make_shared<Board>()) {}

LocalUpload::~LocalUpload() {
  for (const auto& copy : copies_) {
    if (copy != nullptr) copy->end(false);
  }
}

// A thread of its own, not waited for: an app whose disk hangs must not hold up the others.
void LocalUpload::start(const std::shared_ptr<Copy>& copy, const App& app) const {
  running_->begin();
  std::thread([copy, &app, running = running_] {
    Outcome outcome = run(app, copy->request);
    copy->request.body.reset();
    copy->answer(std::move(outcome));
    running->end();
  }).detach();
}

void LocalUpload::open_beyond(std::vector<Call> calls, const std::vector<std::size_t>& places,
                              std::vector<std::optional<Outcome>>& out) {
  if (calls.empty()) return;
  if (!upload_beyond_) upload_beyond_ = beyond_->upload(deadlines_);
  auto outcomes = upload_beyond_->open(std::move(calls));
  for (std::size_t i = 0; i < outcomes.size(); ++i) out[places[i]] = std::move(outcomes[i]);
}

std::shared_ptr<Copy> LocalUpload::copy_of(Call& call) const {
  auto copy = std::make_shared<Copy>(board_);
  copy->request = std::move(call.request);
  copy->request.body = std::make_unique<CopySource>(copy);
  return copy;
}

std::vector<std::optional<Outcome>> LocalUpload::open(std::vector<Call> calls) {
  std::vector<std::optional<Outcome>> out(calls.size());
  std::vector<std::shared_ptr<Copy>> here(calls.size());
  std::vector<Call> remote;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const App* app = find_(calls[i].endpoint);
    if (app == nullptr && beyond_ == nullptr) {
      out[i] = no_server(calls[i].endpoint);
    } else if (app == nullptr) {
      remote.push_back(std::move(calls[i]));
      places.push_back(i);
    } else {
      here[i] = copy_of(calls[i]);
      start(here[i], *app);
    }
  }
  open_beyond(std::move(remote), places, out);
  const auto limit = limit_of(deadlines_.response);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (here[i] != nullptr && !here[i]->opened(limit)) {
      const std::lock_guard lock(board_->mutex);
      out[i] = std::move(here[i]->outcome);
    }
    if (!out[i]) copies_.push_back(std::move(here[i]));
  }
  return out;
}

void LocalUpload::send_whole(std::vector<Call> calls, std::string_view body) {
  const auto piece = std::make_shared<const std::string>(body);
  std::vector<Call> remote;
  for (Call& call : calls) {
    const App* app = find_(call.endpoint);
    if (app == nullptr && beyond_ != nullptr) {
      remote.push_back(std::move(call));
      copies_.push_back(nullptr);
      continue;
    }
    copies_.push_back(copy_of(call));
    const auto& copy = copies_.back();
    copy->request.content_length = body.size();
    if (app == nullptr) {
      copy->request.body.reset();  // which has the copy
      copy->answer(no_server(call.endpoint));
      continue;
    }
    copy->pieces.push_back(piece);
    copy->end(true);
    start(copy, *app);
  }
  if (!remote.empty()) {
    if (!upload_beyond_) upload_beyond_ = beyond_->upload(deadlines_);
    upload_beyond_->send_whole(std::move(remote), body);
  }
  const auto limit = limit_of(deadlines_.response);
  for (const auto& copy : copies_) {
    if (copy != nullptr) copy->opened(limit);
  }
}

std::size_t LocalUpload::alive() const {
  const auto here = std::count_if(copies_.begin(), copies_.end(),
                                  [](const auto& copy) { return copy != nullptr && copy->alive; });
  return static_cast<std::size_t>(here) + (upload_beyond_ ? upload_beyond_->alive() : 0);
}

void LocalUpload::write(std::span<const char> bytes) {
  if (bytes.empty()) return;
  const auto limit = limit_of(deadlines_.response);
  Copy::Piece piece;
  for (const auto& copy : copies_) {
    if (copy == nullptr || !copy->alive) continue;
    if (piece == nullptr) piece = std::make_shared<const std::string>(bytes.begin(), bytes.end());
    copy->alive = copy->push(piece, limit);
  }
  if (upload_beyond_) upload_beyond_->write(bytes);
}

std::vector<std::optional<Outcome>> LocalUpload::so_far(
    const std::vector<std::optional<Outcome>>& beyond) const {
  std::vector<std::optional<Outcome>> out;
  std::size_t next = 0;
  for (const auto& copy : copies_) {
    out.emplace_back();
    if (copy == nullptr) {
      if (const auto& there = beyond[next++]) out.back() = shown(*there);
    } else if (copy->done) {
      out.back() = shown(copy->outcome);
    }
  }
  return out;
}

// Both kinds are judged together; those beyond are waited for first.
std::vector<Outcome> LocalUpload::finish(const Enough& enough,
                                         std::chrono::milliseconds straggler) {
  for (const auto& copy : copies_) {
    if (copy != nullptr) copy->end(true);
  }
  std::vector<std::optional<Outcome>> beyond;
  if (upload_beyond_) {
    auto outcomes = upload_beyond_->finish(
        [&](const auto& there) {
          const std::lock_guard lock(board_->mutex);
          return enough(so_far(there));
        },
        straggler);
    for (Outcome& outcome : outcomes) beyond.emplace_back(std::move(outcome));
  }
  wait_for_copies(beyond, enough, straggler);
  const std::lock_guard lock(board_->mutex);
  std::vector<Outcome> out;
  std::size_t next = 0;
  for (const auto& copy : copies_) {
    out.push_back(copy != nullptr ? std::move(copy->outcome) : std::move(*beyond[next++]));
  }
  copies_.clear();
  return out;
}

void LocalUpload::wait_for_copies(const std::vector<std::optional<Outcome>>& beyond,
                                  const Enough& enough, std::chrono::milliseconds straggler) {
  auto limit = limit_of(deadlines_.response);
  bool hurry = false;
  std::unique_lock lock(board_->mutex);
  std::size_t done = 0;
  const auto count_done = [&] {
    return static_cast<std::size_t>(std::count_if(
        copies_.begin(), copies_.end(), [](const auto& copy) { return !copy || copy->done; }));
  };
  while ((done = count_done()) < copies_.size()) {
    if (!hurry && enough(so_far(beyond))) {
      hurry = true;
      limit = std::min(limit, Steady::now() + straggler);
    }
    if (!wait_until(board_->news, lock, limit, [&] { return count_done() > done; })) break;
  }
  for (const auto& copy : copies_) {
    if (copy == nullptr) continue;
    if (hurry) {
      copy->give_up(TransportError::Kind::kLeft, "enough others had answered");
    } else {
      copy->give_up(TransportError::Kind::kTimeout, "silent for too long");
    }
  }
}

}  // namespace apus::local
