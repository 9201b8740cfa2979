// `apus recon`: what the servers of a cluster tell of themselves.
#include <algorithm>
#include <iostream>
#include <set>

#include "framework/conf/swift_conf_reader.h"
#include "framework/ring/ring_file.h"
#include "servers/apus/operators/operators.h"
#include "servers/apus/operators/recon_checks.h"
#include "servers/apus/operators/recon_stats.h"

namespace apus {
namespace {

struct ReconArguments {
  Words words;
  ReconOptions options;
  DiskUsage usage;
  std::string policy;
  std::optional<int> region;
  std::optional<int> zone;
  int timeout = 5;
  double jitter = 0;
  bool all = false;
};

using Types = std::set<std::string>;

// One check, the servers that know of it, and where it stands in --all for the servers of a kind.
struct Check {
  const char* flag;
  const char* help;
  Types asked_of;       ///< empty = all
  const char* nothing;  ///< what is told of other servers
  std::function<void(const ReconArguments&)> run;
  bool in_all = true;
};

void audit(const ReconOptions& options) {
  options.server_type == "object" ? check_object_auditor(options) : check_auditor(options);
}

// In the order in which they run when several are named.
std::vector<Check> checks() {
  using Run = void (*)(const ReconOptions&);
  const auto plain = [](Run run) { return [run](const ReconArguments& all) { run(all.options); }; };
  return {
      {"-a,--async",
       "object updates that wait",
       {"object"},
       "asyncs on non object",
       plain(check_async)},
      {"-u,--unmounted", "devices that are not mounted", {}, "", plain(check_unmounted)},
      {"-r,--replication", "replicators", {}, "", plain(check_replication)},
      {"--auditor", "auditors", {}, "", plain(audit)},
      {"--updater",
       "updaters",
       {"container", "object"},
       "updaters on account",
       plain(check_updater)},
      {"--expirer", "expirers", {"object"}, "expirer on non object", plain(check_expirer)},
      {"--sharding", "sharders", {"container"}, "sharding on non container", plain(check_sharding)},
      {"-R,--reconstruction",
       "reconstructors",
       {"object"},
       "reconstruction stats on non object",
       plain(check_reconstruction)},
      {"--validate-servers",
       "whether each is the server that the ring says",
       {},
       "",
       plain(check_server_type)},
      {"-l,--loadstats", "load averages", {}, "", plain(check_load)},
      {"-d,--diskusage",
       "how full devices are",
       {},
       "",
       [](const ReconArguments& all) { check_disk_usage(all.options, all.usage); }},
      {"--md5",
       "whether rings and swift.conf are those of --swiftdir",
       {},
       "",
       [](const ReconArguments& all) {
         check_ring_md5(all.options);
         check_swift_conf_md5(all.options);
       }},
      {"-q,--quarantined", "what lies in quarantine", {}, "", plain(check_quarantine)},
      {"--sockstat", "sockets", {}, "", plain(check_sockets)},
      {"--driveaudit", "what drive-audit found", {}, "", plain(check_drive_audit)},
      {"-T,--time",
       "whether clocks agree",
       {},
       "",
       [](const ReconArguments& all) { check_time(all.options, all.jitter); }},
      {"--swift-versions", "versions", {}, "", plain(check_versions)},
  };
}

// Swift's order of --all.
constexpr const char* kAll[] = {
    "-a,--async", "--auditor",        "--updater",      "--expirer",          "-R,--reconstruction",
    "--sharding", "-r,--replication", "-u,--unmounted", "-l,--loadstats",     "-d,--diskusage",
    "--md5",      "-q,--quarantined", "--sockstat",     "--validate-servers", "--driveaudit",
    "-T,--time",  "--swift-versions"};

void run_check(const Check& check, const ReconArguments& arguments, bool tell) {
  if (check.asked_of.empty() || check.asked_of.contains(arguments.options.server_type)) {
    check.run(arguments);
  } else if (tell) {
    std::cout << "Error: Can't check " << check.nothing << " servers.\n";
    print_end();
  }
}

std::vector<std::string> ring_names(const ReconArguments& arguments) {
  if (arguments.options.server_type != "object") return {arguments.options.server_type};
  std::vector<ConfProblem> problems;
  const SwiftConf conf = read_swift_conf(arguments.options.swift_dir, problems);
  std::vector<std::string> out;
  for (const StoragePolicy& policy : conf.policies) {
    const auto& names = policy.aliases;
    if (arguments.policy.empty() || policy.name == arguments.policy ||
        std::to_string(policy.index) == arguments.policy ||
        std::find(names.begin(), names.end(), arguments.policy) != names.end())
      out.push_back(policy.directory("object"));
  }
  if (out.empty())
    throw std::invalid_argument("--policy " + arguments.policy +
                                ": name or number of a policy of swift.conf is wanted");
  return out;
}

std::vector<ReconHost> hosts_of(const ReconArguments& arguments) {
  std::set<ReconHost> out;
  for (const std::string& name : ring_names(arguments)) {
    const RingData ring = read_ring(arguments.options.swift_dir + "/" + name + ".ring.gz");
    for (const auto& device : ring.devices) {
      if (!device || (arguments.region && device->region != *arguments.region) ||
          (arguments.zone && device->zone != *arguments.zone))
        continue;
      out.insert({device->ip, device->port});
    }
  }
  return {out.begin(), out.end()};
}

std::vector<std::string> server_types(const ReconArguments& arguments) {
  std::vector<std::string> out;
  for (const std::string& word : arguments.words.given()) {
    if (word != "account" && word != "container" && word != "object")
      throw std::runtime_error("Invalid Server Type '" + word +
                               "'; expected account, container, object");
    if (std::find(out.begin(), out.end(), word) == out.end()) out.push_back(word);
  }
  if (out.empty()) out.emplace_back("object");
  return out;
}

int recon(ReconArguments arguments, const std::vector<Check>& known,
          const std::vector<bool>& wanted) {
  print_end();
  arguments.options.timeout = std::chrono::seconds(arguments.timeout);
  for (const std::string& type : server_types(arguments)) {
    arguments.options.server_type = type;
    arguments.options.hosts = hosts_of(arguments);
    std::cout << "--> Starting reconnaissance on " << arguments.options.hosts.size() << " hosts ("
              << type << ")\n";
    print_end();
    for (const char* flag : kAll) {
      if (!arguments.all) break;
      const auto at = std::find_if(known.begin(), known.end(), [&](const Check& check) {
        return std::string_view(check.flag) == flag;
      });
      run_check(*at, arguments, false);
    }
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (wanted[i] && !arguments.all) run_check(known[i], arguments, true);
    }
  }
  return 0;
}

bool nothing_asked(const CLI::App& parser) {
  const auto options = parser.get_options();
  return std::all_of(options.begin(), options.end(),
                     [](const CLI::Option* option) { return option->count() == 0; });
}

}  // namespace

