#include "middleware/proxy_logging/facts.h"

#include <apus/text.h>

#include <algorithm>
#include <array>

namespace apus::proxy_logging {
namespace {

constexpr std::array<std::string_view, 3> kSecretHeaders = {"X-Auth-Token", "X-Storage-Token",
                                                            "Authorization"};
constexpr std::array<std::string_view, 3> kSecretParams = {"temp_url_sig", "Signature",
                                                           "X-Amz-Signature"};

}  // namespace

std::string policy_of(const Request& request, const Response* response) {
  constexpr std::string_view kName = "X-Backend-Storage-Policy-Index";
  if (response != nullptr) {
    if (const std::string* index = response->internal.find(kName)) return *index;
  }
  if (const std::string* index = request.internal.find(kName)) return *index;
  return request.context.policy_index ? std::to_string(*request.context.policy_index)
                                      : std::string();
}

std::string_view client_of(const Request& request) {
  if (const auto balancer = request.headers.get("X-Cluster-Client-Ip"); !balancer.empty())
    return balancer;
  const std::string_view hops = request.headers.get("X-Forwarded-For");
  const std::string_view first = trim(hops.substr(0, hops.find(',')));
  return first.empty() ? std::string_view(request.context.remote_address) : first;
}

std::string obscured(std::string_view value, std::size_t revealed) {
  if (value.size() <= revealed) return std::string(value);
  return std::string(value.substr(0, revealed)) + "...";
}

std::string logged_path(const Request& request, std::size_t revealed) {
  std::string out = quote(request.path);
  if (request.raw_query.empty()) return out;
  const bool secret = std::any_of(kSecretParams.begin(), kSecretParams.end(),
                                  [&](auto name) { return request.query.has(name); });
  if (!secret) return out.append("?").append(request.raw_query);
  char separator = '?';
  for (const auto& [name, value] : request.query.pairs()) {
    const bool cut =
        std::find(kSecretParams.begin(), kSecretParams.end(), name) != kSecretParams.end();
    out += separator;
    out += quote_plus(name) + "=" + quote_plus(cut ? obscured(value, revealed) : value);
    separator = '&';
  }
  return out;
}

std::string logged_headers(const Request& request, const std::vector<std::string>& only,
                           std::size_t revealed) {
  std::string out;
  const auto add = [&](const std::string& name, std::string_view value) {
    if (!only.empty() && std::none_of(only.begin(), only.end(), [&](const std::string& wanted) {
          return same_name(wanted, name);
        })) {
      return;
    }
    const bool secret = std::any_of(kSecretHeaders.begin(), kSecretHeaders.end(),
                                    [&](auto known) { return same_name(known, name); });
    out.append(out.empty() ? "" : "\n").append(name).append(": ");
    out += secret ? obscured(value, revealed) : value;
  };
  for (const auto& [name, value] : request.headers) add(name, value);
  if (request.content_length && !request.headers.has("Content-Length"))
    add("Content-Length", std::to_string(*request.content_length));
  return out;
}

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out.append(out.empty() ? "" : ",").append(item);
  return out;
}

}  // namespace apus::proxy_logging
