#include "plugins/container-reconciler/tally.h"

#include <algorithm>
#include <chrono>

namespace apus {

void ReconcilerTally::count(LogLevel level, const char* event, const std::string& text) {
  if (log_.enabled(level)) log_.write(level, std::string(event) + ": " + text, {});
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(numbers_.begin(), numbers_.end(),
                               [&](const auto& one) { return one.first == event; });
  if (at == numbers_.end()) {
    numbers_.emplace_back(event, 1);
  } else {
    ++at->second;
  }
}

void ReconcilerTally::report(bool now) {
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    const Clock::Steady time = host_.clock().steady();
    if (!now && time - reported_ <= std::chrono::minutes(1)) return;
    reported_ = time;
    for (const auto& [event, number] : numbers_)
      text += (text.empty() ? "'" : ", '") + event + "': " + std::to_string(number);
  }
  log_.info("Reconciler Stats: {" + text + "}");
}

void ReconcilerTally::clear() {
  const std::lock_guard lock(mutex_);
  numbers_.clear();
}

}  // namespace apus
