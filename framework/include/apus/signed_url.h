// What tempurl, formpost and their like share: signatures that clients write, digests that the conf
// allows, and the keys that accounts and containers hold.
#pragma once

#include <apus/abi.h>
#include <apus/account_info.h>
#include <apus/app.h>
#include <apus/digest.h>
#include <apus/host.h>
#include <apus/json.h>
#include <apus/options.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// "HEX" (sha1, sha256 or sha512 by its length) or "ALGORITHM:BASE64" (either alphabet, padding or
/// none).
struct Signature {
  std::string algorithm;  ///< as the client names it
  std::string hex;        ///< for "HEX" as it was written
};
/// Nothing when malformed.
APUS_API std::optional<Signature> parse_signature(std::string_view text);

/// The allowed_digests option: words of "sha1 sha256 sha512", all three when empty.
class APUS_API AllowedDigests {
 public:
  /// Warns of unsupported and of deprecated names. Throws std::runtime_error when none is left.
  AllowedDigests(const Options& options, Logger& log);

  /// Nothing when the algorithm is not allowed.
  [[nodiscard]] std::optional<DigestKind> kind(std::string_view algorithm) const;
  /// Adds allowed_digests and deprecated_digests to a section of /info.
  void describe(Json& section) const;

 private:
  std::vector<std::string> names_;
};

/// A Temp-Url-Key or Temp-Url-Key-2 and what it opens.
struct ScopedKey {
  std::string key;
  bool whole_account = false;  ///< else the one container
};
/// The account's keys, then the container's; `source` is the swift.source of the look-ups.
APUS_API std::vector<ScopedKey> temp_url_keys(Request& request, const App& next,
                                              std::string_view account, std::string_view container,
                                              std::string_view source);

}  // namespace apus
