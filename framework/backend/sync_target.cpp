#include "framework/backend/sync_target.h"

#include <apus/text.h>

#include <algorithm>

namespace apus {
namespace {

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

// The host of "host:port", "user@host" or "[v6]:port", in lower case.
std::string host_of(std::string_view authority) {
  authority.remove_prefix(
      authority.rfind('@') == std::string_view::npos ? 0 : authority.rfind('@') + 1);
  if (authority.starts_with('[')) return lower(authority.substr(1, authority.find(']') - 1));
  return lower(authority.substr(0, authority.find(':')));
}

std::string check_url(std::string_view target, const std::vector<std::string>& allowed) {
  const std::size_t colon = target.find(':');
  const std::string scheme = colon == std::string_view::npos ? "" : lower(target.substr(0, colon));
  if (scheme != "http" && scheme != "https")
    return "Invalid scheme " + in_quotes(scheme) +
           " in X-Container-Sync-To, must be \"//\", \"http\", or \"https\".";
  std::string_view rest = target.substr(colon + 1);
  if (rest.starts_with("//")) rest.remove_prefix(2);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  const std::string_view path = rest.substr(end);
  if (!path.starts_with('/')) return "Path required in X-Container-Sync-To";
  if (path.find_first_of("?#;") != std::string_view::npos)
    return "Params, queries, and fragments not allowed in X-Container-Sync-To";
  const std::string host = host_of(authority);
  if (std::find(allowed.begin(), allowed.end(), host) == allowed.end())
    return "Invalid host " + in_quotes(host) + " in X-Container-Sync-To";
  return "";
}

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

std::string_view without_slashes(std::string_view text) {
  while (text.ends_with('/')) text.remove_suffix(1);
  return text;
}

}  // namespace

SyncTarget find_sync_target(std::string_view value, const std::vector<std::string>& allowed_hosts,
                            const SyncRealms& realms) {
  const std::string_view target = without_slashes(value);
  if (target.empty()) return {};
  if (!target.starts_with("//"))
    return {check_url(target, allowed_hosts), std::string(target), "", ""};
  const std::string_view pieces = target.substr(2);
  if (std::count(pieces.begin(), pieces.end(), '/') != 3)
    return {"Invalid X-Container-Sync-To format " + in_quotes(value), "", "", ""};
  const std::string realm(pieces.substr(0, pieces.find('/')));
  const std::size_t cluster_at = realm.size() + 1;
  const std::size_t account_at = pieces.find('/', cluster_at) + 1;
  const std::string cluster(pieces.substr(cluster_at, account_at - 1 - cluster_at));
  const std::string key = realms.key(realm);
  if (key.empty()) return {"No realm key for " + in_quotes(realm), "", "", ""};
  const std::string endpoint = realms.endpoint(realm, cluster);
  if (endpoint.empty()) {
    return {"No cluster endpoint for " + in_quotes(realm) + " " + in_quotes(cluster), "", "", ""};
  }
  return {"", std::string(without_slashes(endpoint)) + "/" + std::string(pieces.substr(account_at)),
          upper(realm), key};
}

}  // namespace apus
