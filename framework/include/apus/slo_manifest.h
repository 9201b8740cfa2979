// Manifests of static large objects: what clients put, and what is stored.
#pragma once

#include <apus/abi.h>
#include <apus/conditional.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// One entry of a manifest as a client puts it.
struct SloEntry {
  std::string path;  ///< "/container/object" as given; empty = `data` is the segment
  std::string data;  ///< plain bytes
  std::optional<std::string> etag;
  std::optional<std::int64_t> size_bytes;
  std::string range;  ///< "first-last", "first-" or "-count"; empty = all
};

/// Reads the body of a "?multipart-manifest=put". Nothing with `errors` set to the lines of Swift's
/// 400, every wrong entry in one of its own. `request_path` is "/v1/account/container/object",
/// decoded: a manifest must not name itself. Linear, nests as deep as Json::parse allows.
APUS_API std::optional<std::vector<SloEntry>> parse_slo_put(std::string_view json,
                                                            std::string_view request_path,
                                                            std::string& errors);

/// One segment of a stored manifest.
struct SloSegment {
  std::string name;  ///< "/container/object"; empty = `data` is the segment
  std::string data;
  std::uint64_t bytes = 0;  ///< of the whole object
  std::string hash;
  std::string content_type;
  std::string last_modified;
  std::optional<ByteRange> range;
  bool sub_slo = false;  ///< the object is a manifest itself

  /// Bytes it gives to the large object.
  [[nodiscard]] APUS_API std::uint64_t length() const;
};

/// Nothing when it is no manifest that Swift could have written.
APUS_API std::optional<std::vector<SloSegment>> parse_slo_manifest(std::string_view json);
/// As Swift stores it, byte for byte.
APUS_API std::string to_json(const std::vector<SloSegment>& segments);
/// In the form of a put: "?multipart-manifest=get&format=raw".
APUS_API std::string to_raw_json(const std::vector<SloSegment>& segments);
/// The large object's ETag, without quotes.
APUS_API std::string slo_etag(const std::vector<SloSegment>& segments);

}  // namespace apus
