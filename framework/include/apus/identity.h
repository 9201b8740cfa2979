// Who a token belongs to, as an identity service (Keystone) says: made by the filter that validates
// tokens, read by the one that decides.
#pragma once

#include <apus/abi.h>

#include <string>
#include <vector>

namespace apus {

/// Ids and names of one user within one project. Immutable once in a Context. Texts are empty
/// where the service said nothing (a domain-scoped token has no project).
struct APUS_API Identity {
  std::string user_id;
  std::string user_name;
  std::string user_domain_id;
  std::string user_domain_name;
  std::string project_id;
  std::string project_name;
  std::string project_domain_id;
  std::string project_domain_name;
  std::vector<std::string> roles;
  std::vector<std::string> service_roles;  ///< of X-Service-Token's user, once that was valid

  Identity();
  Identity(const Identity&);
  Identity& operator=(const Identity&);
  ~Identity();
};

}  // namespace apus
