#include <apus/acl.h>
#include <apus/json.h>
#include <apus/text.h>

#include <algorithm>
#include <array>

namespace apus {
namespace {

constexpr std::array<std::string_view, 3> kKeys = {"admin", "read-write", "read-only"};
constexpr std::size_t kMaxSize = 64U << 10U;  // header values are far smaller

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::vector<std::string> names_in(const Json& acl, std::string_view key) {
  std::vector<std::string> out;
  const Json* list = acl.find(key);
  if (list == nullptr || list->array() == nullptr) return out;
  for (const Json& item : *list->array()) {
    if (item.text() != nullptr) out.push_back(*item.text());
  }
  return out;
}

std::optional<Json> parse_object(std::string_view json) {
  auto acl = Json::parse(json, kMaxSize);
  if (!acl || acl->object() == nullptr) return std::nullopt;
  return acl;
}

}  // namespace

std::optional<AccountAcl> parse_account_acl(std::string_view json) {
  const auto acl = parse_object(json);
  if (!acl) return std::nullopt;
  AccountAcl out{names_in(*acl, kKeys[0]), names_in(*acl, kKeys[1]), names_in(*acl, kKeys[2])};
  if (out.admin.empty() && out.read_write.empty() && out.read_only.empty()) return std::nullopt;
  return out;
}

std::string account_acl_fault(std::string_view json) {
  if (json.empty()) return "";
  const auto acl = parse_object(json);
  if (!acl) return "Syntax error in input (" + python_repr(json) + ")";
  for (const auto& [key, value] : *acl->object()) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end())
      return "Key " + json_text(key) + " not recognized";
  }
  for (const std::string_view key : kKeys) {
    const Json* list = acl->find(key);
    if (list == nullptr) continue;
    if (list->array() == nullptr) return "Value for key " + json_text(key) + " must be a list";
    for (const Json& item : *list->array()) {
      if (item.text() == nullptr) return "Elements of " + json_text(key) + " list must be strings";
    }
  }
  return "";
}

std::string format_account_acl(std::string_view json) {
  const auto acl = parse_object(json);
  return acl && !acl->object()->empty() ? acl->dump(true, true) : std::string();
}

Resellers::Resellers(const Options& options) : options_(options) {
  for (std::string prefix : split_list(options.text("reseller_prefix"))) {
    if (prefix == "''") prefix.clear();
    if (!prefix.empty() && !prefix.ends_with('_')) prefix += '_';
    if (!is_prefix(prefix)) prefixes_.push_back(std::move(prefix));
  }
  if (prefixes_.empty()) prefixes_.emplace_back();
}

bool Resellers::is_prefix(std::string_view text) const {
  return std::find(prefixes_.begin(), prefixes_.end(), text) != prefixes_.end();
}

const std::string* Resellers::prefix_of(std::string_view account) const {
  const std::string* empty = nullptr;
  for (const std::string& prefix : prefixes_) {
    if (prefix.empty()) {
      empty = &prefix;
    } else if (account.starts_with(prefix)) {
      return &prefix;
    }
  }
  return empty;
}

std::string Resellers::option(std::string_view prefix, std::string_view name) const {
  const std::string own = (prefix.empty() ? "''" : std::string(prefix)).append(name);
  const auto& values = options_.all();
  if (const auto at = values.find(own); at != values.end() && !trim(at->second.text).empty())
    return std::string(trim(at->second.text));
  return std::string(trim(options_.text(name)));
}

}  // namespace apus