Command add_recon(CLI::App& apus) {
  auto arguments = std::make_shared<ReconArguments>();
  auto known = std::make_shared<const std::vector<Check>>(checks());
  CLI::App* parser = apus.add_subcommand(
      "recon",
      "what the servers of a cluster tell of themselves (/recon), from all hosts of a ring");
  arguments->words.declare(*parser, {{"SERVER_TYPE", "account, container or object (the default)"},
                                     {"SERVER_TYPE_2", "another"},
                                     {"SERVER_TYPE_3", "and another"}});
  std::vector<CLI::Option*> flags;
  for (const Check& check : *known) flags.push_back(parser->add_flag(check.flag, check.help));
  parser->add_flag("--all", arguments->all, "all of these");
  parser->add_flag("-v,--verbose", arguments->options.verbose, "show each answer");
  parser->add_flag("--suppress", arguments->options.suppress, "do not show hosts that fail");
  parser->add_flag("--human-readable", arguments->usage.human_readable, "sizes with kB, MB, ...");
  parser->add_option("--top", arguments->usage.top, "also the fullest COUNT devices");
  parser->add_option("--lowest", arguments->usage.lowest, "also the emptiest COUNT devices");
  parser->add_option("--jitter", arguments->jitter, "by how many seconds clocks may differ");
  parser->add_option("--region", arguments->region, "only hosts of this region");
  parser->add_option("-z,--zone", arguments->zone, "only hosts of this zone");
  parser->add_option("-t,--timeout", arguments->timeout, "seconds to wait for a host")
      ->check(CLI::Range(1, 86400));
  parser->add_option("--swiftdir", arguments->options.swift_dir,
                     "where swift.conf and the rings lie");
  parser->add_option("-p,--policy", arguments->policy, "only object servers of this policy");
  return {parser, [arguments, known, flags, parser] {
            if (nothing_asked(*parser)) {
              std::cout << std::string(79, '=') << "\n" << parser->help();
              return 0;
            }
            std::vector<bool> wanted;
            wanted.reserve(flags.size());
            for (const CLI::Option* flag : flags) wanted.push_back(flag->count() > 0);
            return recon(*arguments, *known, wanted);
          }};
}

}  // namespace apus
