// Where things live: the ring as servers see it.
#pragma once

#include <apus/abi.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// One device of a ring, with Swift's key names.
struct RingDevice {
  int id = -1;
  int region = 1;
  int zone = 0;
  std::string ip;
  int port = 0;
  std::string replication_ip;  ///< filled from ip when the file has none
  int replication_port = 0;
  std::string device;
  double weight = 0;
  std::string meta;
};

/// A device as one partition sees it. The pointer lives as long as the Ring it came from.
struct RingNode {
  const RingDevice* device = nullptr;
  int index = -1;          ///< place among the primaries; -1 for a handoff
  int handoff_index = -1;  ///< place among the handoffs; -1 for a primary
};

/// Handoffs in Swift's exact order, found one at a time: each step costs a walk, most readers take
/// few.
class APUS_API HandoffWalk {
 public:
  HandoffWalk() = default;
  HandoffWalk(const HandoffWalk&) = delete;
  HandoffWalk& operator=(const HandoffWalk&) = delete;
  virtual ~HandoffWalk();
  /// Nothing when every device was handed out.
  virtual std::optional<RingNode> next() = 0;
};

/// One loaded ring file. Immutable, shared by all threads.
class APUS_API Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  virtual ~Ring();

  [[nodiscard]] virtual std::uint32_t partition_count() const = 0;
  [[nodiscard]] virtual int part_power() const = 0;
  [[nodiscard]] virtual std::optional<int> next_part_power() const = 0;
  /// May be fractional.
  [[nodiscard]] virtual double replica_count() const = 0;
  /// By id; null where a device was removed.
  [[nodiscard]] virtual const std::vector<std::optional<RingDevice>>& devices() const = 0;
  /// Of 32 hex digits of a path hash.
  [[nodiscard]] virtual std::uint32_t partition_of(std::string_view path_hash) const = 0;
  /// `partition` < partition_count().
  [[nodiscard]] virtual std::vector<RingNode> primaries(std::uint32_t partition) const = 0;
  [[nodiscard]] virtual std::unique_ptr<HandoffWalk> handoffs(std::uint32_t partition) const = 0;
};

/// The rings of swift_dir, reloaded when a file changes. Thread-safe.
class APUS_API RingDirectory {
 public:
  RingDirectory() = default;
  RingDirectory(const RingDirectory&) = delete;
  RingDirectory& operator=(const RingDirectory&) = delete;
  virtual ~RingDirectory();

  /// Throws std::runtime_error that names the file when it is missing or broken and was never
  /// loaded.
  virtual std::shared_ptr<const Ring> account() = 0;
  virtual std::shared_ptr<const Ring> container() = 0;
  virtual std::shared_ptr<const Ring> object(int policy_index) = 0;
};

}  // namespace apus
