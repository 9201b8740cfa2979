// Requests on their way in: what they store is encrypted, what they compare is made comparable.
#pragma once

#include <apus/app.h>

#include <string>
#include <utility>
#include <vector>

#include "middleware/encryption/rules.h"

namespace apus::encryption {

/// Object PUT and POST. Throw Refused.
Response put_encrypted(Request& request, const App& next, const Rules& rules);
Response post_encrypted(Request& request, const App& next, const Rules& rules);

/// While it lives, the ETags of If-Match and If-None-Match stand beside their HMACs, and the object
/// server knows where to look. Throws Refused.
class MaskedConditions {
 public:
  MaskedConditions(Request& request, const Rules& rules);
  MaskedConditions(const MaskedConditions&) = delete;
  MaskedConditions& operator=(const MaskedConditions&) = delete;
  /// Filters in front see the request as it was.
  ~MaskedConditions();

 private:
  bool mask(const char* name);

  Request& request_;
  const Rules& rules_;
  std::vector<Keys> keys_;
  std::vector<std::pair<const char*, std::string>> before_;
};

}  // namespace apus::encryption
