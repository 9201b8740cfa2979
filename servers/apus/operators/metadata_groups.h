// Stored headers by whom they belong to, as the info tools show them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace apus {

enum class MetadataGroup : std::uint8_t { kUser, kSystem, kTransientSystem, kOther };

/// `kind` is "account", "container" or "object". The name loses what the names of its group start
/// with when `drop_prefix` is set.
MetadataGroup group_of(std::string_view kind, bool drop_prefix, std::string& name);

}  // namespace apus
