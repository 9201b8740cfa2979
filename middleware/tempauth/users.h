// The users of the conf, and the groups they are in.
#pragma once

#include <apus/options.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace apus::tempauth {

struct User {
  std::string key;
  std::vector<std::string> groups;  ///< as written
  std::string url;                  ///< with "$HOST" where the request's host belongs
};

/// user_ACCOUNT_USER and user64_ACCOUNT_USER. Immutable.
class Users {
 public:
  /// `prefixes` are the account prefixes, the first one that of plain URLs. Throws
  /// std::runtime_error, with the option's name, for a malformed option and for a key of Swift's
  /// sample conf (unless allow_sample_keys).
  Users(const Options& options, std::vector<std::string> prefixes);

  /// By "account:user"; null when there is none.
  [[nodiscard]] const User* find(const std::string& name) const;
  /// "account", "account:user", then the user's own; ".admin" stands for the user's accounts.
  [[nodiscard]] std::vector<std::string> groups(const std::string& name, const User& user) const;

 private:
  void add(const std::string& option, const std::string& names, const std::string& value,
           bool encoded);

  std::vector<std::string> prefixes_;
  bool samples_;
  std::map<std::string, User> users_;
};

}  // namespace apus::tempauth
