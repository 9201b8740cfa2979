#include "middleware/tempauth/users.h"

#include <apus/digest.h>
#include <apus/text.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <utility>

namespace apus::tempauth {
namespace {

// Users of the sample conf that Swift's packages install.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kSampleUsers = {{
    {"admin:admin", "admin"},
    {"admin:auditor", "admin_ro"},
    {"test:tester", "testing"},
    {"test2:tester2", "testing2"},
    {"test:tester3", "testing3"},
    {"test:tester2", "testing2"},
    {"test5:tester5", "testing5"},
}};

bool is_sample(std::string_view name, std::string_view key) {
  return std::find(kSampleUsers.begin(), kSampleUsers.end(), std::pair(name, key)) !=
         kSampleUsers.end();
}

// A base64 name of an option, whose padding was left out.
std::string decode_name(std::string text) {
  text.append((4 - text.size() % 4) % 4, '=');
  auto raw = base64_decode(text);
  if (!raw || !is_utf8(*raw))
    throw std::runtime_error("user64_ACCOUNT_USER: the names are base64 without '='");
  return std::move(*raw);
}

bool is_url(std::string_view word) {
  return word.find("://") != std::string_view::npos || word.find("$HOST") != std::string_view::npos;
}

}  // namespace

Users::Users(const Options& options, std::vector<std::string> prefixes)
    : prefixes_(std::move(prefixes)), samples_(options.flag("allow_sample_keys")) {
  for (const std::string prefix : {"user_", "user64_"}) {
    for (const auto& [name, value] : options.family(prefix))
      add(name, name.substr(prefix.size()), value.text, prefix == "user64_");
  }
}

void Users::add(const std::string& option, const std::string& names, const std::string& value,
                bool encoded) {
  const std::size_t bar = names.find('_');
  if (bar == std::string::npos || names.find('_', bar + 1) != std::string::npos)
    throw std::runtime_error("key " + option + " was provided in an invalid format");
  std::string account = names.substr(0, bar);
  std::string user = names.substr(bar + 1);
  if (encoded) {
    account = decode_name(account);
    user = decode_name(user);
  }
  std::vector<std::string> words = split_list(value, ' ');
  if (words.empty()) throw std::runtime_error(option + " has no key set");
  User entry;
  entry.key = words.front();
  const std::string name = account + ":" + user;
  if (!samples_ && is_sample(name, entry.key)) {
    throw std::runtime_error(option +
                             " has the key of Swift's sample conf, which everybody knows: choose "
                             "another one, or set allow_sample_keys = yes in a test set-up");
  }
  words.erase(words.begin());
  const bool has_url = !words.empty() && is_url(words.back());
  entry.url = has_url ? words.back() : "$HOST/v1/" + prefixes_.front() + quote(account);
  if (has_url) words.pop_back();
  entry.groups = std::move(words);
  users_[name] = std::move(entry);
}

const User* Users::find(const std::string& name) const {
  const auto at = users_.find(name);
  return at == users_.end() ? nullptr : &at->second;
}

std::vector<std::string> Users::groups(const std::string& name, const User& user) const {
  const std::string account = name.substr(0, name.find(':'));
  std::vector<std::string> out{account, name};
  out.insert(out.end(), user.groups.begin(), user.groups.end());
  const auto admin = std::find(out.begin(), out.end(), ".admin");
  if (admin == out.end()) return out;
  out.erase(admin);
  for (const std::string& prefix : prefixes_) {
    if (!prefix.empty()) out.push_back(prefix + account);
  }
  const std::string id = user.url.substr(user.url.rfind('/') + 1);
  if (std::find(out.begin(), out.end(), id) == out.end()) out.push_back(id);
  return out;
}

}  // namespace apus::tempauth
