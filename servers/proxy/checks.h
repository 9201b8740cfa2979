// What a request may carry: metadata, names, sizes, by Swift's limits and in its order.
#pragma once

#include <apus/message.h>
#include <apus/swift_conf.h>

#include <optional>
#include <string_view>

namespace apus {

/// `kind` is "Account", "Container" or "Object". A 400 with Swift's text, or nothing.
std::optional<Response> bad_metadata(const Request& request, std::string_view kind,
                                     const Constraints& limits);
/// Everything an object PUT must pass before its body is read; may set Content-Type and
/// X-Delete-At.
std::optional<Response> bad_object(Request& request, std::string_view object,
                                   const Constraints& limits, std::int64_t now);
/// X-Delete-After becomes X-Delete-At; both are checked.
std::optional<Response> bad_expiry(Request& request, std::int64_t now);

}  // namespace apus
