#include <apus/acl.h>
#include <apus/text.h>

namespace apus {
namespace {

bool is_referrer(std::string_view word) {
  return word == ".r" || word == ".ref" || word == ".referer" || word == ".referrer";
}

std::string_view host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos)
    url.remove_prefix(at + 1);
  return url.substr(0, url.find(':'));
}

}  // namespace

Acl parse_acl(std::string_view text) {
  Acl out;
  for (const std::string& word : split_list(text)) {
    if (word == ".rlistings") {
      out.listings = true;
    } else if (word.starts_with(".r:")) {
      out.referrers.push_back(word.substr(3));
    } else {
      out.groups.push_back(unquote(word));
    }
  }
  return out;
}

std::optional<std::string> clean_acl(std::string_view text, bool write, std::string& why) {
  std::string out;
  for (const std::string& word : split_list(text)) {
    std::string clean = word;
    const std::size_t colon = word.find(':');
    const std::string first(trim(std::string_view(word).substr(0, colon)));
    if (first.starts_with('.') && is_referrer(lower(first)) && colon != std::string::npos) {
      if (write) {
        why = "Referrers not allowed in write ACL: '" + word + "'";
        return std::nullopt;
      }
      std::string host(trim(std::string_view(word).substr(colon + 1)));
      const bool negative = host.starts_with('-');
      if (negative) host = std::string(trim(std::string_view(host).substr(1)));
      if (host.size() > 1 && host.starts_with('*'))
        host = std::string(trim(std::string_view(host).substr(1)));
      if (host.empty() || host == ".") {
        why = "No host/domain value after referrer designation in ACL: '" + word + "'";
        return std::nullopt;
      }
      clean = ".r:" + std::string(negative ? "-" : "") + host;
    } else if (first.starts_with('.') && first != ".rlistings") {
      why = "Unknown designator '" + first + "' in ACL: '" + word + "'";
      return std::nullopt;
    }
    out += (out.empty() ? "" : ",") + clean;
  }
  return out;
}

bool referrer_allowed(std::string_view referer, const std::vector<std::string>& referrers) {
  bool allowed = false;
  const std::string host = lower(host_of(referer));
  for (const std::string& rule : referrers) {
    const bool negative = rule.starts_with('-');
    const std::string_view name =
        negative ? std::string_view(rule).substr(1) : std::string_view(rule);
    if (name == "*" || name == host ||
        (name.starts_with('.') && host.ends_with(name) && !host.empty()))
      allowed = !negative;
  }
  return allowed;
}

}  // namespace apus
