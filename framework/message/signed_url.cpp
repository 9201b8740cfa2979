#include <apus/signed_url.h>
#include <apus/text.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace apus {
namespace {

struct KnownDigest {
  std::string_view name;
  DigestKind kind;
  std::size_t digits;  // of its hex form
};
constexpr std::array<KnownDigest, 3> kKnownDigests = {{{"sha1", DigestKind::kSha1, 40},
                                                       {"sha256", DigestKind::kSha256, 64},
                                                       {"sha512", DigestKind::kSha512, 128}}};
constexpr std::string_view kDeprecated = "sha1";
constexpr std::size_t kMaxSignature = 1024;

// Padding does not matter; one alphabet only.
std::optional<std::string> decode_digest(std::string_view text) {
  text = text.substr(0, text.find_last_not_of('=') + 1);
  const bool standard = text.find_first_of("+/") != std::string_view::npos;
  if (standard && text.find_first_of("-_") != std::string_view::npos) return std::nullopt;
  std::string padded(text);
  padded.append((4 - padded.size() % 4) % 4, '=');
  return base64_decode(padded);
}

void add_keys(const InfoFields& meta, bool whole_account, std::vector<ScopedKey>& to) {
  for (const std::string_view name : {"temp-url-key", "temp-url-key-2"}) {
    const std::string_view key = field_of(meta, name);
    if (!key.empty()) to.push_back({std::string(key), whole_account});
  }
}

}  // namespace

std::optional<Signature> parse_signature(std::string_view text) {
  if (text.size() > kMaxSignature) return std::nullopt;
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    const auto raw = decode_digest(text.substr(colon + 1));
    if (!raw) return std::nullopt;
    return Signature{std::string(text.substr(0, colon)), to_hex(*raw)};
  }
  const auto known = std::find_if(kKnownDigests.begin(), kKnownDigests.end(),
                                  [&](const KnownDigest& k) { return k.digits == text.size(); });
  if (known == kKnownDigests.end() || !from_hex(text)) return std::nullopt;
  return Signature{std::string(known->name), std::string(text)};
}

AllowedDigests::AllowedDigests(const Options& options, Logger& log) {
  const std::vector<std::string> wanted = options.list("allowed_digests");
  for (const KnownDigest& known : kKnownDigests) {
    const bool allowed =
        wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const std::string& name) {
          return lower(name) == known.name;
        });
    if (allowed) names_.emplace_back(known.name);
  }
  for (const std::string& name : wanted) {
    const bool known = std::any_of(kKnownDigests.begin(), kKnownDigests.end(),
                                   [&](const KnownDigest& k) { return k.name == lower(name); });
    if (!known) log.warning("allowed_digests: " + name + " is not supported");
  }
  if (names_.empty())
    throw std::runtime_error("allowed_digests has none of sha1, sha256 and sha512");
  if (!wanted.empty() && kind(kDeprecated))
    log.warning("allowed_digests: sha1 is deprecated; leave it out when no client needs it");
}

std::optional<DigestKind> AllowedDigests::kind(std::string_view algorithm) const {
  if (std::find(names_.begin(), names_.end(), algorithm) == names_.end()) return std::nullopt;
  const auto known = std::find_if(kKnownDigests.begin(), kKnownDigests.end(),
                                  [&](const KnownDigest& k) { return k.name == algorithm; });
  return known->kind;
}

void AllowedDigests::describe(Json& section) const {
  section.set("allowed_digests", Json::Array(names_.begin(), names_.end()));
  if (kind(kDeprecated))
    section.set("deprecated_digests", Json::Array{Json(std::string(kDeprecated))});
}

std::vector<ScopedKey> temp_url_keys(Request& request, const App& next, std::string_view account,
                                     std::string_view container, std::string_view source) {
  std::vector<ScopedKey> out;
  add_keys(get_account_info(request, next, account, source)->meta, true, out);
  add_keys(get_container_info(request, next, account, container, source)->meta, false, out);
  return out;
}

}  // namespace apus
