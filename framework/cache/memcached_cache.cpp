#include <apus/digest.h>
#include <apus/memcached.h>
#include <apus/text.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "framework/cache/memcached_server.h"
#include "framework/cache/server_ring.h"

namespace apus {
namespace {

constexpr std::uint32_t kPickle = 1;
constexpr std::uint32_t kJson = 2;
constexpr std::int64_t kLongestRelative = std::int64_t{30} * 86400;

struct FreeMemcached {
  void operator()(char* bytes) const { std::free(bytes); }  // NOLINT: libmemcached's malloc
};

class MemcachedCache final : public Cache {
 public:
  MemcachedCache(MemcachedConf conf, Clock& clock, Logger& log)
      : conf_(std::move(conf)), clock_(clock), log_(log), ring_(conf_.servers) {
    for (const std::string& name : conf_.servers)
      servers_.push_back(std::make_unique<MemcachedServer>(name, conf_, clock, log));
  }

  std::optional<std::string> get(std::string_view key) override { return read(md5_hex(key)); }

  std::vector<std::optional<std::string>> get_many(std::span<const std::string> keys) override {
    std::vector<std::optional<std::string>> out(keys.size());
    std::map<std::size_t, Group> groups;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      std::string hashed = md5_hex(keys[i]);
      if (const auto server = first_usable(hashed)) {
        groups[*server].add(i, std::move(hashed));
      } else {
        out[i] = read(hashed);
      }
    }
    for (const auto& [server, group] : groups) {
      const bool talked = servers_[server]->run(
          [&, &of = group](memcached_st& memcached) { return get_all(memcached, of, out); });
      if (talked) continue;
      for (std::size_t i = 0; i < group.places.size(); ++i)
        out[group.places[i]] = read(group.hashed[i], server);
    }
    return out;
  }

  void set(std::string_view key, std::string_view json, std::chrono::seconds ttl) override {
    const std::string hashed = md5_hex(key);
    on_servers(hashed, [&](MemcachedServer& server) {
      memcached_return_t code = MEMCACHED_FAILURE;
      const bool talked = server.run([&](memcached_st& memcached) {
        return code = memcached_set(&memcached, hashed.data(), hashed.size(), json.data(),
                                    json.size(), expiry(ttl), kJson);
      });
      if (talked) tell_of_set(server, code, json.size());
      return talked;
    });
  }

