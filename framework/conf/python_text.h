// Lines and blanks as Python sees them in a text file.
#pragma once

#include <string_view>

namespace apus {

/// Bytes of the blank character that `text` starts with; 0 when it starts with none. `latin1`: each
/// byte is a character; otherwise the text is UTF-8.
std::size_t leading_blank(std::string_view text, bool latin1);

/// str.strip().
std::string_view strip_blanks(std::string_view text, bool latin1);

/// Cuts the first line off `text`: it ends at LF, CR or CR LF.
std::string_view take_line(std::string_view& text);

}  // namespace apus
