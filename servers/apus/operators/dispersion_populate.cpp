// `apus dispersion-populate`: containers and objects in many partitions, for dispersion-report.
#include <apus/crew.h>

#include <iostream>
#include <set>

#include "servers/apus/formatted.h"
#include "servers/apus/operators/dispersion_conf.h"
#include "servers/apus/operators/operators.h"

namespace apus {
namespace {

struct PopulateArguments {
  std::string conf = "/etc/swift/dispersion.conf";
  std::string policy;
  std::int64_t container_suffix_start = 0;
  std::int64_t object_suffix_start = 0;
  bool container_only = false;
  bool object_only = false;
  bool no_overlap = false;
  bool insecure = false;
};

// What one run over a ring makes.
struct Populating {
  const DispersionConf& conf;
  const SwiftClient& client;
  std::string kind;  ///< "container" or "object"
  std::shared_ptr<const Ring> ring;
  std::int64_t suffix_start;
  std::vector<std::string> there;  ///< names whose partitions are covered already
  std::function<std::uint32_t(const std::string&)> partition_of;
  std::function<std::string(std::int64_t)> name_of;
  std::function<int(const std::string&)> make;  ///< returns the attempts
};

// Names, each the first in its partition, until as many partitions as wanted are covered.
struct Chosen {
  std::vector<std::string> names;
  std::size_t counted = 0;  ///< names of suffixes below the start too, which are not made
  std::size_t covered = 0;  ///< partitions with what was there before
};

Chosen choose(const Populating& run, double wanted) {
  std::set<std::uint32_t> covered;
  for (const std::string& name : run.there) covered.insert(run.partition_of(name));
  Chosen out;
  const std::size_t all = run.ring->partition_count();
  for (std::int64_t suffix = 0; wanted >= 1 && covered.size() < all; ++suffix) {
    const std::string name = run.name_of(suffix);
    if (!covered.insert(run.partition_of(name)).second) continue;
    if (suffix >= run.suffix_start) out.names.push_back(name);
    ++out.counted;
    wanted -= 1;
  }
  out.covered = covered.size();
  return out;
}

void populate(const Populating& run, bool no_overlap) {
  const double partitions = run.ring->partition_count();
  const Chosen chosen = choose(run, run.conf.coverage / 100.0 * partitions);
  DispersionProgress progress("Creating " + run.kind + "s", chosen.names.size(), false);
  Crew(run.conf.concurrency).each(chosen.names.size(), run.conf.concurrency, [&](std::size_t i) {
    progress.step(run.make(chosen.names[i]) - 1);
  });
  std::cout << "\r\x1B[KCreated " << chosen.counted << " " << run.kind
            << "s for dispersion reporting, " << shown_duration(progress.seconds()) << ", "
            << progress.retries() << " retries\n";
  if (no_overlap) {
    std::cout << "\r\x1B[KTotal " << run.kind << " coverage is now "
              << formatted("%.2f", static_cast<double>(chosen.covered) / partitions * 100)
              << "%.\n";
  }
  std::cout.flush();
}

void populate_containers(const DispersionConf& conf, const SwiftClient& client,
                         const PopulateArguments& arguments) {
  const std::string prefix = "dispersion_" + std::to_string(conf.policy.index);
  const auto ring = read_ring_of(conf, "container");
  Populating run{conf, client, "container", ring, arguments.container_suffix_start, {}, {}, {}, {}};
  if (arguments.no_overlap) run.there = client.names("", prefix);
  run.partition_of = [&](const std::string& name) {
    return ring->partition_of(conf.swift_conf.hash_path(client.account(), name));
  };
  run.name_of = [&](std::int64_t suffix) { return prefix + "_" + std::to_string(suffix); };
  run.make = [&](const std::string& name) {
    return client.put(name, "", {{"X-Storage-Policy", conf.policy.name}}, "");
  };
  populate(run, arguments.no_overlap);
}

void populate_objects(const DispersionConf& conf, const SwiftClient& client,
                      const PopulateArguments& arguments) {
  const std::string container = "dispersion_objects_" + std::to_string(conf.policy.index);
  client.put(container, "", {{"X-Storage-Policy", conf.policy.name}}, "");
  const auto ring = read_ring_of(conf, conf.policy.directory("object"));
  Populating run{conf, client, "object", ring, arguments.object_suffix_start, {}, {}, {}, {}};
  if (arguments.no_overlap) run.there = client.names(container, "dispersion_");
  run.partition_of = [&](const std::string& name) {
    return ring->partition_of(conf.swift_conf.hash_path(client.account(), container, name));
  };
  run.name_of = [](std::int64_t suffix) { return "dispersion_" + std::to_string(suffix); };
  run.make = [&](const std::string& name) {
    return client.put(container, name, {{"X-Object-Meta-Dispersion", name}}, name);
  };
  populate(run, arguments.no_overlap);
}

int dispersion_populate(const PopulateArguments& arguments) {
  DispersionConf conf = read_dispersion_conf(arguments.conf, arguments.policy);
  conf.insecure = conf.insecure || arguments.insecure;
  std::cout << "Using storage policy: " << conf.policy.name << " " << std::endl;
  const bool containers = conf.is_yes("container_populate", true) && !arguments.object_only;
  const bool objects = conf.is_yes("object_populate", true) && !arguments.container_only;
  if (!containers && !objects)
    throw std::runtime_error("Neither container or object populate is set to run");
  const SwiftClient client(log_in(conf.options, conf.insecure), {.retries = conf.retries},
                           conf.insecure);
  if (containers) populate_containers(conf, client, arguments);
  if (objects) populate_objects(conf, client, arguments);
  return 0;
}

}  // namespace

Command add_dispersion_populate(CLI::App& apus) {
  auto arguments = std::make_shared<PopulateArguments>();
  CLI::App* parser = apus.add_subcommand(
      "dispersion-populate", "containers and objects in many partitions, for dispersion-report");
  parser->add_option("CONF", arguments->conf, "/etc/swift/dispersion.conf when not given");
  parser->add_flag("--container-only", arguments->container_only, "no objects");
  parser->add_flag("--object-only", arguments->object_only, "no containers");
  parser->add_option("--container-suffix-start", arguments->container_suffix_start,
                     "containers of lower numbers are there already");
  parser->add_option("--object-suffix-start", arguments->object_suffix_start,
                     "objects of lower numbers are there already");
  parser->add_flag("--insecure", arguments->insecure, "certificates are not verified");
  parser->add_flag("--no-overlap", arguments->no_overlap,
                   "only in partitions that have none from an earlier run");
  parser->add_option("-P,--policy-name", arguments->policy, "the policy whose ring is meant");
  return {parser, [arguments] { return dispersion_populate(*arguments); }};
}

}  // namespace apus
