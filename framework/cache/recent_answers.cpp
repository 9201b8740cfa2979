#include <apus/recent_answers.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "framework/cache/timed_map.h"

namespace apus {
namespace {

constexpr std::size_t kMost = 20000;

class RecentAnswers final : public Cache {
 public:
  RecentAnswers(std::unique_ptr<Cache> behind, const Clock& clock, std::chrono::nanoseconds age)
      : behind_(std::move(behind)), clock_(clock), age_(age), answers_(clock, kMost) {}

  std::optional<std::string> get(std::string_view key) override { return behind_->get(key); }

  std::vector<std::optional<std::string>> get_many(std::span<const std::string> keys) override {
    std::vector<std::optional<std::string>> out(keys.size());
    std::vector<std::string> unknown;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      answers_.at(keys[i], [&](TimedMap::Place& place) {
        if (const std::string* value = place.value()) out[i] = *value;
      });
      if (out[i]) continue;
      unknown.push_back(keys[i]);
      places.push_back(i);
    }
    if (unknown.empty()) return out;
    const std::uint64_t before = changes_.load();
    const Clock::Steady end = clock_.steady() + age_;
    std::vector<std::optional<std::string>> told = behind_->get_many(unknown);
    for (std::size_t i = 0; i < unknown.size(); ++i) {
      if (told[i]) keep(unknown[i], *told[i], end, before);
      out[places[i]] = std::move(told[i]);
    }
    return out;
  }

  void set(std::string_view key, std::string_view json, std::chrono::seconds ttl) override {
    behind_->set(key, json, ttl);
    forget(key);
  }
  std::optional<std::int64_t> increment(std::string_view key, std::int64_t delta,
                                        std::chrono::seconds ttl) override {
    const auto out = behind_->increment(key, delta, ttl);
    forget(key);
    return out;
  }
  void remove(std::string_view key) override {
    behind_->remove(key);
    forget(key);
  }

 private:
  // What was asked for before a change may be older than it, and is not kept. The count goes up
  // before the key's shard is locked: an answer that saw the old count is in it by then, and goes.
  void forget(std::string_view key) {
    changes_.fetch_add(1);
    answers_.at(key, [](TimedMap::Place& place) { place.remove(); });
  }
  void keep(const std::string& key, const std::string& value, Clock::Steady end,
            std::uint64_t before) {
    answers_.at(key, [&](TimedMap::Place& place) {
      if (changes_.load() == before) place.put(value, end);
    });
  }

  std::unique_ptr<Cache> behind_;
  const Clock& clock_;
  std::chrono::nanoseconds age_;
  TimedMap answers_;
  std::atomic<std::uint64_t> changes_{0};
};

}  // namespace

std::unique_ptr<Cache> make_recent_answers(std::unique_ptr<Cache> behind, const Clock& clock,
                                           std::chrono::nanoseconds age) {
  return std::make_unique<RecentAnswers>(std::move(behind), clock, age);
}

}  // namespace apus
