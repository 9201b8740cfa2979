// A file that takes the place of another in one step.
#pragma once

#include <string>
#include <string_view>

namespace apus {

/// `bytes` are on the disk and then, in one step, what is under `path`; mode 0644. Throws
/// std::system_error that names the file, which is then as it was.
void replace_file(const std::string& path, std::string_view bytes);

}  // namespace apus
