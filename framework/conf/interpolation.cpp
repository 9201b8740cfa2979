#include "framework/conf/interpolation.h"

#include <apus/text.h>

#include <algorithm>

namespace apus {
namespace {

constexpr int kMaxDepth = 10;
constexpr std::size_t kBudget = 16U << 20U;

}  // namespace

Interpolation::Interpolation(const ConfFile& file, std::vector<ConfProblem>& problems)
    : file_(file), problems_(problems), budget_(kBudget) {
  given_["here"] = file.here.string();
  given_["__file__"] = file.path.string();
}

Interpolation::~Interpolation() = default;

void Interpolation::give(const std::string& name, const std::string& value) {
  given_[name] = value;
}

std::string Interpolation::expand(const ConfSection* section, const ConfOption& option) {
  const bool plain =
      option.value.find(file_.dialect == ConfDialect::kServer ? "%(" : "%") == std::string::npos;
  if (plain) return option.value;
  failed_ = false;
  Done done = run(section, option, 1);
  return failed_ ? std::string() : std::move(done.text);
}

void Interpolation::fail(const ConfOption& option, const std::string& message) {
  if (!failed_) problems_.push_back({true, option.origin, option.name, message});
  failed_ = true;
}

Interpolation::Done Interpolation::run(const ConfSection* section, const ConfOption& option,
                                       int level) {
  const auto key = std::pair(section, &option);
  auto known = done_.find(key);
  if (known == done_.end()) {
    Done fresh = replace(section, option, level);
    if (failed_) return {};
    known = done_.emplace(key, std::move(fresh)).first;
  }
  if (level + known->second.depth > kMaxDepth) {
    fail(option, "names in it lead on more than 10 deep, or in a circle");
    return {};
  }
  return known->second;
}

Interpolation::Done Interpolation::replace(const ConfSection* section, const ConfOption& option,
                                           int level) {
  Done out;
  if (level > kMaxDepth) {
    fail(option, "names in it lead on more than 10 deep, or in a circle");
    return out;
  }
  std::string_view text = option.value;
  while (!text.empty() && !failed_) {
    const std::size_t percent = std::min(text.find('%'), text.size());
    Done piece{std::string(text.substr(0, percent)), -1};
    text.remove_prefix(percent);
    if (text.starts_with("%%")) {
      piece.text += '%';
      text.remove_prefix(2);
    } else if (!text.empty()) {
      const std::size_t close = text.find(')');
      if (!text.starts_with("%(") || close == std::string_view::npos || close < 3 ||
          !text.substr(close).starts_with(")s")) {
        fail(option, "a '%' here is written '%%', or starts a %(name)s");
        break;
      }
      const Done found = look_up(section, std::string(text.substr(2, close - 2)), option, level);
      piece.text += found.text;
      piece.depth = found.depth;
      text.remove_prefix(close + 2);
    }
    if (piece.text.size() > budget_) {
      fail(option, "names in this file expand to more than 16 MiB");
      break;
    }
    budget_ -= piece.text.size();
    out.text += piece.text;
    out.depth = std::max(out.depth, piece.depth + 1);
  }
  return out;
}

Interpolation::Done Interpolation::look_up(const ConfSection* section, const std::string& raw,
                                           const ConfOption& from, int level) {
  const std::string name = file_.dialect == ConfDialect::kSwiftConf ? lower(raw) : raw;
  referred_.insert(name);
  for (const ConfSection* part : {section, file_.find("DEFAULT")}) {
    const ConfOption* option = part != nullptr ? part->find(name) : nullptr;
    if (option == nullptr) continue;
    if (option->value.find('%') == std::string::npos) return {option->value, -1};
    return run(section, *option, level + 1);
  }
  if (const auto at = given_.find(name); at != given_.end()) return {at->second, -1};
  fail(from, "%(" + name +
                 ")s is not known; an option of this section or of [DEFAULT], here or __file__");
  return {};
}

}  // namespace apus
