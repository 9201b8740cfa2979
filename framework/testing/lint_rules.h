// The single checks of Lint.
#pragma once

#include <apus/message.h>
#include <apus/testing/lint.h>

#include <functional>
#include <memory>
#include <string>

namespace apus::testing {

/// Takes one broken promise.
using Complain = std::function<void(const std::string& problem)>;

void check_request(const Request& request, const LintReport& report, const Complain& complain);
void check_response(bool head, const Response& response, const Complain& complain);

/// Wraps a body of `length` announced bytes. `raise` is called after each use.
std::unique_ptr<Source> watch_body(std::unique_ptr<Source> body,
                                   std::optional<std::uint64_t> length, Complain complain,
                                   std::function<void()> raise);

}  // namespace apus::testing
