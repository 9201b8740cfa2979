#include <apus/cache.h>

#include <algorithm>
#include <utility>

namespace apus {

std::vector<std::optional<std::string>> Cache::get_many(std::span<const std::string> keys) {
  std::vector<std::optional<std::string>> out;
  out.reserve(keys.size());
  for (const std::string& key : keys) out.push_back(get(key));
  return out;
}

void ForeseenKeys::add(std::string key) {
  const bool known = std::any_of(entries_.begin(), entries_.end(),
                                 [&](const Entry& entry) { return entry.key == key; });
  if (!known && !asked_) entries_.push_back({std::move(key), std::nullopt});
}

std::optional<std::string> ForeseenKeys::get(Cache& cache, std::string_view key) {
  const auto is_it = [&](const Entry& entry) { return entry.key == key; };
  auto at = std::find_if(entries_.begin(), entries_.end(), is_it);
  if (at == entries_.end()) return cache.get(key);
  if (!std::exchange(asked_, true)) {
    std::vector<std::string> keys;
    for (const Entry& entry : entries_) keys.push_back(entry.key);
    auto values = cache.get_many(keys);
    for (std::size_t i = 0; i < values.size(); ++i) entries_[i].value = std::move(values[i]);
  }
  std::optional<std::string> out = std::move(at->value);
  entries_.erase(at);
  return out;
}

void ForeseenKeys::drop(std::string_view key) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.key == key; });
}

}  // namespace apus
