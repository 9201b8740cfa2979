// Who may do what: container ACLs (comma lists of groups and referrers), account ACLs (JSON), and
// the account prefixes an auth filter answers for.
#pragma once

#include <apus/abi.h>
#include <apus/message.h>
#include <apus/options.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// X-Container-Read or -Write, taken apart.
struct Acl {
  std::vector<std::string>
      referrers;  ///< "*", "host", ".domain", "-host"; the last that fits decides
  std::vector<std::string> groups;
  bool listings = false;  ///< .rlistings
};

APUS_API Acl parse_acl(std::string_view text);
/// The form in which an ACL is stored, or nothing with `why` set: an unknown designator, a referrer
/// without a host, or referrers in a write ACL.
APUS_API std::optional<std::string> clean_acl(std::string_view text, bool write, std::string& why);
/// Whether the Referer header's host may read.
APUS_API bool referrer_allowed(std::string_view referer, const std::vector<std::string>& referrers);

/// Puts the ACLs that a container's PUT or POST brings into their clean form; a 400 when one is
/// malformed. Does nothing for other requests. What an authorize hook does once it lets one pass.
APUS_API std::optional<Response> clean_container_acls(Request& request);

/// X-Account-Access-Control: names of groups and users.
struct AccountAcl {
  std::vector<std::string> admin;
  std::vector<std::string> read_write;
  std::vector<std::string> read_only;
};
/// From what an account's sysmeta holds. Nothing when it is not a JSON object or names nobody.
APUS_API std::optional<AccountAcl> parse_account_acl(std::string_view json);
/// What is wrong with an ACL that a client sends (Swift's words); empty when nothing is. An empty
/// text, which takes the ACL away, is right.
APUS_API std::string account_acl_fault(std::string_view json);
/// As owners are shown it: compact, members by name. Empty when it is not a JSON object with
/// members.
APUS_API std::string format_account_acl(std::string_view json);

/// Whether the two lists share a member.
APUS_API bool intersect(std::span<const std::string> a, std::span<const std::string> b);

/// The reseller_prefix option: which accounts an auth filter answers for.
class APUS_API Resellers {
 public:
  /// Reads reseller_prefix (commas; "''" or nothing is the empty prefix, which fits every account;
  /// each other one ends in '_', put there when missing).
  explicit Resellers(const Options& options);

  /// Never empty.
  [[nodiscard]] const std::vector<std::string>& prefixes() const { return prefixes_; }
  [[nodiscard]] bool is_prefix(std::string_view text) const;
  /// The one that the account starts with, the empty one last; null when none fits.
  [[nodiscard]] const std::string* prefix_of(std::string_view account) const;
  /// "PREFIX_name" where it is set, else "name", trimmed. `prefix` is one of prefixes().
  [[nodiscard]] std::string option(std::string_view prefix, std::string_view name) const;

 private:
  Options options_;
  std::vector<std::string> prefixes_;
};

}  // namespace apus
