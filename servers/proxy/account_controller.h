// Requests for accounts.
#pragma once

#include "servers/proxy/controller.h"

namespace apus {

class AccountController {
 public:
  explicit AccountController(const Exchange& exchange) : x_(exchange) {}

  [[nodiscard]] std::string_view allowed() const;
  static bool delays_denial(std::string_view /*method*/) { return false; }
  Response handle() const;

 private:
  Response read() const;
  Response put() const;
  Response post() const;
  Response remove() const;
  [[nodiscard]] std::optional<Response> bad_name() const;
  Response send(const char* method) const;

  const Exchange& x_;
};

}  // namespace apus
