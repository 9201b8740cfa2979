// The shared cache that filters and the proxy see: memcached, or this process.
#pragma once

#include <apus/abi.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

  /// A second key, and what the cache says of it.
  struct Beside {
    explicit Beside(std::string wanted) : key(std::move(wanted)) {}
    std::string key;
    bool asked = false;                ///< false = nothing is known of it
    std::optional<std::string> value;  ///< as `get` gives it
  };
  /// As get(key). `beside` is answered too where that takes no question of its own.
  virtual std::optional<std::string> get_both(std::string_view key, Beside& beside);
};

}  // namespace apus
