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
  if (!asked_ && std::find(keys_.begin(), keys_.end(), key) == keys_.end())
    keys_.push_back(std::move(key));
}

std::optional<std::string> ForeseenKeys::get(Cache& cache, std::string_view key) {
  const auto at = std::find(keys_.begin(), keys_.end(), key);
  if (at == keys_.end()) return cache.get(key);
  if (!std::exchange(asked_, true)) values_ = cache.get_many(keys_);
  auto& value = values_[static_cast<std::size_t>(at - keys_.begin())];
  at->clear();  // told; no key is empty
  return std::exchange(value, std::nullopt);
}

void ForeseenKeys::drop(std::string_view key) {
  const auto at = std::find(keys_.begin(), keys_.end(), key);
  if (at == keys_.end()) return;
  if (asked_) {
    at->clear();
  } else {
    keys_.erase(at);
  }
}

void ForeseenKeys::clear() {
  keys_.clear();
  values_.clear();
  asked_ = false;
}

}  // namespace apus
