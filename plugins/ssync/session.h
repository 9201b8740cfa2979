// One SSYNC exchange, seen from the receiver: the body of its answer.
#pragma once

#include <apus/app.h>
#include <apus/disk.h>
#include <apus/host.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "framework/ssync/line_reader.h"
#include "framework/ssync/protocol.h"
#include "framework/store/object/object_store.h"

namespace apus {

/// One of the exchanges that may run at once, with the locks it holds. Given back when it goes.
class SsyncTurn {
 public:
  /// False at once when `limit` (0 = none) are `running`.
  SsyncTurn(std::atomic<int>& running, int limit) : running_(&running) {
    if (running.fetch_add(1) >= limit && limit > 0) give_back();
  }
  SsyncTurn(SsyncTurn&& other) noexcept
      : partition(std::move(other.partition)),
        device(std::move(other.device)),
        running_(other.running_) {
    other.running_ = nullptr;
  }
  SsyncTurn& operator=(SsyncTurn&&) = delete;
  ~SsyncTurn() { give_back(); }
  explicit operator bool() const { return running_ != nullptr; }

  Fd partition;
  Fd device;

 private:
  void give_back() {
    if (running_ != nullptr) running_->fetch_sub(1);
    running_ = nullptr;
  }
  std::atomic<int>* running_;
};

struct SsyncTarget {
  PartitionPlace place;
  std::string path;  ///< "/DEVICE/PARTITION"
  std::string policy;
  std::string trans_id;
};

/// When failed parts end an exchange: from `threshold` on, if there was no success or more than
/// `ratio` failures for each.
struct SsyncLimits {
  std::int64_t threshold = 100;
  double ratio = 1.0;
};

/// Reads the sender's lines from the request's body as its own body is read, and answers in pieces
/// that go out at once; never an empty one. An error is one line ":ERROR: CODE TEXT", then the end.
class SsyncSession final : public Source {
 public:
  SsyncSession(const ObjectStore& store, const App& server, Logger& log, SsyncTarget target,
               SsyncLimits limits, SsyncTurn turn, std::unique_ptr<Source> request);
  std::size_t read(std::span<char> out) override;

 private:
  enum class Stage : std::uint8_t { kGreeting, kMissing, kUpdates, kEnded };
  struct Failure {
    int code;
    std::string text;
  };

  void advance();
  void check_missing();
  void take_updates();
  void take_update(const std::string& line);
  void run(Request& update);
  [[nodiscard]] ssync::Local local(const std::string& hash) const;
  std::optional<std::string> next_line(const char* context);
  void fail(int code, const std::string& text);

  const ObjectStore& store_;
  const App& server_;
  Logger& log_;
  SsyncTarget target_;
  SsyncLimits limits_;
  SsyncTurn turn_;
  std::unique_ptr<Source> request_;
  ssync::LineReader lines_;
  Stage stage_ = Stage::kGreeting;
  std::string said_;      ///< on its way out
  std::size_t sent_ = 0;  ///< of it
  std::int64_t successes_ = 0;
  std::int64_t failures_ = 0;
};

}  // namespace apus
