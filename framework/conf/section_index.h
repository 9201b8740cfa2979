// Finds "[filter:cache]" by kind and name.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "framework/conf/ini_file.h"

namespace apus {

/// What a name in a conf can mean.
enum class PasteKind : std::uint8_t { kApp, kFilter };

/// The sections of one file by Paste's kinds. `file` outlives it.
class SectionIndex {
 public:
  explicit SectionIndex(const ConfFile& file);

  /// Null when there is none, or more than one: then `problem` says so, with the nearest name.
  [[nodiscard]] const ConfSection* find(PasteKind kind, const std::string& name,
                                        std::string& problem) const;

 private:
  // Kind, then name, blanks around it cut off.
  std::map<std::string, std::map<std::string, std::vector<const ConfSection*>>, std::less<>> all_;
};

}  // namespace apus
