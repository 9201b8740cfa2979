#include "servers/apus/served.h"

#include <thread>

namespace apus {

struct Served::Server {
  explicit Server(const ServerPlan& p) : plan(p) {}
  const ServerPlan& plan;
  std::unique_ptr<ServerHost> host;
  std::shared_ptr<const App> app;
  std::unique_ptr<HttpServer> http;
};

namespace {

ListenerConf listener_of(const ServerPlan& plan, ServerHost& host) {
  const Options& options = plan.options;
  const Constraints& limits = host.swift_conf().constraints;
  ListenerConf out;
  out.bind_ip = options.text("bind_ip");
  out.bind_port = static_cast<int>(options.integer("bind_port"));
  out.backlog = static_cast<int>(options.integer("backlog"));
  out.max_clients = static_cast<int>(options.integer("max_clients"));
  out.threads = static_cast<int>(options.integer("worker_threads"));
  out.client_timeout = options.seconds("client_timeout");
  out.keepalive_timeout =
      options.find("keepalive_timeout") ? options.seconds("keepalive_timeout") : out.client_timeout;
  out.keep_idle = std::chrono::seconds(options.integer("keep_idle"));
  out.header_timeout = options.seconds("header_timeout");
  out.max_header_size = static_cast<std::size_t>(limits.max_header_size);
  out.max_header_count = static_cast<std::size_t>(limits.max_header_count());
  out.trusted = plan.loaded.trusted();
  out.server_name = plan.path.stem().string();
  out.logger = &host.logger(options);
  return out;
}

// Swift's proxy says at its start what it put into the pipeline.
void log_added(const LoadedApp& app, Logger& logger) {
  for (const LoadedStage& stage : app.filters) {
    if (stage.added) logger.info("Required filter " + stage.stage.plugin + " " + stage.reason());
  }
}

}  // namespace

Served::Served(const std::vector<std::filesystem::path>& confs,
               std::vector<ConfProblem>& problems) {
  for (const auto& path : confs) plans_.push_back(plan_server(path, problems));
}

Served::~Served() = default;

std::string Served::key(const std::filesystem::path& conf, const Options& options) {
  return std::filesystem::absolute(conf).lexically_normal().string() + "|" +
         options.text("bind_ip") + "|" + options.text("bind_port");
}

void Served::read_keys() {
  for (const ServerPlan& plan : plans_) {
    const std::string cert = plan.options.text("cert_file");
    if (!plan.options.flag("listen") || cert.empty()) continue;
    keys_[plan.path] = read_tls_key(cert, plan.options.text("key_file"));
  }
}

void Served::start(const ListeningSockets& sockets) {
  if (keys_.empty()) read_keys();
  for (const ServerPlan& plan : plans_) {
    servers_.push_back(std::make_unique<Server>(plan));
    Server& server = *servers_.back();
    Cluster& shared = cluster(plan.options.text("swift_dir"));
    server.host = std::make_unique<ServerHost>(shared, plan.options, plan.name());
    log_added(plan.loaded, server.host->logger(plan.options));
    server.app = std::shared_ptr<const App>(make_app(plan.loaded, *server.host));
    if (plan.loaded.trusted()) {
      shared.transport.add(
          {plan.options.text("bind_ip"), static_cast<int>(plan.options.integer("bind_port"))},
          *server.app);
    }
  }
  for (const auto& server : servers_) {
    const ServerPlan& plan = server->plan;
    if (!plan.options.flag("listen")) continue;
    ListenerConf conf = listener_of(plan, *server->host);
    if (const auto at = keys_.find(plan.path); at != keys_.end()) conf.tls = at->second;
    if (const auto at = sockets.find(key(plan.path, plan.options)); at != sockets.end())
      conf.inherited_fd = at->second;
    server->http = std::make_unique<HttpServer>(std::move(conf), server->app, *server->host);
    if (!plan.loaded.trusted() && client_port_ == 0) client_port_ = server->http->port();
  }
  for (const auto& server : servers_) {
    if (server->http != nullptr) server->http->start();
  }
}

Cluster& Served::cluster(const std::string& swift_dir) {
  auto& cluster = clusters_[swift_dir];
  if (cluster == nullptr) cluster = std::make_unique<Cluster>(swift_dir);
  return *cluster;
}

void Served::drain() {
  for (const auto& server : servers_) {
    if (server->http != nullptr) server->http->drain();
  }
}

int Served::connections() const {
  int sum = 0;
  for (const auto& server : servers_)
    sum += server->http != nullptr ? server->http->connections() : 0;
  return sum;
}

void Served::stop(std::chrono::seconds grace) {
  std::vector<std::thread> stops;
  for (const auto& server : servers_) {
    if (server->http != nullptr) stops.emplace_back([&, grace] { server->http->stop(grace); });
  }
  for (std::thread& stop : stops) stop.join();
  for (const auto& [folder, cluster] : clusters_) cluster->transport.settle();
}

}  // namespace apus
