// What a request may carry: names, metadata, sizes, expiry; Swift's limits, order, statuses and
// texts.
#pragma once

#include <apus/abi.h>
#include <apus/message.h>
#include <apus/swift_conf.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

enum class MetadataKind : std::uint8_t { kAccount, kContainer, kObject };

/// A 400 when a header or X-KIND-Meta-* breaks a limit.
APUS_API std::optional<Response> check_metadata(const Request& request, MetadataKind kind,
                                                const Constraints& limits);

/// Everything an object PUT must pass before its body is read: length (413, 411), name, type,
/// expiry, metadata (400). Turns X-Delete-After into X-Delete-At.
APUS_API std::optional<Response> check_object_creation(Request& request, std::string_view object,
                                                       const Constraints& limits,
                                                       const Timestamp& now);

/// X-Delete-After becomes X-Delete-At; both must be integers that lie after `now` (400).
APUS_API std::optional<Response> check_delete_headers(Request& request, const Timestamp& now);

/// Ten digits, clamped to 0..9999999999.
APUS_API std::string normalize_delete_at(std::int64_t seconds);

/// Not empty, well-formed UTF-8, without NUL unless `reserved` names are allowed.
APUS_API bool is_valid_text(std::string_view text, bool reserved = false);

/// A name may hold NUL only as its first byte; reserved objects live in reserved containers, and
/// only they (400). Empty names are not looked at.
APUS_API std::optional<Response> check_reserved_names(std::string_view account,
                                                      std::string_view container,
                                                      std::string_view object);

/// A name of the hidden namespace: each piece with a NUL before it ("\0versions\0c"). Nothing when
/// a piece holds a NUL itself.
APUS_API std::optional<std::string> reserved_name(std::initializer_list<std::string_view> pieces);
/// The pieces of such a name; nothing when it does not start with NUL.
APUS_API std::optional<std::vector<std::string>> split_reserved_name(std::string_view name);

/// A header that names an account or container: not empty, no '/' (412). `target` is "Account" or
/// "Container".
APUS_API std::optional<Response> check_name_format(std::string_view name, std::string_view target);

APUS_API bool is_valid_api_version(std::string_view version, const Constraints& limits);

/// Twice the limit for accounts that servers make for themselves.
APUS_API std::int64_t max_account_name(std::string_view account, const Constraints& limits);
APUS_API std::int64_t max_container_name(std::string_view account, const Constraints& limits);

/// Characters of a well-formed UTF-8 text; its bytes when it is not well-formed.
APUS_API std::int64_t text_length(std::string_view text);

}  // namespace apus
