// Builder files: Python pickles that Swift's swift-ring-builder reads and writes as well.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/ring/builder_state.h"

namespace apus {

/// Reads files of every release of Swift, and those of write_builder. Throws std::runtime_error
/// "FILE: is not a usable builder: what is wrong" for anything that is not whole and consistent,
/// std::system_error when it cannot be read.
APUS_API BuilderState read_builder(const std::string& path);
/// The same from the bytes; `name` is what errors show. For tests and fuzzing.
APUS_API BuilderState parse_builder(std::string_view pickle, const std::string& name);
/// The bytes of the file: protocol 2.
APUS_API std::string builder_bytes(const BuilderState& state);
/// A new file in the same folder, fsync'd and renamed over `path`.
APUS_API void write_builder(const BuilderState& state, const std::string& path);

/// The same bytes under each path.
APUS_API void write_builder(const BuilderState& state, const std::vector<std::string>& paths);

}  // namespace apus
