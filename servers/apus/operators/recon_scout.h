// Asks the servers of a ring for what their recon filter tells, many at a time.
#pragma once

#include <apus/json.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace apus {

struct ReconHost {
  std::string ip;
  int port = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): what is compared with 0 here is no pointer
  friend auto operator<=>(const ReconHost&, const ReconHost&) = default;
};

/// What came from one host.
struct ReconAnswer {
  std::string url;
  int status = -1;  ///< HTTP's; -1 for no answer or one that is no JSON
  Json content;
  std::string server;  ///< the Server field
  double begun = 0;    ///< seconds since 1970
  double ended = 0;

  [[nodiscard]] bool good() const { return status == 200; }
  /// "IP:PORT"
  [[nodiscard]] std::string netloc() const;
};

struct ReconOptions {
  bool verbose = false;
  bool suppress = false;
  std::chrono::seconds timeout{5};
  std::vector<ReconHost> hosts;
  std::string server_type = "object";
  std::string swift_dir = "/etc/swift";
};

/// GET /recon/CHECK from every host, 30 at a time; in the hosts' order. Prints "-> URL: ..." lines
/// for failures, and for answers with `verbose`.
std::vector<ReconAnswer> ask_recon(const ReconOptions& options, const std::string& check);

/// OPTIONS / from every host.
std::vector<ReconAnswer> ask_server_type(const ReconOptions& options);

/// As Python shows it: {'a': None, 'b': [True, 1.5]}.
std::string json_repr(const Json& value);

}  // namespace apus
