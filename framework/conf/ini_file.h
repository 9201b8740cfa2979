// INI files as Python's ConfigParser reads them, every value with its place.
#pragma once

#include <apus/options.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// Something wrong in a conf, ready to print.
struct ConfProblem {
  bool fatal = true;
  Origin origin;
  std::string key;
  std::string message;  ///< what is wrong and what would have been accepted

  /// "FILE:LINE: [SECTION] KEY: MESSAGE", parts that are empty left out.
  [[nodiscard]] APUS_API std::string text() const;
};

struct ConfOption {
  std::string name;  ///< case kept
  std::string value;
  Origin origin;
};

struct ConfSection {
  std::string name;
  Origin origin;
  std::vector<ConfOption> options;  ///< names are unique

  [[nodiscard]] APUS_API const ConfOption* find(std::string_view option) const;
};

/// One conf: a file, or a folder whose *.conf files (none hidden) are merged in name order, later
/// ones over earlier ones.
struct APUS_API ConfFile {
  std::filesystem::path path;  ///< absolute
  std::filesystem::path here;  ///< %(here)s: the file's folder, or the folder itself
  std::vector<ConfSection> sections;

  [[nodiscard]] const ConfSection* find(std::string_view section) const;
};

/// Reads with inih. Lines and names may be of any length; a value goes on over indented lines; '#'
/// and
/// ';' start comments only at the start of a line. Problems are appended, none thrown.
APUS_API ConfFile read_conf(const std::filesystem::path& path, std::vector<ConfProblem>& problems);

/// As `read_conf`, from a text; `name` is what problems show. For tests and fuzzing.
APUS_API ConfFile parse_conf(std::string_view text, const std::string& name,
                             std::vector<ConfProblem>& problems);

/// Replaces %(name)s by the section's options, then `defaults`, then here and __file__; "%%" by
/// "%". A value without "%(" is left as it is. Unknown names and loops are problems.
APUS_API std::string interpolate(const ConfFile& file, const ConfSection* section,
                                 const ConfOption& option, std::vector<ConfProblem>& problems);

}  // namespace apus
