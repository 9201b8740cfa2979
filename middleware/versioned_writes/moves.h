// What both kinds of versioning do with objects: read one as it is, store it elsewhere.
#pragma once

#include <apus/app.h>
#include <apus/message.h>

#include <optional>
#include <string>
#include <string_view>

namespace apus::versioned_writes {

/// "/v1/ACCOUNT/CONTAINER", decoded.
std::string container_path(const ApiPath& of, std::string_view container);
/// "/v1/ACCOUNT/CONTAINER/OBJECT", decoded.
std::string object_path(const ApiPath& of, std::string_view container, std::string_view object);

/// The newest copy of an object, a link as the link it is, with all rights. A body whose length is
/// unknown or above `max_size` is a 413.
Response read_as_is(const Request& parent, const App& next, const std::string& path,
                    std::string_view source, std::uint64_t max_size);

/// A PUT, with all rights, of what `read_as_is` found: same bytes, metadata and system metadata.
Response store(const Request& parent, const App& next, const std::string& path,
               std::string_view source, Response found, bool reserved);

/// When the object that was read came to be.
Timestamp written_at(const Response& found);

/// Copies every field of an object's metadata but those for which `left_out(name)` holds.
template <typename Predicate>
void copy_metadata(const Headers& from, Headers& to, Predicate left_out) {
  for (const auto& [name, value] : from)
    if (!left_out(std::string_view(name))) to.set(name, value);
}

/// True for what a server says of an object that belongs to the object: X-Object-Sysmeta-*,
/// X-Object-Transient-Sysmeta-*.
bool is_object_sysmeta(std::string_view name);

/// The refusal of the request's user as a writer of its container; nothing when it may.
std::optional<Response> refused_to_write(Request& request, const App& next,
                                         std::string_view source);

}  // namespace apus::versioned_writes
