// Names of folders: where an object lies on a device.
#pragma once

#include <apus/swift_conf.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace apus {

/// One partition of one policy on one device. Plain texts, already checked (no '/', no "..").
struct PartitionPlace {
  std::string device;     ///< folder of the device
  std::string directory;  ///< "objects" or "objects-N"
  std::string partition;

  [[nodiscard]] std::string partition_folder() const {
    return device + "/" + directory + "/" + partition;
  }
  /// `base` with the policy's "-N" behind it: "tmp", "async_pending".
  [[nodiscard]] std::string beside(std::string_view base) const {
    return device + "/" + std::string(base) + directory.substr(std::string_view("objects").size());
  }
};

/// Where one object lies.
struct ObjectPlace : PartitionPlace {
  std::string hash;  ///< 32 hex digits
  std::string name;  ///< "/account/container/object"; empty when only the hash is known

  [[nodiscard]] std::string suffix() const { return hash.substr(29); }
  [[nodiscard]] std::string folder() const {
    return partition_folder() + "/" + suffix() + "/" + hash;
  }
};

/// The partition of a path hash in a ring of 2^part_power partitions (0 to 32).
APUS_API std::uint64_t partition_of_hash(std::string_view hash, int part_power);

/// The path hash of "/account[/container[/object]]" as metadata names it.
APUS_API std::string hash_of_name(const SwiftConf& conf, std::string_view name);

}  // namespace apus
