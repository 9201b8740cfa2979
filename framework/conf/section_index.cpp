#include "framework/conf/section_index.h"

#include <span>

#include "framework/conf/nearest_name.h"
#include "framework/conf/python_text.h"

namespace apus {
namespace {

// Of each group the first kind that has the name counts; two groups that have it are a mistake.
using Group = std::vector<std::string_view>;

std::span<const Group> groups_of(PasteKind kind) {
  static const std::vector<Group> apps = {
      {"app", "application"}, {"composite", "composit"}, {"pipeline"}, {"filter-app"}};
  static const std::vector<Group> filters = {{"filter"}};
  return kind == PasteKind::kApp ? std::span<const Group>(apps) : std::span<const Group>(filters);
}

}  // namespace

SectionIndex::SectionIndex(const ConfFile& file) {
  for (const ConfSection& section : file.sections) {
    const std::size_t colon = section.name.find(':');
    if (colon == std::string::npos) continue;
    const auto name = strip_blanks(std::string_view(section.name).substr(colon + 1), false);
    all_[section.name.substr(0, colon)][std::string(name)].push_back(&section);
  }
}

const ConfSection* SectionIndex::find(PasteKind kind, const std::string& name,
                                      std::string& problem) const {
  std::vector<const ConfSection*> found;
  std::vector<std::string> others;
  for (const Group& group : groups_of(kind)) {
    for (const std::string_view prefix : group) {
      const auto named = all_.find(prefix);
      if (named == all_.end()) continue;
      for (const auto& [other, sections] : named->second) others.push_back(other);
      const auto at = named->second.find(name);
      if (at == named->second.end()) continue;
      found.insert(found.end(), at->second.begin(), at->second.end());
      break;
    }
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    const std::string near = nearest_name(name, others);
    problem =
        std::string("no section for '") + name + "'; expected " +
        (kind == PasteKind::kApp
             ? "[app:" + name + "], or [pipeline:], [composite:] or [filter-app:] of that name"
             : "[filter:" + name + "]") +
        (near.empty() ? "" : "; did you mean " + near + "?");
    return nullptr;
  }
  problem = "'" + name + "' is the name of several sections; keep one of";
  for (const ConfSection* section : found) problem += " [" + section->name + "]";
  return nullptr;
}

}  // namespace apus
