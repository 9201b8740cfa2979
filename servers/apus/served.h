// The servers of some confs, made and serving in this process.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/host/process_host.h"
#include "framework/http/server.h"
#include "framework/pipeline/server_plan.h"

namespace apus {

/// Listening sockets by `Served::key`.
using ListeningSockets = std::map<std::string, int>;

/// One thread.
class Served {
 public:
  /// Reads and checks the confs; what is wrong is appended to `problems`.
  Served(const std::vector<std::filesystem::path>& confs, std::vector<ConfProblem>& problems);
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  ~Served();

  /// Reads certificates and keys, for which `start` may have no right any more. Throws as it does.
  void read_keys();
  /// Makes the apps, takes the sockets over (or binds, for those without one) and serves. Throws
  /// std::runtime_error with a line for the deployer. Not after problems that are fatal.
  void start(const ListeningSockets& sockets = {});
  /// What the servers of this swift_dir share; made when there is none yet. Throws as Cluster does.
  Cluster& cluster(const std::string& swift_dir);
  /// Lets go of all listening sockets, with HttpServer::drain: no wait for those under way.
  void drain();
  /// What a server told to stop gives its requests.
  static constexpr std::chrono::seconds kGrace{10};
  /// Accepts no more and lets requests under way finish for `grace`, which is that of all servers.
  void stop(std::chrono::seconds grace);
  /// Connections to all servers, idle ones included.
  [[nodiscard]] int connections() const;
  /// The first port for clients; 0 when there is none.
  [[nodiscard]] int client_port() const { return client_port_; }
  [[nodiscard]] const std::vector<ServerPlan>& plans() const { return plans_; }

  /// Names a listening socket among those of several confs.
  static std::string key(const std::filesystem::path& conf, const Options& options);

 private:
  struct Server;
  std::vector<ServerPlan> plans_;
  std::map<std::filesystem::path, std::shared_ptr<const TlsKey>> keys_;  // by conf
  std::map<std::string, std::unique_ptr<Cluster>> clusters_;
  std::vector<std::unique_ptr<Server>> servers_;  // go before the clusters that they use
  int client_port_ = 0;
};

}  // namespace apus
