#include "middleware/versioned_writes/version_names.h"

#include <apus/constraints.h>

namespace apus::versioned_writes {

std::optional<std::string> versions_container(std::string_view container) {
  return reserved_name({"versions", container});
}

std::string owner_of(std::string_view versions_container) {
  const auto pieces = split_reserved_name(versions_container);
  if (!pieces || pieces->size() != 2 || pieces->front() != "versions")
    return std::string(versions_container);
  return pieces->back();
}

std::string version_prefix(std::string_view object) {
  return reserved_name({object, ""}).value_or(std::string(object));
}

std::string version_name(std::string_view object, const Timestamp& moment) {
  return version_prefix(object) + moment.inverted().internal();
}

std::optional<Version> parse_version(std::string_view name) {
  auto pieces = split_reserved_name(name);
  if (!pieces || pieces->size() != 2) return std::nullopt;
  const auto inverted = Timestamp::parse(pieces->back());
  if (!inverted) return std::nullopt;
  return Version{std::move(pieces->front()), inverted->inverted()};
}

}  // namespace apus::versioned_writes
