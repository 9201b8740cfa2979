// Tokens in the shared cache, under Swift's keys: a proxy of Swift's beside this one takes them.
#pragma once

#include <apus/cache.h>
#include <apus/host.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apus::tempauth {

/// What a token stands for until `end` (seconds since 1970): a comma list of groups.
struct Grant {
  double end = 0;
  std::string groups;
};

struct Issued {
  std::string token;
  double end = 0;
};

/// Thread-safe. `host` outlives it.
class Tokens {
 public:
  Tokens(Host& host, std::string prefix, std::chrono::seconds life)
      : host_(host), prefix_(std::move(prefix)), life_(life) {}

  void foresee(std::string_view token, ForeseenKeys& keys) const { keys.add(token_key(token)); }
  /// Nothing for a token that is unknown or has run out.
  [[nodiscard]] std::optional<Grant> find(Cache& cache, ForeseenKeys& foreseen,
                                          std::string_view token) const;
  /// The user's present token while it stands for the same groups, else a new one. Nothing when the
  /// cache keeps none.
  [[nodiscard]] std::optional<Issued> issue(Cache& cache, const std::string& user,
                                            const std::vector<std::string>& groups) const;

 private:
  [[nodiscard]] std::string token_key(std::string_view token) const;
  [[nodiscard]] std::optional<Grant> read(const std::optional<std::string>& value) const;
  [[nodiscard]] std::optional<Grant> find(Cache& cache, std::string_view token) const {
    return read(cache.get(token_key(token)));
  }
  [[nodiscard]] std::optional<Issued> present(Cache& cache, const std::string& user,
                                              const std::vector<std::string>& groups) const;

  Host& host_;
  std::string prefix_;
  std::chrono::seconds life_;
};

}  // namespace apus::tempauth
