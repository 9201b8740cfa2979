// Log lines to stderr, a file or syslog.
#pragma once

#include <apus/log.h>

#include <memory>
#include <string>

namespace apus {

struct LogConf {
  std::string name = "swift";
  std::string level = "INFO";
  std::string to = "stderr";  ///< stderr, syslog or file:PATH
};

/// Each line is one write(2). Throws std::runtime_error when the file cannot be opened or `to` or
/// `level` is none of the words.
APUS_API std::unique_ptr<Logger> make_logger(const LogConf& conf);

/// The text with the values of secrets cut: tokens, keys, signatures in headers, queries and
/// options.
APUS_API std::string redact(std::string_view text);

}  // namespace apus
