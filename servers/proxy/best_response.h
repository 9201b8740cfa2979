// Which of several answers the client gets.
#pragma once

#include <apus/message.h>
#include <apus/transport.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "servers/proxy/services.h"

namespace apus {

/// Of n writes, so many must agree.
constexpr std::size_t quorum_size(std::size_t n) { return (n + 1) / 2; }

/// One back end's answer; 503 without headers stands for one that did not come.
using Answers = std::vector<Response>;

/// Some hundred of 1xx to 4xx has a quorum of `nodes`.
bool have_quorum(std::span<const int> statuses, std::size_t nodes);

/// A status that counts as another where the statuses themselves have no quorum (404 as 204 for
/// DELETE); an answer that was renamed is never chosen.
struct StatusOverride {
  int from = 0;
  int to = 0;
};

/// The highest status of the first hundred (2xx, 3xx, 4xx) with a quorum of the answers; else 503,
/// logged as "WHAT returning 503 for STATUSES". The chosen one's headers and body, as Swift's proxy
/// passes them on.
Response best_response(const Services& services, const Request& client, Answers answers,
                       std::string_view what,
                       std::optional<StatusOverride> override = std::nullopt);

/// Reads an answer's body, at most 64 KiB, so that its connection is free. False when it broke.
bool settle_body(Response& answer);
/// The same of an outcome: one whose body broke is a lost connection (kReset), and no answer.
void settle(Outcome& outcome);
/// Drops what stays inside, and unquotes Etag.
void clean_headers(Response& response);

}  // namespace apus
