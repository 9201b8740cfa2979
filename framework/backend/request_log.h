// The line that account, container and object servers log for each request, in Swift's form.
#pragma once

#include <apus/log.h>
#include <apus/message.h>

#include <string>

namespace apus {

/// `path` is the decoded path the request came with; `now` in seconds since 1970, `seconds` what
/// the answer took. Nothing is built when the level is not logged. Thread-safe.
APUS_API void log_backend_request(Logger& log, LogLevel level, double now, const Request& request,
                                  const std::string& path, const Response& response,
                                  double seconds);

}  // namespace apus
