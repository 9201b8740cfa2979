// What an access log tells of a request, with the secrets in it cut.
#pragma once

#include <apus/message.h>

#include <string>
#include <string_view>
#include <vector>

namespace apus::proxy_logging {

/// The storage policy's index as text; empty when there is none. `response` may be null.
std::string policy_of(const Request& request, const Response* response);
/// Who asked, as a load balancer in front says, else the peer.
std::string_view client_of(const Request& request);
/// The first `revealed` characters and "..."; shorter texts as they are.
std::string obscured(std::string_view value, std::size_t revealed);
/// Path and query.
std::string logged_path(const Request& request, std::size_t revealed);
/// "Name: value" lines of the fields in `only`; an empty list means all of them.
std::string logged_headers(const Request& request, const std::vector<std::string>& only,
                           std::size_t revealed);
std::string joined(const std::vector<std::string>& items);

}  // namespace apus::proxy_logging
