// Names of the hidden containers and objects in which versions are kept.
#pragma once

#include <apus/timestamp.h>

#include <optional>
#include <string>
#include <string_view>

namespace apus::versioned_writes {

/// swift.source of the requests that keep and read versions.
inline constexpr const char* kVersionSource = "OV";
/// The content type of a version that says: deleted here.
inline constexpr std::string_view kDeleteMarker = "application/x-deleted;swift_versions_deleted=1";

/// "\0versions\0CONTAINER"; nothing when the container is itself of the hidden namespace.
std::optional<std::string> versions_container(std::string_view container);
/// The container whose versions are kept there; the name itself when it is not of that form.
std::string owner_of(std::string_view versions_container);

/// "\0OBJECT\0": what the names of all its versions begin with.
std::string version_prefix(std::string_view object);
/// "\0OBJECT\0INVERTED-TIME": newest first in a listing.
std::string version_name(std::string_view object, const Timestamp& moment);

struct Version {
  std::string object;
  Timestamp moment;
};
/// Nothing when the name is not of that form.
std::optional<Version> parse_version(std::string_view name);

}  // namespace apus::versioned_writes
