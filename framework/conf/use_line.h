// What "use = ..." names.
#pragma once

#include <string>

namespace apus {

/// A `use` line, or a name in a pipeline, taken apart.
struct UseTarget {
  enum class Kind : unsigned char { kSection, kPlugin, kFile, kRefused };
  Kind kind = Kind::kSection;
  std::string name;  ///< section, plugin ("memcache" or a path), or file as written
  std::string part;  ///< of a file: the section's name in it
  std::string why;   ///< of a refused one: what is wrong and what would fit
};

/// Reads egg:PACKAGE#NAME, so:PATH (relative to `here`), config:FILE#NAME, call:..., or a name.
UseTarget parse_use(const std::string& text, const std::string& here);

/// The plugin of a factory that Swift's own samples write as Python code; empty for others.
std::string plugin_of_factory(const std::string& factory);

}  // namespace apus
