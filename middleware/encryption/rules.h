// What every part of encryption works with.
#pragma once

#include <apus/crypto_keys.h>
#include <apus/host.h>
#include <apus/message.h>

#include <memory>
#include <string>
#include <vector>

namespace apus::encryption {

inline constexpr const char* kBodyMeta = "X-Object-Sysmeta-Crypto-Body-Meta";
inline constexpr const char* kEtag = "X-Object-Sysmeta-Crypto-Etag";
inline constexpr const char* kEtagMac = "X-Object-Sysmeta-Crypto-Etag-Mac";
inline constexpr const char* kListingEtag = "X-Object-Sysmeta-Container-Update-Override-Etag";
inline constexpr const char* kMetadataMeta = "X-Object-Transient-Sysmeta-Crypto-Meta";
inline constexpr const char* kMetadataPrefix = "X-Object-Transient-Sysmeta-Crypto-Meta-";
inline constexpr const char* kUserPrefix = "X-Object-Meta-";

struct Rules {
  Host& host;
  Logger& log;
};

/// Thrown: the request ends with a 500 of this text.
struct Refused {
  std::string text;
  const char* type = "text/plain";

  [[nodiscard]] Response answer(const Request& request) const;
};

using Keys = std::shared_ptr<const CryptoKeys>;

/// What `keys_of` must bring.
enum class Wanted : std::uint8_t { kContainer, kObject, kBoth };

/// The keys of the request's path: as they are now when `id` is null. Throws Refused when there are
/// none and UnknownSecretId when `id` is of a secret that is not loaded.
Keys keys_of(const Request& request, const Json* id, Wanted wanted, const Rules& rules);

/// The keys of every root secret, the active one first.
std::vector<Keys> keys_of_all_secrets(const Request& request, Wanted wanted, const Rules& rules);

}  // namespace apus::encryption
