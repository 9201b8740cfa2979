#include "plugins/account-reaper/reaped.h"

namespace apus {
namespace {

constexpr std::array<const char*, 2> kThings = {"containers", "objects"};
constexpr std::array<const char*, 3> kFateNames = {"deleted", "remaining", "possibly_remaining"};

}  // namespace

void Reaped::add(Kind kind, Fate fate) {
  ++numbers_[kind][fate];
  metrics_.increment(std::string(kThings[kind]) + "_" + kFateNames[fate]);
}

void Reaped::count_answer(int status) {
  const auto group = static_cast<std::size_t>(status / 100);
  if (group >= answers_.size()) return;
  ++answers_[group];
  metrics_.increment("return_codes." + std::to_string(group));
}

void Reaped::count(Kind kind, const std::vector<Outcome>& outcomes) {
  std::size_t good = 0;
  for (const Outcome& outcome : outcomes) {
    if (outcome.response) count_answer(outcome.response->status);
    if (outcome.response && outcome.response->is_success()) {
      ++good;
    } else {
      metrics_.increment(std::string(kThings[kind]) + "_failures");
    }
  }
  if (good > outcomes.size() - good) {
    add(kind, kDeleted);
  } else {
    add(kind, good == 0 ? kRemaining : kPossiblyRemaining);
  }
}

std::string Reaped::text() const {
  std::string out;
  for (std::size_t fate = 0; fate < kFates; ++fate) {
    for (std::size_t kind = 0; kind < kThings.size(); ++kind) {
      const std::int64_t count = numbers_[kind][fate];
      if (count == 0) continue;
      const std::string name = fate == kPossiblyRemaining ? "possibly remaining" : kFateNames[fate];
      out += ", " + std::to_string(count) + " " + kThings[kind] + " " + name;
    }
  }
  std::string codes;
  for (std::size_t group = 0; group < answers_.size(); ++group) {
    const std::int64_t count = answers_[group];
    if (count > 0)
      codes +=
          (codes.empty() ? "" : ", ") + std::to_string(count) + " " + std::to_string(group) + "xxs";
  }
  return codes.empty() ? out : out + ", return codes: " + codes;
}

}  // namespace apus
