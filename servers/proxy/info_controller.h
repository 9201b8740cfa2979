// /info: what this store can do, for everybody and, signed, for its administrators.
#pragma once

#include "servers/proxy/controller.h"

namespace apus {

/// Fills the section "swift" of /info.
void register_info(const Services& services);

class InfoController {
 public:
  explicit InfoController(const Exchange& exchange) : x_(exchange) {}

  [[nodiscard]] static std::string_view allowed() { return "HEAD, GET, OPTIONS"; }
  static bool delays_denial(std::string_view /*method*/) { return true; }
  Response handle() const;

 private:
  /// The status that refuses the signature; 0 when it is right.
  [[nodiscard]] int check(std::string_view signature, std::string_view expires) const;

  const Exchange& x_;
};

}  // namespace apus
