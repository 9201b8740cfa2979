// The requests within an SSYNC exchange, as a sender writes them.
#pragma once

#include <apus/abi.h>
#include <apus/headers.h>

#include <optional>
#include <string>
#include <string_view>

#include "framework/store/object/object_store.h"

namespace apus::ssync {

/// "METHOD PATH", the fields sorted by name, an empty line; `name` is "/a/c/o" in raw bytes.
/// Nothing when a field cannot be sent: it holds a line end.
APUS_API std::optional<std::string> encode_update(std::string_view method, std::string_view name,
                                                  const Headers& fields);

/// Of the .data: what it stores but its name, and its length. `durable` false adds
/// X-Backend-No-Commit.
APUS_API Headers put_fields(const OpenObject& object, bool durable);
/// Of the newest .meta, with the content type where another .meta has set it last.
APUS_API Headers post_fields(const OpenObject& object);

}  // namespace apus::ssync