  std::optional<std::int64_t> increment(std::string_view key, std::int64_t delta,
                                        std::chrono::seconds ttl) override {
    std::optional<std::int64_t> out;
    const std::string hashed = md5_hex(key);
    on_servers(hashed, [&](MemcachedServer& server) {
      return server.run([&](memcached_st& memcached) {
        std::uint64_t value = 0;
        memcached_return_t code = change(memcached, hashed, delta, value);
        if (code == MEMCACHED_NOTFOUND) {
          value = delta < 0 ? 0 : static_cast<std::uint64_t>(delta);
          const std::string first = std::to_string(value);
          code = memcached_add(&memcached, hashed.data(), hashed.size(), first.data(), first.size(),
                               expiry(ttl), 0);
          if (code == MEMCACHED_NOTSTORED) code = change(memcached, hashed, delta, value);
        }
        if (code == MEMCACHED_SUCCESS || code == MEMCACHED_STORED)
          out = static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX));
        return code;
      });
    });
    return out;
  }

  void remove(std::string_view key) override {
    const std::string hashed = md5_hex(key);
    on_servers(hashed, [&](MemcachedServer& server) {
      return server.run([&](memcached_st& memcached) {
        return memcached_delete(&memcached, hashed.data(), hashed.size(), 0);
      });
    });
  }

 private:
  // `failed`: a server that was asked in vain, and is not asked again.
  std::optional<std::string> read(const std::string& hashed,
                                  std::optional<std::size_t> failed = std::nullopt) {
    std::optional<std::string> out;
    const auto ask = [&](memcached_st& memcached) {
      std::size_t size = 0;
      std::uint32_t flags = 0;
      memcached_return_t code = MEMCACHED_FAILURE;
      const std::unique_ptr<char, FreeMemcached> value(
          memcached_get(&memcached, hashed.data(), hashed.size(), &size, &flags, &code));
      if (code == MEMCACHED_SUCCESS)
        out = readable(std::string_view(value ? value.get() : "", value ? size : 0), flags);
      return code;
    };
    on_servers(
        hashed, [&](MemcachedServer& server) { return server.run(ask); }, failed);
    return out;
  }

  // The key's servers in turn, until one is talked to.
  template <typename Attempt>
  void on_servers(const std::string& hashed, Attempt attempt,
                  std::optional<std::size_t> failed = std::nullopt) {
    bool any = failed.has_value();
    for (const std::size_t at : ring_.choose(hashed, static_cast<std::size_t>(conf_.tries))) {
      if (at == failed || !servers_[at]->usable()) continue;
      any = true;
      if (attempt(*servers_[at])) return;
    }
    if (!any) log_.error("All memcached servers error-limited");
  }

  [[nodiscard]] std::optional<std::size_t> first_usable(const std::string& hashed) const {
    for (const std::size_t at : ring_.choose(hashed, static_cast<std::size_t>(conf_.tries))) {
      if (servers_[at]->usable()) return at;
    }
    return std::nullopt;
  }

  // Keys that one server has, hashed, and their places in the question.
  struct Group {
    void add(std::size_t place, std::string key) {
      places.push_back(place);
      hashed.push_back(std::move(key));
    }
    std::vector<std::size_t> places;
    std::vector<std::string> hashed;
  };

  // One question for all keys. A server that answers with more than was asked for is not to be
  // talked to any longer on this connection.
  static memcached_return_t get_all(memcached_st& memcached, const Group& group,
                                    std::vector<std::optional<std::string>>& out) {
    std::vector<const char*> keys;
    std::vector<std::size_t> sizes;
    keys.reserve(group.hashed.size());
    sizes.reserve(group.hashed.size());
    for (const std::string& hashed : group.hashed) {
      keys.push_back(hashed.data());
      sizes.push_back(hashed.size());
    }
    memcached_return_t code = memcached_mget(&memcached, keys.data(), sizes.data(), keys.size());
    if (code != MEMCACHED_SUCCESS) return code;
    // Not one of libmemcached's making: that it would free itself at the last value.
    memcached_result_st result;
    if (memcached_result_create(&memcached, &result) == nullptr)
      return MEMCACHED_MEMORY_ALLOCATION_FAILURE;
    struct Done {
      void operator()(memcached_result_st* done) const { memcached_result_free(done); }
    };
    const std::unique_ptr<memcached_result_st, Done> owned(&result);
    for (std::size_t i = 0; i <= keys.size(); ++i) {
      if (memcached_fetch_result(&memcached, &result, &code) == nullptr)
        return code == MEMCACHED_END || code == MEMCACHED_NOTFOUND ? MEMCACHED_SUCCESS : code;
      const std::string_view key(memcached_result_key_value(&result),
                                 memcached_result_key_length(&result));
      const auto at = std::find(group.hashed.begin(), group.hashed.end(), key);
      if (at == group.hashed.end()) break;
      out[group.places[static_cast<std::size_t>(at - group.hashed.begin())]] =
          readable({memcached_result_value(&result), memcached_result_length(&result)},
                   memcached_result_flags(&result));
    }
    return MEMCACHED_PROTOCOL_ERROR;
  }

  // What others put there may be anything: only JSON texts and plain counters are taken.
  static std::optional<std::string> readable(std::string_view value, std::uint32_t flags) {
    if ((flags & kPickle) != 0) return std::nullopt;
    if ((flags & kJson) != 0) return std::string(value);
    value = trim(value);  // memcached leaves blanks where a counter got shorter
    return parse_digits(value) ? std::optional(std::string(value)) : std::nullopt;
  }

  [[nodiscard]] std::time_t expiry(std::chrono::seconds ttl) const {
    std::int64_t out = std::max<std::int64_t>(0, ttl.count());
    if (out > kLongestRelative) out += static_cast<std::int64_t>(clock_.now());
    return out;
  }

  static memcached_return_t change(memcached_st& memcached, const std::string& hashed,
                                   std::int64_t delta, std::uint64_t& value) {
    const std::uint64_t size =
        delta < 0 ? 0 - static_cast<std::uint64_t>(delta) : static_cast<std::uint64_t>(delta);
    const auto offset = static_cast<std::uint32_t>(std::min<std::uint64_t>(size, UINT32_MAX));
    return delta < 0
               ? memcached_decrement(&memcached, hashed.data(), hashed.size(), offset, &value)
               : memcached_increment(&memcached, hashed.data(), hashed.size(), offset, &value);
  }

  void tell_of_set(const MemcachedServer& server, memcached_return_t code, std::size_t size) {
    if (code != MEMCACHED_SUCCESS && code != MEMCACHED_STORED) {
      log_.error("Error setting value in memcached: " + server.name() + ": " +
                 memcached_strerror(nullptr, code));
    }
    const std::int64_t limit = conf_.item_size_warning_threshold;
    if (limit >= 0 && static_cast<std::int64_t>(size) >= limit) {
      log_.warning("Item size larger than warning threshold: " + std::to_string(size) +
                   " >= " + std::to_string(limit));
    }
  }

  MemcachedConf conf_;
  Clock& clock_;
  Logger& log_;
  ServerRing ring_;
  std::vector<std::unique_ptr<MemcachedServer>> servers_;
};

}  // namespace

std::unique_ptr<Cache> make_memcached_cache(MemcachedConf conf, Clock& clock, Logger& log) {
  return std::make_unique<MemcachedCache>(std::move(conf), clock, log);
}

}  // namespace apus
