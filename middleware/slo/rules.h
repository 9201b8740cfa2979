// What the parts of slo share.
#pragma once

#include <apus/app.h>
#include <apus/crew.h>
#include <apus/host.h>
#include <apus/slo_manifest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace apus::slo {

inline constexpr const char* kSource = "SLO";
inline constexpr const char* kGetAgent = "SLO MultipartGET";
inline constexpr const char* kEtagField = "X-Object-Sysmeta-Slo-Etag";
inline constexpr const char* kSizeField = "X-Object-Sysmeta-Slo-Size";
/// Manifests on the disks of others may be as large as their limits were.
inline constexpr std::size_t kLargestManifest = 64U << 20U;

/// The deployer's options and what the host lends.
struct Rules {
  Host& host;
  Logger& log;
  std::int64_t max_segments = 1000;
  std::int64_t max_manifest_size = 8 << 20;
  double yield_frequency = 10;
  bool allow_async_delete = false;
  double max_get_time = 86400;
  std::uint64_t rate_limit_under_size = 1 << 20;
  std::int64_t rate_limit_after_segment = 10;
  double rate_limit_segments_per_sec = 1;
  std::string expirer_account = {};
  std::int64_t expirer_divisor = 86400;
  std::size_t concurrency = 2;  ///< segments of a new manifest that are looked at at once
  const Crew* crew = nullptr;   ///< whose threads do it; outlives the rules
};

/// A page in Swift's words.
Response refuse(int status, std::string text);

/// "/v1/account/" and "container/object" of a path of four pieces, the latter without slashes in
/// front.
std::string object_path(std::string_view request_path, std::string_view name);
std::string_view without_quotes(std::string_view etag);
/// A request like `request`, without its body: what is left of it may outlive the original.
Request copy_head(const Request& request);

}  // namespace apus::slo
