// The file in which daemons leave their numbers for /recon and `swift-recon`.
#pragma once

#include <apus/host.h>
#include <apus/json.h>

#include <string>

namespace apus {

/// One file of recon_cache_path, Swift's: one line of JSON with sorted names, replaced as a whole
/// under a flock of itself. Thread-safe, other processes included.
class APUS_API ReconCache {
 public:
  /// `folder` is recon_cache_path, `kind` "object", "container" or "account".
  ReconCache(Host& host, Logger& log, std::string folder, const std::string& kind);

  /// Puts the members of `entry`, an object, over the file's. A member that is an object is merged
  /// by one level; an empty one takes the name, or the name within it, away. A failure is logged:
  /// no daemon stops for it.
  void dump(const Json& entry) const;

 private:
  [[nodiscard]] std::string replace(const Json& entry) const;

  Host& host_;
  Logger& log_;
  std::string folder_;
  std::string path_;
};

}  // namespace apus
