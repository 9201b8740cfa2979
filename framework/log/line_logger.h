// Log lines to stderr, a file or syslog, in Swift's form.
#pragma once

#include <apus/log.h>
#include <apus/options.h>

#include <memory>
#include <string>

#include "framework/log/redact.h"

namespace apus {

/// What a section's log_* options say. Equal confs are one log.
struct LogConf {
  std::string name = "swift";
  std::string level = "INFO";
  std::string to = "stderr";            ///< stderr, syslog or file:PATH
  std::string facility = "LOG_LOCAL0";  ///< an unknown one is LOG_LOCAL0, as in Swift
  std::string address = "/dev/log";     ///< syslog's socket; when there is none: UDP localhost:514
  std::string udp_host{};               ///< not empty = syslog over UDP to this host
  int udp_port = 514;
  std::size_t max_line_length = 0;  ///< longer lines lose their middle; 0 = never
  // NOLINTNEXTLINE(modernize-use-nullptr): what is compared with 0 here is no pointer
  friend auto operator<=>(const LogConf&, const LogConf&) = default;
};

/// Reads log_name (else `server_name`), log_level, log_to (else syslog), log_facility, log_address,
/// log_udp_host, log_udp_port and log_max_line_length.
APUS_API LogConf log_conf_of(const Options& options, const std::string& server_name);

/// A line is one write(2) or one datagram, and waits for nobody: what cannot be taken is dropped.
/// Throws std::runtime_error when a file cannot be opened, or `to` or `level` is none of the words.
APUS_API std::unique_ptr<Logger> make_logger(const LogConf& conf);

/// The text of a line as Swift forms it: "NAME: TEXT (txn: ID)", line ends as "#012", secrets cut,
/// the middle of a line over `conf.max_line_length` bytes as " ... ".
APUS_API std::string form_line(const LogConf& conf, std::string_view text,
                               std::string_view trans_id);

}  // namespace apus
