#include <apus/local_cache.h>
#include <apus/text.h>

#include <algorithm>
#include <string>

#include "framework/cache/timed_map.h"

namespace apus {
namespace {

class LocalCache final : public Cache {
 public:
  LocalCache(const Clock& clock, std::size_t entries) : clock_(clock), values_(clock, entries) {}

  std::optional<std::string> get(std::string_view key) override {
    return values_.at(key, [](TimedMap::Place& place) {
      const std::string* value = place.value();
      return value != nullptr ? std::optional(*value) : std::nullopt;
    });
  }
  void set(std::string_view key, std::string_view json, std::chrono::seconds ttl) override {
    values_.at(key, [&](TimedMap::Place& place) { place.put(std::string(json), end_of(ttl)); });
  }
  std::optional<std::int64_t> increment(std::string_view key, std::int64_t delta,
                                        std::chrono::seconds ttl) override {
    return values_.at(key, [&](TimedMap::Place& place) {
      std::string* value = place.value();
      const std::int64_t now = value != nullptr ? parse_int(*value).value_or(0) : 0;
      const std::int64_t next = std::max<std::int64_t>(0, now + delta);
      if (value != nullptr) {
        *value = std::to_string(next);
      } else {
        place.put(std::to_string(next), end_of(ttl));
      }
      return std::optional(next);
    });
  }
  void remove(std::string_view key) override {
    values_.at(key, [](TimedMap::Place& place) { place.remove(); });
  }

 private:
  [[nodiscard]] Clock::Steady end_of(std::chrono::seconds ttl) const {
    return ttl.count() == 0 ? Clock::Steady::max() : clock_.steady() + ttl;
  }

  const Clock& clock_;
  TimedMap values_;
};

}  // namespace

std::unique_ptr<Cache> make_local_cache(const Clock& clock, std::size_t entries) {
  return std::make_unique<LocalCache>(clock, entries);
}

}  // namespace apus
