// An object's body on its way to the client: decrypted as it is read, from any byte on.
#pragma once

#include <apus/secret.h>
#include <apus/source.h>

#include <cstdint>
#include <memory>
#include <string>

namespace apus::encryption {

/// `sealed` begins at byte `offset` of the object.
std::unique_ptr<Source> open_body(std::unique_ptr<Source> sealed, const Secret& key,
                                  const std::string& iv, std::uint64_t offset);

/// `sealed` is a multipart/byteranges body; what stands between the parts passes as it is. Each
/// part must say its Content-Range; a body that is no such thing is a BodyError kIo.
std::unique_ptr<Source> open_byteranges(std::unique_ptr<Source> sealed, const Secret& key,
                                        const std::string& iv);

/// First and last byte of "bytes 5-9/100". Nothing when malformed.
struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};
std::optional<ContentRange> parse_content_range(std::string_view text);

}  // namespace apus::encryption
