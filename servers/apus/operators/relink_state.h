// Which partitions of a device the relinker has done: relink.DIRECTORY.json, as Swift's.
#pragma once

#include <apus/disk.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace apus {

/// The partition powers between which a ring is on its way. Equal ones: it has arrived.
struct PartPowers {
  int from = 0;
  int to = 0;

  [[nodiscard]] bool relinking() const { return from != to; }
};

/// The state of one policy on one device. One thread; the device's lock keeps other processes out.
class RelinkState {
 public:
  /// Reads DEVICE/relink.DIRECTORY.json. A file of another step is removed: all begins anew. Throws
  /// std::system_error when it cannot be read.
  RelinkState(Disk& disk, std::string device, std::string directory, PartPowers powers);

  /// Those of `names`, what the policy's folder holds, that are to be done, highest number first.
  /// Takes them all in, the first time; what appears later is done already while objects are being
  /// relinked: it has its new number.
  std::vector<std::string> begin(const std::vector<std::string>& names);
  void done(const std::string& partition);
  /// Durably replaces the file. 0 or errno.
  [[nodiscard]] int write() const;

  [[nodiscard]] std::int64_t parts_done() const { return done_; }
  [[nodiscard]] std::int64_t parts() const { return static_cast<std::int64_t>(partitions_.size()); }

 private:
  bool take(const std::string& text);

  Disk& disk_;
  std::string device_;
  std::string directory_;
  PartPowers powers_;
  std::optional<int> previous_;  ///< the power before, when the file still told of that step
  std::map<std::string, bool> partitions_;
  std::int64_t done_ = 0;
};

}  // namespace apus
