#include "servers/apus/background.h"

#include <apus/plugin.h>

#include "framework/conf/paste.h"
#include "framework/conf/server_options.h"
#include "servers/apus/daemon.h"
#include "servers/apus/priorities.h"

namespace apus {

struct Background::Running {
  std::string name;
  const Descriptor* plugin = nullptr;
  Options options;
  std::unique_ptr<ServerHost> host;
  std::unique_ptr<Daemon> daemon;
  std::jthread thread;
};

Background::Background(const std::vector<std::filesystem::path>& confs,
                       std::vector<ConfProblem>& problems) {
  for (const auto& path : confs) {
    // What is wrong with the file itself is told by whoever serves it.
    std::vector<ConfProblem> known;
    const ConfFile file = read_conf(path, known);
    for (const auto& section : file.sections) {
      if (!is_daemon(loader_, section.name)) continue;
      auto one = std::make_unique<Running>();
      one->name = section.name;
      one->plugin = &loader_.load(section.name, PluginKind::kDaemon);
      one->options = Options(section.name, one->plugin->options, one->plugin->option_count,
                             resolve_daemon(file, section.name, problems));
      for (const Options::Problem& problem : one->options.check(server_option_names()))
        problems.push_back({problem.fatal, problem.origin, problem.option, problem.message});
      daemons_.push_back(std::move(one));
    }
  }
}

Background::~Background() { stop(); }

void Background::start(Served& served) {
  for (const auto& one : daemons_) {
    Cluster& cluster = served.cluster(one->options.find("swift_dir").value_or("/etc/swift"));
    one->host = std::make_unique<ServerHost>(cluster, one->options, one->name);
    one->daemon = one->plugin->make_daemon({one->options, *one->host});
  }
  for (const auto& one : daemons_) {
    one->thread = std::jthread([running = one.get()](const std::stop_token& stop) {
      try {
        for (const ConfProblem& problem : take_priorities(running->options))
          running->host->logger(running->options).warning(problem.text());
        running->daemon->run_forever(stop);
      } catch (const std::exception& error) {
        running->host->logger(running->options)
            .error(running->name + " has ended: " + error.what());
      }
    });
  }
}

void Background::stop() {
  for (const auto& one : daemons_) one->thread.request_stop();
}

}  // namespace apus
