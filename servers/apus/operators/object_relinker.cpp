// `apus object-relinker`: doubles the partitions of objects where they lie, in two steps.
#include "servers/apus/operators/object_relinker.h"

#include <apus/disk.h>
#include <apus/text.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iostream>
#include <map>
#include <system_error>

#include "framework/conf/paste.h"
#include "framework/conf/server_options.h"
#include "framework/conf/swift_conf_reader.h"
#include "framework/host/process_host.h"
#include "servers/apus/formatted.h"
#include "servers/apus/operators/operators.h"
#include "servers/apus/operators/relink_report.h"
#include "servers/apus/operators/relink_worker.h"
#include "servers/apus/process.h"

namespace apus {
namespace {

using enum OptionType;
using Moment = std::chrono::steady_clock::time_point;

constexpr OptionSpec kOptions[] = {
    {"devices", kText, "/srv/node", "folder of the devices"},
    {"mount_check", kBool, "true", "a device must be a mount point"},
    {"workers", kText, "auto", "processes that share the devices; auto = one a device"},
    {"files_per_second", kNumber, "0", "objects a second, for each process; 0 = no bound", 0, 1e9},
    {"stats_interval", kNumber, "300", "seconds between entries for recon", 0, 1e9},
    {"reclaim_age", kNumber, "604800", "seconds a tombstone is kept", 0, 1e9},
    {"recon_cache_path", kText, "/var/cache/swift", "folder of the recon files"},
};

struct RelinkerArguments {
  std::string action;
  std::string conf;
  std::vector<std::string> policies;
  std::vector<std::string> devices;
  std::vector<std::uint64_t> partitions;
  std::optional<std::string> swift_dir{}, devices_root{}, user{}, workers{}, log_file{};
  std::optional<double> files_per_second{}, stats_interval{};
  bool skip_mount_check = false;
  bool debug = false;
};

// The section of the conf, or what stands for it: a person looks on.
Options options_of(const RelinkerArguments& arguments) {
  std::vector<ConfProblem> problems;
  Options::Map values;
  const auto set = [&](const char* name, std::string value) {
    values[name] = {std::move(value), {"the command line", 0, ""}};
  };
  if (arguments.conf.empty()) {
    set("log_to", arguments.log_file ? "file:" + *arguments.log_file : "stderr");
    set("log_name", "object-relinker");
  } else {
    values = resolve_daemon(read_conf(arguments.conf, problems), "object-relinker", problems);
  }
  if (arguments.debug) set("log_level", "DEBUG");
  if (arguments.user) set("user", *arguments.user);
  if (arguments.swift_dir) set("swift_dir", *arguments.swift_dir);
  if (arguments.devices_root) set("devices", *arguments.devices_root);
  if (arguments.skip_mount_check) set("mount_check", "false");
  if (arguments.workers) set("workers", *arguments.workers);
  Options out("object-relinker", std::data(kOptions), std::size(kOptions), std::move(values));
  for (const Options::Problem& one : out.check(server_option_names()))
    problems.push_back({one.fatal, one.origin, one.option, one.message});
  for (const ConfProblem& problem : problems) {
    if (problem.fatal) throw std::runtime_error(problem.text());
  }
  return out;
}

std::set<int> policies_of(const SwiftConf& conf, const std::vector<std::string>& names) {
  std::set<int> out;
  for (const std::string& name : names) {
    const StoragePolicy* policy = conf.policy(std::string_view(name));
    const auto index = parse_digits(name);
    if (policy == nullptr && index && *index <= INT32_MAX)
      policy = conf.policy(static_cast<int>(*index));
    if (policy == nullptr)
      throw std::invalid_argument("--policy " + name + ": expected a policy's name or index");
    out.insert(policy->index);
  }
  return out;
}

RelinkSettings settings_of(const RelinkerArguments& arguments) {
  RelinkSettings out;
  out.options = options_of(arguments);
  out.swift_dir = out.options.find("swift_dir").value_or("/etc/swift");
  out.devices_root = out.options.text("devices");
  out.recon_folder = out.options.text("recon_cache_path");
  out.policies = policies_of(load_swift_conf(out.swift_dir), arguments.policies);
  out.partitions.insert(arguments.partitions.begin(), arguments.partitions.end());
  out.clean_up = arguments.action == "cleanup";
  out.mount_check = out.options.flag("mount_check");
  out.files_per_second =
      arguments.files_per_second.value_or(out.options.number("files_per_second"));
  out.stats_interval = out.options.number("stats_interval");
  if (arguments.stats_interval.value_or(0) > 0) out.stats_interval = *arguments.stats_interval;
  return out;
}

std::size_t workers_of(const Options& options, std::size_t devices) {
  const std::string text = options.text("workers");
  if (text == "auto") return devices;
  const auto number = parse_digits(text);
  if (!number) throw std::invalid_argument("workers '" + text + "': expected auto or a number");
  return std::min(static_cast<std::size_t>(*number), devices);
}

// Sorted, each once; those of the folder when none were named.
std::vector<std::string> device_names(const RelinkerArguments& arguments, const std::string& root) {
  std::vector<std::string> out = arguments.devices;
  if (out.empty() && !real_disk().list(root, out))
    throw std::system_error(errno, std::generic_category(), root);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string joined_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

void forget_recon(const RelinkSettings& settings) {
  Cluster cluster(settings.swift_dir);
  ServerHost host(cluster, settings.options, "object-relinker");
  RelinkReport::forget(host, host.logger(settings.options), settings.recon_folder);
}

// The processes, and what became of them.
class Workers {
 public:
  Workers(const RelinkSettings& settings, Logger& log) : settings_(settings), log_(log) {}

  void start(const std::vector<std::string>& devices) {
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid > 0) {
      running_[pid] = devices;
      return;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    int status = kRelinkErrors;
    try {
      const std::string prefix =
          "[pid=" + std::to_string(::getpid()) + ", devs=" + joined_names(devices) + "] ";
      if (::getppid() == parent) status = run_relink_worker(settings_, devices, prefix);
    } catch (const std::exception& error) {
      log_.error(std::string("the relinker ended: ") + error.what());
    }
    ::_exit(status);
  }

  // One after the other, until all have ended; the status of all.
  int wait() {
    int out = kRelinked;
    while (!running_.empty()) {
      int status = 0;
      const pid_t pid = ::wait(&status);
      if (pid < 0 && errno != EINTR)
        throw std::system_error(errno, std::generic_category(), "wait");
      const auto at = running_.find(pid);
      if (at == running_.end()) continue;
      const std::string who =
          "Worker (pid=" + std::to_string(pid) + ", devs=" + joined_names(at->second) + ") ";
      running_.erase(at);
      const std::string problem = problem_of(status);
      if (!problem.empty()) {
        problems_.push_back(who + problem);
        out = kRelinkErrors;
      } else if (out == kRelinked) {
        out = WEXITSTATUS(status);
      }
    }
    for (const std::string& problem : problems_) log_.warning(problem);
    return out;
  }

 private:
  // Empty for one that ended well, or had nothing to do.
  [[nodiscard]] std::string problem_of(int status) const {
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    if (!WIFEXITED(status)) {
      return formatted("exited in %.1fs after receiving signal: %d", seconds, WTERMSIG(status));
    }
    const int code = WEXITSTATUS(status);
    if (code == kRelinked || code == kNoPolicyToRelink) return "";
    if (code == kRelinkErrors) return formatted("completed in %.1fs with errors", seconds);
    return formatted("exited in %.1fs with unexpected status %d", seconds, code);
  }

  const RelinkSettings& settings_;
  Logger& log_;
  Moment start_ = std::chrono::steady_clock::now();
  std::map<pid_t, std::vector<std::string>> running_;
  std::vector<std::string> problems_;
};

// Whoever ends it leaves a state from which the next run goes on.
void take_stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

int relink_all(const RelinkSettings& settings, const std::vector<std::string>& devices,
               std::size_t workers, Logger& log) {
  if (workers == 0 || devices.size() < 2) return run_relink_worker(settings, devices, "");
  Workers started(settings, log);
  for (std::size_t i = 0; i < workers; ++i) {
    std::vector<std::string> share;
    for (std::size_t at = i; at < devices.size(); at += workers) share.push_back(devices[at]);
    started.start(share);
  }
  return started.wait();
}

int relink(const RelinkerArguments& arguments) {
  const RelinkSettings settings = settings_of(arguments);
  if (const auto user = settings.options.find("user")) become_user(*user);
  const std::vector<std::string> devices = device_names(arguments, settings.devices_root);
  const std::size_t workers = workers_of(settings.options, devices.size());
  take_stop_signals();
  forget_recon(settings);
  const auto log = make_logger(log_conf_of(settings.options, "object-relinker"));
  const std::string which = settings.clean_up ? "(cleanup=True)" : "(cleanup=False)";
  const auto begin = std::chrono::steady_clock::now();
  log->info("Starting relinker " + which + " using " + std::to_string(workers) + " workers");
  const int status = relink_all(settings, devices, workers, *log);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  log->info("Finished relinker " + which + formatted(" (%.1fs elapsed)", seconds));
  return status;
}

}  // namespace

std::span<const OptionSpec> relinker_options() { return kOptions; }

Command add_object_relinker(CLI::App& apus) {
  auto arguments = std::make_shared<RelinkerArguments>();
  RelinkerArguments& into = *arguments;
  CLI::App* parser = apus.add_subcommand(
      "object-relinker", "doubles the partitions of objects where they lie, in two steps");
  parser->add_option("ACTION", into.action, "relink, then cleanup")
      ->required()
      ->check(CLI::IsMember({"relink", "cleanup"}));
  parser->add_option("CONF", into.conf, "a conf with the section [object-relinker]");
  parser->add_option("--swift-dir", into.swift_dir, "where swift.conf and the rings lie");
  parser->add_option("--policy", into.policies, "name or index; may be repeated (all)")
      ->allow_extra_args(false);
  parser->add_option("--devices", into.devices_root, "folder of the devices");
  parser->add_option("--user", into.user, "user to run as");
  parser->add_option("--device", into.devices, "name of a device; may be repeated (all)")
      ->allow_extra_args(false);
  parser->add_option("-p,--partition", into.partitions, "number; may be repeated (all)")
      ->allow_extra_args(false);
  parser->add_flag("--skip-mount-check", into.skip_mount_check, "devices are no mount points");
  parser->add_option("--files-per-second", into.files_per_second, "objects; 0 = no bound")
      ->check(CLI::NonNegativeNumber);
  parser->add_option("--stats-interval", into.stats_interval, "seconds between entries for recon")
      ->check(CLI::NonNegativeNumber);
  parser->add_option("--workers", into.workers, "processes that share the devices; or auto");
  parser->add_option("--logfile", into.log_file, "where lines go when there is no CONF");
  parser->add_flag("--debug", into.debug, "tell of each link");
  return {parser, [arguments] { return relink(*arguments); }};
}

}  // namespace apus
