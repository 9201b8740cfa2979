// Ring files: Swift's R1NG versions 1 and 2, read and written; the pickles before them, read.
#pragma once

#include <apus/ring.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace apus {

/// The content of a ring file. Rows hold a device id for each partition; the last may be shorter
/// (a fractional replica count).
struct RingData {
  int part_shift = 32;
  std::optional<std::int64_t> version;  ///< the builder's; composite rings have none
  std::optional<int> next_part_power;
  std::vector<std::optional<RingDevice>> devices;  ///< by id
  std::vector<std::vector<std::uint16_t>> rows;
};

/// Throws std::runtime_error "FILE: what is wrong" for anything that is not a whole, consistent
/// ring.
APUS_API RingData read_ring(const std::string& path);
/// The same from the inflated bytes; `name` is what errors show. For tests and fuzzing.
APUS_API RingData parse_ring(std::string_view bytes, const std::string& name);
/// Version 1 is what every release of Swift reads, 2 needs 2.36.
enum class RingFormat : std::uint8_t { kFirst = 1, kSecond = 2 };
/// Writes a new file in the same folder, fsync'd and renamed over `path`. Equal rings are equal
/// files. Throws std::system_error.
APUS_API void write_ring(const RingData& data, const std::string& path,
                         RingFormat format = RingFormat::kFirst);
/// The same bytes under each path; the last one's name stands in them.
APUS_API void write_ring(const RingData& data, const std::vector<std::string>& paths,
                         RingFormat format);
/// Which version the file says it is, without reading it whole; 0 for a pickle. Throws as
/// read_ring.
APUS_API int ring_format(const std::string& path);

/// Ready for look-ups. Takes over the data.
APUS_API std::shared_ptr<const Ring> make_ring(RingData data);

}  // namespace apus
