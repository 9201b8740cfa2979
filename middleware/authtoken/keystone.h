// Keystone's v3 API, as far as tokens are checked with it.
#pragma once

#include <apus/identity.h>
#include <apus/options.h>
#include <apus/web_client.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace apus::authtoken {

/// What is known of a token.
struct Verdict {
  enum class Kind : std::uint8_t {
    kInvalid,
    kValid,
    kUnknown,  ///< Keystone could not be asked
  };
  Kind kind = Kind::kInvalid;
  Identity identity;   ///< of a valid one; without service_roles
  double expires = 0;  ///< of a valid one: seconds since 1970
};

/// For the cache.
std::string to_json(const Verdict& verdict);
std::optional<Verdict> parse_verdict(std::string_view json);

/// The answer to GET /v3/auth/tokens; nothing when it is not one.
std::optional<Verdict> parse_token(std::string_view json);

/// Thread-safe.
class Keystone {
 public:
  explicit Keystone(const Options& options);

  /// kValid or kInvalid. Throws std::exception when Keystone cannot be asked or
  /// refuses the service's own user.
  Verdict validate(const std::string& token) const;

 private:
  /// Asks for a token of the service's own.
  std::string log_in() const;
  WebAnswer ask(const std::string& own, const std::string& token) const;
  /// The present own token, or a new one when that is `stale` or there is none.
  std::string own_token(const std::string& stale) const;

  std::string url_;
  std::string login_;  // body of the log-in request
  WebOptions web_;
  mutable std::mutex mutex_;
  mutable std::string own_;
};

}  // namespace apus::authtoken
