// What swift.conf says to every server of a cluster: the hash salt, the storage policies, the
// limits.
#pragma once

#include <apus/abi.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// One [storage-policy:N]. Index 0 exists always.
struct StoragePolicy {
  int index = 0;
  std::string name = "Policy-0";
  std::vector<std::string> aliases;
  bool is_default = true;
  bool deprecated = false;
  std::string type = "replication";  ///< or "erasure_coding"

  /// "objects" with index 0: nothing appended, else "-N" (Swift's rule for directories and rings).
  [[nodiscard]] APUS_API std::string directory(std::string_view base) const;
};

/// [swift-constraints], Swift's defaults.
struct Constraints {
  std::int64_t max_file_size = 5368709122;
  std::int64_t max_meta_name_length = 128;
  std::int64_t max_meta_value_length = 256;
  std::int64_t max_meta_count = 90;
  std::int64_t max_meta_overall_size = 4096;
  std::int64_t max_header_size = 8192;
  std::int64_t max_object_name_length = 1024;
  std::int64_t container_listing_limit = 10000;
  std::int64_t account_listing_limit = 10000;
  std::int64_t max_account_name_length = 256;
  std::int64_t max_container_name_length = 256;
  std::int64_t extra_header_count = 0;
  std::vector<std::string> valid_api_versions = {"v1", "v1.0"};
  std::string auto_create_account_prefix = ".";

  /// Fields a request may have: max_meta_count + 36 + extra_header_count.
  [[nodiscard]] std::int64_t max_header_count() const {
    return max_meta_count + 36 + (extra_header_count > 0 ? extra_header_count : 0);
  }
};

/// swift.conf, read once. Immutable afterwards; shared by all threads.
struct APUS_API SwiftConf {
  std::string directory = "/etc/swift";  ///< where it and the rings lie (swift_dir)
  std::string hash_prefix;               ///< raw bytes
  std::string hash_suffix;
  std::vector<StoragePolicy> policies{StoragePolicy{}};  ///< by index, holes left out
  Constraints constraints;

  SwiftConf();
  SwiftConf(const SwiftConf&);
  SwiftConf& operator=(const SwiftConf&);
  ~SwiftConf();

  /// Null when there is none.
  [[nodiscard]] const StoragePolicy* policy(int index) const;
  /// By name or alias, case-insensitive.
  [[nodiscard]] const StoragePolicy* policy(std::string_view name) const;
  [[nodiscard]] const StoragePolicy& default_policy() const;

  /// 32 lower-case hex digits of MD5(prefix + "/account[/container[/object]]" + suffix).
  [[nodiscard]] std::string hash_path(std::string_view account, std::string_view container = {},
                                      std::string_view object = {}) const;
};

}  // namespace apus
