// What a ring builder keeps between two commands: the content of a .builder file.
#pragma once

#include <apus/ring.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace apus {

/// Stands in a row for a partition that no device has.
constexpr std::uint16_t kNoDevice = 0xffff;
/// The balance of a device without weight that still has partitions.
constexpr double kMaxBalance = 999.99;

/// The devices and settings do not make a ring; what() is a sentence for the operator.
class APUS_API BuilderError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
  ~BuilderError() override;
};

/// A device, how many partitions it has, and how many more (fewer: negative) it should have.
struct BuilderDevice : RingDevice {
  std::int64_t parts = 0;
  std::int64_t parts_wanted = 0;
};

/// A failure domain by name: region; region, zone; region, zone, ip; region, zone, ip, device id.
/// Sorted so that what lies in a tier follows it.
struct TierName {
  int region = 0;
  int zone = INT32_MIN;
  std::string ip;
  int device = INT32_MIN;
  int depth = 0;  ///< how many of the four are meant: 1 to 4

  auto operator<=>(const TierName&) const = default;  // NOLINT(modernize-use-nullptr): its own
};

/// By tier: how many partitions have 0, 1, ... replicas there.
using DispersionGraph = std::map<TierName, std::vector<std::int64_t>>;

/// Swift's names, Swift's meanings. A value type.
struct APUS_API BuilderState {
  int part_power = 0;  ///< 0 to 32
  std::optional<int> next_part_power;
  double replicas = 1;  ///< at least 1, may be fractional
  int min_part_hours = 0;
  std::int64_t version = 0;
  double overload = 0;
  std::optional<double> dispersion = 0;  ///< none in old files
  bool devices_changed = false;
  std::vector<std::optional<BuilderDevice>> devices;  ///< by id
  std::vector<int> removed;  ///< ids that leave at the next rebalance, oldest first
  /// A row for each replica, the last may be short; none before the first rebalance.
  std::vector<std::vector<std::uint16_t>> rows;
  std::vector<std::uint8_t> last_part_moves;  ///< hours since each partition moved, at most 255
  std::int64_t last_part_moves_epoch = 0;     ///< seconds; what those hours are counted from
  std::int64_t last_part_gather_start = 0;
  DispersionGraph dispersion_graph;
  std::string id;  ///< 32 hex digits; empty until first saved

  [[nodiscard]] std::size_t parts() const {
    return std::size_t{1} << static_cast<unsigned>(part_power);
  }
  [[nodiscard]] bool is_removed(int device) const;
};

}  // namespace apus
