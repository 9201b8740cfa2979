#include "servers/apus/serve.h"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <map>
#include <memory>

#include "framework/host/process_host.h"
#include "framework/http/server.h"
#include "framework/pipeline/server_plan.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kGrace{10};

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// One conf on its way to a listening server.
struct Server {
  explicit Server(ServerPlan p) : plan(std::move(p)) {}
  ServerPlan plan;
  std::unique_ptr<ServerHost> host;
  std::shared_ptr<const App> app;
  std::unique_ptr<HttpServer> http;
};

ListenerConf listener_of(Server& server) {
  const Options& options = server.plan.options;
  const Constraints& limits = server.host->swift_conf().constraints;
  ListenerConf out;
  out.bind_ip = options.text("bind_ip");
  out.bind_port = static_cast<int>(options.integer("bind_port"));
  out.backlog = static_cast<int>(options.integer("backlog"));
  out.max_clients = static_cast<int>(options.integer("max_clients"));
  out.threads = static_cast<int>(options.integer("worker_threads"));
  out.client_timeout = options.seconds("client_timeout");
  out.keepalive_timeout =
      options.find("keepalive_timeout") ? options.seconds("keepalive_timeout") : out.client_timeout;
  out.header_timeout = options.seconds("header_timeout");
  out.max_header_size = static_cast<std::size_t>(limits.max_header_size);
  out.max_header_count = static_cast<std::size_t>(limits.max_header_count());
  out.cert_file = options.text("cert_file");
  out.key_file = options.text("key_file");
  out.trusted = server.plan.loaded.trusted();
  out.server_name = server.plan.path.stem().string();
  out.logger = &server.host->logger(options);
  return out;
}

void tell(const std::vector<ConfProblem>& problems) {
  for (const ConfProblem& problem : problems) {
    std::cerr << (problem.fatal ? "error: " : "warning: ") << problem.text() << "\n";
  }
}

}  // namespace

void block_stop_signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

std::vector<fs::path> conf_paths(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> whole;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() != ".conf") continue;
    std::vector<ConfProblem> ignored;
    if (read_conf(entry.path(), ignored).find("pipeline:main") != nullptr)
      whole.push_back(entry.path());
  }
  std::sort(whole.begin(), whole.end());
  return whole.size() > 1 ? whole : std::vector<fs::path>{path};
}

int serve(const std::vector<fs::path>& confs, const std::function<void(int port)>& ready) {
  std::vector<std::unique_ptr<Server>> servers;
  std::vector<ConfProblem> problems;
  for (const fs::path& path : confs) {
    servers.push_back(std::make_unique<Server>(plan_server(path, problems)));
  }
  tell(problems);
  if (any_fatal(problems)) return 1;

  std::map<std::string, std::unique_ptr<Cluster>> clusters;
  int client_port = 0;
  try {
    for (const auto& server : servers) {
      auto& cluster = clusters[server->plan.options.text("swift_dir")];
      if (cluster == nullptr)
        cluster = std::make_unique<Cluster>(server->plan.options.text("swift_dir"));
      server->host = std::make_unique<ServerHost>(*cluster, server->plan.options,
                                                  server->plan.loaded.app.stage.name);
      server->app = std::shared_ptr<const App>(make_app(server->plan.loaded, *server->host));
      if (server->plan.loaded.trusted()) {
        cluster->transport.add({server->plan.options.text("bind_ip"),
                                static_cast<int>(server->plan.options.integer("bind_port"))},
                               *server->app);
      }
    }
    for (const auto& server : servers) {
      if (!server->plan.options.flag("listen")) continue;
      server->http = std::make_unique<HttpServer>(listener_of(*server), server->app, *server->host);
      if (!server->plan.loaded.trusted() && client_port == 0) client_port = server->http->port();
    }
    for (const auto& server : servers) {
      if (server->http != nullptr) server->http->start();
    }
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
  ready(client_port);
  const sigset_t set = stop_signals();
  int signal = 0;
  sigwait(&set, &signal);
  for (const auto& server : servers) {
    if (server->http != nullptr) server->http->stop(kGrace);
  }
  // Servers go before the clusters that they use.
  servers.clear();
  return 0;
}

}  // namespace apus
