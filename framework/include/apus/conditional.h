// Ranges and preconditions, as Swift evaluates them on the answer to a GET or HEAD.
#pragma once

#include <apus/abi.h>
#include <apus/message.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// First and last byte, both included.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  [[nodiscard]] std::uint64_t length() const { return last - first + 1; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// What a Range header asks of an entity of `length` bytes. Nothing: no header or a malformed one,
/// send all. An empty list: nothing of it can be satisfied (416); so are more than 50 ranges, more
/// than 2 overlaps, or 8 and more that do not ascend.
APUS_API std::optional<std::vector<ByteRange>> parse_range(std::string_view header,
                                                           std::uint64_t length);

/// 412 or 304 when a condition of the request says so. `etag` without quotes; `last_modified` in
/// whole seconds; `exists` false evaluates If-Match alone (a 404 answer).
APUS_API std::optional<int> failed_precondition(const Headers& request, std::string_view etag,
                                                std::optional<std::int64_t> last_modified,
                                                bool exists = true);

/// Opens a part of an entity. Called in ascending order of the answer's parts, each Source read
/// before the next is opened.
using OpenRange = std::function<std::unique_ptr<Source>(ByteRange)>;

/// Turns `response` (200, with ETag, Last-Modified and Content-Type set, no body) into the answer
/// for the request: 304, 412, 416, 206 with one or several parts, or 200 with all `length` bytes.
/// `boundary` is used for several parts.
APUS_API void answer_conditionally(const Request& request, Response& response, std::uint64_t length,
                                   std::string_view etag, const OpenRange& open,
                                   const std::string& boundary);

}  // namespace apus
