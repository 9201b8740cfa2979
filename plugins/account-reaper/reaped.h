// What became of one account's containers and objects in a pass of the reaper.
#pragma once

#include <apus/metrics.h>
#include <apus/transport.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace apus {

/// Thread-safe.
class Reaped {
 public:
  enum Kind : std::uint8_t { kContainers, kObjects };

  explicit Reaped(Metrics& metrics) : metrics_(metrics) {}

  /// Counts the answers of all servers of one container or object; what most of them deleted is
  /// deleted.
  void count(Kind kind, const std::vector<Outcome>& outcomes);
  /// One that no server could be asked about.
  void count_remaining(Kind kind) { add(kind, kRemaining); }
  /// One answer, whatever it was for.
  void count_answer(int status);
  [[nodiscard]] bool has_containers_left() const { return numbers_[kContainers][kRemaining] > 0; }
  /// ", 2 containers deleted, 3 objects remaining, return codes: 5 2xxs": what is not 0.
  [[nodiscard]] std::string text() const;

 private:
  enum Fate : std::uint8_t { kDeleted, kRemaining, kPossiblyRemaining, kFates };
  void add(Kind kind, Fate fate);

  Metrics& metrics_;
  std::array<std::array<std::atomic<std::int64_t>, kFates>, 2> numbers_{};
  std::array<std::atomic<std::int64_t>, 6> answers_{};  ///< by class of status
};

}  // namespace apus
