// The shared cache that filters and the proxy see: memcached, or this process.
#pragma once

#include <apus/abi.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// Swift's memcache, seen by logical keys ("container/AUTH_a/c") and JSON texts. Thread-safe. A
/// cache that cannot be reached answers as if empty: nothing here throws, nothing waits past its
/// time-outs.
class APUS_API Cache {
 public:
  Cache() = default;
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;
  virtual ~Cache();

  /// The JSON text stored under the key, or the decimal text of a counter.
  virtual std::optional<std::string> get(std::string_view key) = 0;
  /// `ttl` 0 = for ever. Longer than 30 days is kept that long all the same.
  virtual void set(std::string_view key, std::string_view json, std::chrono::seconds ttl) = 0;
  /// Adds `delta` (may be negative; the counter stops at 0) to a counter made with `ttl` when
  /// absent. Nothing when no server answered.
  virtual std::optional<std::int64_t> increment(std::string_view key, std::int64_t delta,
                                                std::chrono::seconds ttl) = 0;
  virtual void remove(std::string_view key) = 0;

  /// What `get` says of each of the keys, in their order; with as few questions as there are
  /// servers that have them. A key stands there once.
  virtual std::vector<std::optional<std::string>> get_many(std::span<const std::string> keys);
};

/// The keys that a request's filters and its app will read: the first of them that is read is asked
/// for together with all the others. One thread at a time.
class APUS_API ForeseenKeys {
 public:
  void add(std::string key);
  /// As cache.get(key). What was learned with another key is told once; then the cache is asked
  /// again.
  std::optional<std::string> get(Cache& cache, std::string_view key);
  /// It was written, or is not wanted any more.
  void drop(std::string_view key);
  void clear();

 private:
  std::vector<std::string> keys_;
  std::vector<std::optional<std::string>> values_;  ///< of the keys, once asked
  bool asked_ = false;
};

}  // namespace apus
