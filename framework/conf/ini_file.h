// INI files as Python's ConfigParser reads them, every value with its place.
#pragma once

#include <apus/options.h>

#include <cstdint>
#include <filesystem>
#include <map>
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

/// True when one of them is fatal.
APUS_API bool any_fatal(const std::vector<ConfProblem>& problems);

/// Who reads the file: Swift reads its files in two ways.
enum class ConfDialect : std::uint8_t {
  kServer,     ///< names keep their case; '%' means something only in values with "%("
  kSwiftConf,  ///< names in lower case; each '%' is "%%" or "%(name)s"; bytes are latin-1
};

struct ConfOption {
  std::string name;
  std::string value;
  Origin origin;
};

/// Options in the order of the file, names unique.
struct APUS_API ConfSection {
  std::string name;
  Origin origin;
  std::vector<ConfOption> options;

  [[nodiscard]] const ConfOption* find(std::string_view option) const;
  /// Adds, or replaces value and place.
  void put(ConfOption option);

 private:
  std::map<std::string, std::size_t, std::less<>> index_;
};

/// One conf: a file, or a folder whose *.conf files (none hidden) are merged in name order, later
/// ones over earlier ones.
struct APUS_API ConfFile {
  std::filesystem::path path;  ///< absolute
  std::filesystem::path here;  ///< %(here)s: the file's folder, or the folder itself
  ConfDialect dialect = ConfDialect::kServer;
  std::vector<ConfSection> sections;

  [[nodiscard]] const ConfSection* find(std::string_view section) const;
  /// The section of that name, made when absent.
  ConfSection& make(const std::string& section, const Origin& origin);

 private:
  std::map<std::string, std::size_t, std::less<>> index_;
};

/// Reads with inih. Lines and names may be of any length; a line that is indented deeper than its
/// option goes on with the value; '#' and ';' start comments only at the start of a line. What is
/// set twice in one file is a problem, as is a file over 4 MiB. Problems are appended, none thrown.
APUS_API ConfFile read_conf(const std::filesystem::path& path, std::vector<ConfProblem>& problems,
                            ConfDialect dialect = ConfDialect::kServer);

/// As `read_conf`, from a text; `name` is what problems show. For tests and fuzzing.
APUS_API ConfFile parse_conf(std::string_view text, const std::string& name,
                             std::vector<ConfProblem>& problems,
                             ConfDialect dialect = ConfDialect::kServer);

}  // namespace apus
