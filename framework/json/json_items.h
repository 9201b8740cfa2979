// A JSON list cut into the texts of its items, for who reads each in its own way.
#pragma once

#include <apus/abi.h>

#include <optional>
#include <string_view>
#include <vector>

namespace apus {

/// The items as they stand in `list`, whose text they share. Nothing when brackets and quotes do
/// not make a list, or there are more than `most`; whether each item is JSON is for its own reader
/// to say.
APUS_API std::optional<std::vector<std::string_view>> json_items(std::string_view list,
                                                                 std::size_t most);

}  // namespace apus
