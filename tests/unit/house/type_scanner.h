// Reads C++ sources far enough to know which types they define, and under which names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace apus::test {

/// The tokens of a source: words, and single other characters ("::" is one token). Comments are
/// left out; so are preprocessor lines, unless wanted (each is then one token). Literals are one
/// token each.
std::vector<std::string> tokens_of(std::string_view source, bool with_directives = false);

/// Qualified names of the types that a source defines with external linkage: not in unnamed
/// namespaces, not in functions; explicit specialisations left out.
std::vector<std::string> types_of(std::string_view source);

}  // namespace apus::test
