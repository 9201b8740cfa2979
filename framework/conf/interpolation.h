// "%(name)s" in the values of a conf.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/conf/ini_file.h"

namespace apus {

/// Expands the values of one file by ConfigParser's rule: a name is an option of the same section,
/// else of [DEFAULT], else one of `given`; at most ten names deep. Each option is expanded once,
/// and all together make at most 16 MiB. `file` and `problems` outlive it.
class APUS_API Interpolation {
 public:
  using Given = std::map<std::string, std::string, std::less<>>;

  /// `given` starts with here and __file__.
  Interpolation(const ConfFile& file, std::vector<ConfProblem>& problems);
  ~Interpolation();

  /// One more name that is known everywhere unless [DEFAULT] has it.
  void give(const std::string& name, const std::string& value);
  /// The value of an option of `section` (null: of [DEFAULT]). What is wrong is appended to the
  /// problems, and the value is then empty.
  std::string expand(const ConfSection* section, const ConfOption& option);
  [[nodiscard]] const Given& given() const { return given_; }
  /// Names that some value refers to.
  [[nodiscard]] const std::set<std::string, std::less<>>& referred() const { return referred_; }

 private:
  struct Done {
    std::string text;
    int depth = 0;  ///< values with names in them below it
  };
  Done run(const ConfSection* section, const ConfOption& option, int level);
  Done replace(const ConfSection* section, const ConfOption& option, int level);
  Done look_up(const ConfSection* section, const std::string& name, const ConfOption& from,
               int level);
  void fail(const ConfOption& option, const std::string& message);

  const ConfFile& file_;
  std::vector<ConfProblem>& problems_;
  Given given_;
  std::set<std::string, std::less<>> referred_;
  std::map<std::pair<const ConfSection*, const ConfOption*>, Done> done_;
  std::size_t budget_;
  bool failed_ = false;
};

}  // namespace apus
