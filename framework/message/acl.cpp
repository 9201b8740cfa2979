#include <apus/acl.h>
#include <apus/text.h>

#include <algorithm>
#include <array>

namespace apus {
namespace {

constexpr std::array<std::string_view, 4> kReferrerWords = {".r", ".ref", ".referer", ".referrer"};

bool is_referrer(std::string_view word) {
  return std::find(kReferrerWords.begin(), kReferrerWords.end(), word) != kReferrerWords.end();
}

// The host of a URL, lower case; "unknown" when there is none.
std::string host_of(std::string_view url) {
  const std::size_t slashes = url.find("//");
  const std::size_t colon = url.find(':');
  if (slashes != 0 && (slashes == std::string_view::npos || colon + 1 != slashes)) return "unknown";
  url.remove_prefix(slashes + 2);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos)
    url.remove_prefix(at + 1);
  const bool bracketed = url.starts_with('[');
  url = bracketed ? url.substr(1, url.find(']') - 1) : url.substr(0, url.find(':'));
  return url.empty() ? "unknown" : lower(url);
}

// ".r:HOST" of what stands behind the designator; nothing when that names no host.
std::optional<std::string> clean_referrer(std::string_view host) {
  const bool negative = host.starts_with('-');
  if (negative) host = trim(host.substr(1));
  if (host.size() > 1 && host.starts_with('*')) host = trim(host.substr(1));
  if (host.empty() || host == ".") return std::nullopt;
  return std::string(negative ? ".r:-" : ".r:").append(host);
}

std::optional<std::string> clean_word(const std::string& word, bool write, std::string& why) {
  const std::size_t colon = word.find(':');
  if (colon == std::string::npos || !word.starts_with('.')) return word;
  const std::string_view first = trim(std::string_view(word).substr(0, colon));
  if (!is_referrer(first)) {
    why = "Unknown designator " + python_repr(first) + " in ACL: " + python_repr(word);
    return std::nullopt;
  }
  if (write) {
    why = "Referrers not allowed in write ACL: " + python_repr(word);
    return std::nullopt;
  }
  auto clean = clean_referrer(trim(std::string_view(word).substr(colon + 1)));
  if (!clean) why = "No host/domain value after referrer designation in ACL: " + python_repr(word);
  return clean;
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
    const auto clean = clean_word(word, write, why);
    if (!clean) return std::nullopt;
    out.append(out.empty() ? "" : ",").append(*clean);
  }
  return out;
}

bool referrer_allowed(std::string_view referer, const std::vector<std::string>& referrers) {
  if (referrers.empty()) return false;
  bool allowed = false;
  const std::string host = host_of(referer);
  for (const std::string& rule : referrers) {
    const bool negative = rule.starts_with('-');
    const std::string_view name = std::string_view(rule).substr(negative ? 1 : 0);
    if ((name == "*" && !negative) || name == host ||
        (name.starts_with('.') && host.ends_with(name)))
      allowed = !negative;
  }
  return allowed;
}

std::optional<Response> clean_container_acls(Request& request) {
  if (request.method != "PUT" && request.method != "POST") return std::nullopt;
  const auto path = split_api_path(request.path, 3);
  if (!path || !path->object.empty()) return std::nullopt;
  for (const auto& [name, write] :
       {std::pair<const char*, bool>{"X-Container-Read", false}, {"X-Container-Write", true}}) {
    const std::string* text = request.headers.find(name);
    if (text == nullptr) continue;
    std::string why;
    auto clean = clean_acl(*text, write, why);
    if (!clean) return Response(400, why, "text/html; charset=UTF-8");
    request.headers.set(name, std::move(*clean));
  }
  return std::nullopt;
}

bool intersect(std::span<const std::string> a, std::span<const std::string> b) {
  return std::find_first_of(a.begin(), a.end(), b.begin(), b.end()) != a.end();
}

}  // namespace apus
