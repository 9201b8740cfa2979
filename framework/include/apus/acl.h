// Container ACLs: comma lists of groups and of referrers.
#pragma once

#include <apus/abi.h>

#include <optional>
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
/// The form in which an ACL is stored, or nothing with `why` set: an unknown designator, or
/// referrers in a write ACL.
APUS_API std::optional<std::string> clean_acl(std::string_view text, bool write, std::string& why);
/// Whether the Referer header's host may read.
APUS_API bool referrer_allowed(std::string_view referer, const std::vector<std::string>& referrers);

}  // namespace apus
