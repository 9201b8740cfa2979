#include "middleware/tempauth/tokens.h"

#include <apus/json.h>
#include <apus/text.h>

#include <set>

namespace apus::tempauth {
namespace {

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out.append(out.empty() ? "" : ",").append(word);
  return out;
}

bool same_members(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::set(a.begin(), a.end()) == std::set(b.begin(), b.end());
}

}  // namespace

std::string Tokens::token_key(std::string_view token) const {
  return (prefix_ + "/token/").append(token);
}

std::optional<Grant> Tokens::find(Cache& cache, ForeseenKeys& foreseen,
                                  std::string_view token) const {
  return read(foreseen.get(cache, token_key(token)));
}

std::optional<Grant> Tokens::read(const std::optional<std::string>& value) const {
  const auto json = value ? Json::parse(*value) : std::nullopt;
  if (!json || json->array() == nullptr || json->array()->size() != 2) return std::nullopt;
  const auto end = (*json->array())[0].number();
  const std::string* groups = (*json->array())[1].text();
  const bool good = end && groups != nullptr && !groups->empty() && *end >= host_.clock().now();
  return good ? std::optional(Grant{*end, *groups}) : std::nullopt;
}

std::optional<Issued> Tokens::present(Cache& cache, const std::string& user,
                                      const std::vector<std::string>& groups) const {
  const auto value = cache.get(prefix_ + "/user/" + user);
  const auto json = value ? Json::parse("[" + *value + "]") : std::nullopt;
  if (!json || json->array()->size() != 1) return std::nullopt;
  const std::string* token = json->array()->front().text();
  const auto grant = token != nullptr ? find(cache, *token) : std::nullopt;
  if (!grant || !same_members(split_list(grant->groups), groups)) return std::nullopt;
  return Issued{*token, grant->end};
}

std::optional<Issued> Tokens::issue(Cache& cache, const std::string& user,
                                    const std::vector<std::string>& groups) const {
  if (auto old = present(cache, user, groups)) return old;
  const Issued out{prefix_ + "tk" + host_.entropy().hex(16),
                   host_.clock().now() + static_cast<double>(life_.count())};
  cache.set(token_key(out.token), Json(Json::Array{Json(out.end), Json(join(groups))}).dump(),
            life_);
  if (!find(cache, out.token)) return std::nullopt;
  std::string quoted;
  append_json_string(quoted, out.token);
  cache.set(prefix_ + "/user/" + user, quoted, life_);
  return out;
}

}  // namespace apus::tempauth
