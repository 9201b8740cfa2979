// What a plugin is handed when it is made: time, chance, logs, numbers and what the cluster agreed
// on.
#pragma once

#include <apus/abi.h>
#include <apus/cache.h>
#include <apus/log.h>
#include <apus/metrics.h>
#include <apus/options.h>
#include <apus/swift_conf.h>
#include <apus/timestamp.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace apus {

class Transport;
class Disk;
class RingDirectory;

/// Time. A test's clock stands still until told.
class APUS_API Clock {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock();

  /// Wall time in seconds since 1970.
  [[nodiscard]] virtual double now() const = 0;
  /// Never goes back.
  [[nodiscard]] virtual Steady steady() const = 0;
  virtual void sleep(std::chrono::nanoseconds duration) = 0;

  [[nodiscard]] Timestamp timestamp() const { return Timestamp::from_seconds(now()); }
};

/// Chance. Thread-safe.
class APUS_API Entropy {
 public:
  Entropy() = default;
  Entropy(const Entropy&) = delete;
  Entropy& operator=(const Entropy&) = delete;
  virtual ~Entropy();

  /// Unguessable bytes.
  virtual void fill(std::span<char> out) = 0;
  /// Uniform in [0, end); end > 0.
  std::uint64_t below(std::uint64_t end);
  /// `bytes` random bytes as lower-case hex.
  std::string hex(std::size_t bytes);
  /// A version-4 UUID with dashes.
  std::string uuid4();
};

/// What /info shows. Thread-safe; filled while the pipeline is made.
class APUS_API InfoRegistry {
 public:
  InfoRegistry() = default;
  InfoRegistry(const InfoRegistry&) = delete;
  InfoRegistry& operator=(const InfoRegistry&) = delete;
  virtual ~InfoRegistry();

  /// Adds or replaces one section; `json` is an object. `admin` sections need the signed query.
  virtual void set(std::string_view section, std::string_view json, bool admin = false) = 0;
  /// The whole document, without the dotted paths in `hidden`. `admin` adds the admin sections.
  [[nodiscard]] virtual std::string document(bool admin,
                                             std::span<const std::string> hidden) const = 0;
};

/// Everything a plugin may reach. Outlives every plugin made with it. Thread-safe.
class APUS_API Host {
 public:
  Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  virtual ~Host();

  virtual Clock& clock() = 0;
  virtual Entropy& entropy() = 0;
  /// The log that the section's log_* options describe (name, level, address).
  virtual Logger& logger(const Options& options) = 0;
  virtual Metrics& metrics() = 0;
  virtual InfoRegistry& info() = 0;
  virtual const SwiftConf& swift_conf() const = 0;

  /// For servers and daemons: see <apus/transport.h>, <apus/disk.h>, <apus/ring.h>.
  virtual Transport& transport() = 0;
  virtual Disk& disk() = 0;
  virtual RingDirectory& rings() = 0;
};

}  // namespace apus
