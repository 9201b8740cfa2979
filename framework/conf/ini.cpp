#include <apus/ini.h>
#include <apus/text.h>

#include <stdexcept>

#include "framework/conf/interpolation.h"

namespace apus {

std::optional<IniSections> read_ini(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  std::vector<ConfProblem> problems;
  const ConfFile file = read_conf(path, problems, ConfDialect::kSwiftConf);
  Interpolation values(file, problems);
  IniSections out;
  const ConfSection* defaults = file.find("DEFAULT");
  for (const ConfSection& section : file.sections) {
    if (&section == defaults) continue;
    auto& options = out[section.name];
    for (const ConfSection* from : {defaults, &section}) {
      if (from == nullptr) continue;
      for (const ConfOption& option : from->options)
        options.insert_or_assign(lower(option.name), values.expand(&section, option));
    }
  }
  for (const ConfProblem& problem : problems) {
    if (problem.fatal) throw std::runtime_error(problem.text());
  }
  return out;
}

}  // namespace apus
