// `apus dispersion-report`: how many copies of what dispersion-populate made are where the ring
// says.
#include <apus/crew.h>
#include <apus/json.h>
#include <apus/message.h>

#include <iostream>
#include <map>
#include <set>
#include <thread>

#include "framework/host/real_time.h"
#include "servers/apus/formatted.h"
#include "servers/apus/operators/dispersion_conf.h"
#include "servers/apus/operators/operators.h"

namespace apus {
namespace {

struct ReportArguments {
  std::string conf = "/etc/swift/dispersion.conf";
  std::string policy;
  bool dump_json = false;
  bool debug = false;
  bool partitions = false;
  bool container_only = false;
  bool object_only = false;
  bool insecure = false;
};

// How the run is told of.
struct Manner {
  bool json = false;
  bool debug = false;       ///< each device that answers with an error
  bool partitions = false;  ///< each partition that misses copies
};

// What failed, on stderr. Thread-safe.
class Complaints {
 public:
  explicit Complaints(const Manner& manner) : manner_(manner) {}

  void status(const RingDevice& device, int status, const std::string& what) {
    const std::lock_guard lock(mutex_);
    const std::string name = name_of(device);
    if (status == 507 && unmounted_.insert(name).second) {
      std::cerr << "ERROR: " << name
                << " is unmounted -- This will cause replicas designated for that device to be "
                   "considered missing until resolved or the ring is updated.\n";
    }
    if (manner_.debug && debugged_.insert(name).second)
      std::cerr << "ERROR: " << name << " returned a " << status << "\n";
    if (status != 404 && status != 507) std::cerr << "ERROR: " << name << ": " << what << "\n";
  }
  void failure(const RingDevice& device, const std::string& what) {
    const std::lock_guard lock(mutex_);
    std::cerr << "ERROR: " << name_of(device) << ": " << what << "\n";
  }
  void missing(const std::string& kind, std::uint32_t partition, std::size_t copies) {
    if (!manner_.partitions) return;
    const std::lock_guard lock(mutex_);
    std::cout << "\r\x1B[K" << std::flush;
    std::cerr << "# " << kind << " partition " << partition << " missing " << copies << " cop"
              << (copies == 1 ? "y" : "ies") << "\n";
  }

 private:
  static std::string name_of(const RingDevice& device) {
    return device.ip + ":" + std::to_string(device.port) + "/" + device.device;
  }
  Manner manner_;
  std::mutex mutex_;
  std::set<std::string> unmounted_;
  std::set<std::string> debugged_;
};

// What one run over a ring looks at.
struct Reporting {
  const DispersionConf& conf;
  std::string kind;   ///< "container" or "object"
  std::string title;  ///< "Container" or "Object"
  std::shared_ptr<const Ring> ring;
  std::vector<std::string> names;
  std::function<std::uint32_t(const std::string&)> partition_of;
  std::function<std::string(const std::string&)> path_of;
  Headers headers;
};

// One copy. Errors of the server and of the connection are tried again. Returns how often, or -1
// when it is not there.
int look(const Reporting& run, const RingDevice& device, const std::string& url,
         Complaints& complaints) {
  WebOptions options;
  options.timeout = std::chrono::seconds(15);
  std::chrono::seconds pause{1};
  for (int attempt = 0;; ++attempt) {
    std::string what;
    try {
      Headers headers = run.headers;
      headers.set("X-Timestamp", RealClock().timestamp().internal());
      const WebAnswer answer = fetch({"HEAD", url, headers, ""}, options);
      if (answer.status / 100 == 2) return attempt;
      what = "HEAD " + url + " gave status " + std::to_string(answer.status);
      complaints.status(device, answer.status, what);
      if (answer.status / 100 != 5 || answer.status == 507) return -1;
    } catch (const TransportError& error) {
      what = "HEAD " + url + ": " + error.what();
      complaints.failure(device, what);
    }
    if (attempt >= run.conf.retries) {
      complaints.failure(device, "Giving up on " + what);
      return -1;
    }
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
}

struct Found {
  std::size_t copies = 0;
  std::size_t expected = 0;
  std::size_t partitions = 0;
  std::map<std::size_t, std::size_t> missing;  ///< how many copies, in how many partitions
  int retries = 0;
  double seconds = 0;
};

Found look_at_all(const Reporting& run, const Manner& manner) {
  std::map<std::uint32_t, std::string> by_partition;
  for (const std::string& name : run.names) by_partition.emplace(run.partition_of(name), name);
  const std::vector<std::pair<std::uint32_t, std::string>> parts(by_partition.begin(),
                                                                 by_partition.end());
  DispersionProgress progress("Querying " + run.kind + "s", run.names.size(), manner.json);
  Complaints complaints(manner);
  std::mutex mutex;
  Found out;
  Crew(run.conf.concurrency).each(parts.size(), run.conf.concurrency, [&](std::size_t i) {
    const auto nodes = run.ring->primaries(parts[i].first);
    std::size_t copies = 0;
    int retries = 0;
    for (const RingNode& node : nodes) {
      const std::string url =
          backend_url(*node.device, parts[i].first, run.path_of(parts[i].second));
      const int again = look(run, *node.device, url, complaints);
      copies += again >= 0 ? 1 : 0;
      retries += std::max(again, 0);
    }
    if (copies < nodes.size()) complaints.missing(run.title, parts[i].first, nodes.size() - copies);
    progress.step(retries);
    const std::lock_guard lock(mutex);
    out.copies += copies;
    out.expected += nodes.size();
    ++out.missing[nodes.size() - copies];
  });
  out.partitions = parts.size();
  out.retries = progress.retries();
  out.seconds = progress.seconds();
  return out;
}

std::string missing_line(std::size_t partitions, std::size_t copies, double replicas) {
  const bool several = partitions > 1;
  std::string marks;
  std::string count = std::to_string(copies);
  if (static_cast<double>(copies) == replicas) {
    marks = "!!! ";
    count = "all";
  } else if (replicas - static_cast<double>(copies) == 1) {
    marks = "! ";
  }
  return marks + "There " + (several ? "were " : "was ") + std::to_string(partitions) +
         (several ? " partitions" : " partition") + " missing " + count +
         (copies == 1 ? " copy." : " copies.");
}

void print_report(const Reporting& run, const Found& found, double percent) {
  const std::size_t overlapping = run.names.size() - found.partitions;
  std::cout << "\r\x1B[KQueried " << run.names.size() << " " << run.kind
            << "s for dispersion reporting, " << shown_duration(found.seconds) << ", "
            << found.retries << " retries\n";
  if (overlapping != 0) std::cout << "There were " << overlapping << " overlapping partitions\n";
  for (const auto& [copies, partitions] : found.missing)
    std::cout << missing_line(partitions, copies, run.ring->replica_count()) << "\n";
  const double sample = 100.0 * static_cast<double>(found.partitions) /
                        static_cast<double>(run.ring->partition_count());
  std::cout << formatted("%.2f%% of ", percent) << run.kind << " copies found (" << found.copies
            << " of " << found.expected << ")\nSample represents " << formatted("%.2f%%", sample)
            << " of the " << run.kind << " partition space\n"
            << std::flush;
}

Json report(const Reporting& run, const Manner& manner) {
  if (run.names.empty()) {
    std::cerr << "No " << run.kind << "s to query. Has swift-dispersion-populate been run?"
              << std::endl;
    return {};
  }
  Found found = look_at_all(run, manner);
  if (run.kind == "container") found.missing.erase(0);  // which Swift shows for objects
  const double percent = found.expected == 0 ? 0
                                             : 100.0 * static_cast<double>(found.copies) /
                                                   static_cast<double>(found.expected);
  if (!manner.json) {
    print_report(run, found, percent);
    return {};
  }
  const auto number = [](std::size_t value) { return Json(static_cast<std::int64_t>(value)); };
  Json::Object out = {{"retries", found.retries},
                      {"overlapping", number(run.names.size() - found.partitions)},
                      {"pct_found", percent},
                      {"copies_found", number(found.copies)},
                      {"copies_expected", number(found.expected)}};
  for (const auto& [copies, partitions] : found.missing)
    out.emplace_back("missing_" + std::to_string(copies), number(partitions));
  return out;
}

Json report_containers(const DispersionConf& conf, const SwiftClient& client,
                       const Manner& manner) {
  const auto ring = read_ring_of(conf, "container");
  const std::string account = client.account();
  Reporting run{conf, "container", "Container", ring, {}, {}, {}, {}};
  run.names = client.names("", "dispersion_" + std::to_string(conf.policy.index));
  run.partition_of = [&](const std::string& name) {
    return ring->partition_of(conf.swift_conf.hash_path(account, name));
  };
  run.path_of = [&](const std::string& name) { return "/" + account + "/" + name; };
  return report(run, manner);
}

Json report_objects(const DispersionConf& conf, const SwiftClient& client, const Manner& manner) {
  const auto ring = read_ring_of(conf, conf.policy.directory("object"));
  const std::string account = client.account();
  const std::string container = "dispersion_objects_" + std::to_string(conf.policy.index);
  Reporting run{conf, "object", "Object", ring, {}, {}, {}, {}};
  run.headers.set("X-Backend-Storage-Policy-Index", std::to_string(conf.policy.index));
  try {
    run.names = client.names(container, "dispersion_");
  } catch (const ClientError& error) {
    if (error.status() != 404) throw;
  }
  run.partition_of = [&](const std::string& name) {
    return ring->partition_of(conf.swift_conf.hash_path(account, container, name));
  };
  run.path_of = [&](const std::string& name) {
    return "/" + account + "/" + container + "/" + name;
  };
  return report(run, manner);
}

int dispersion_report(const ReportArguments& arguments) {
  DispersionConf conf = read_dispersion_conf(arguments.conf, arguments.policy);
  conf.insecure = conf.insecure || arguments.insecure;
  const Manner manner{arguments.dump_json || conf.is_yes("dump_json", false), arguments.debug,
                      arguments.partitions || conf.options.contains("partitions")};
  if (!manner.json) std::cout << "Using storage policy: " << conf.policy.name << " " << std::endl;
  const bool containers = conf.is_yes("container_report", true) && !arguments.object_only;
  const bool objects = conf.is_yes("object_report", true) && !arguments.container_only;
  if (!containers && !objects)
    throw std::runtime_error("Neither container or object report is set to run");
  const SwiftClient client(log_in(conf.options, conf.insecure), {.retries = conf.retries},
                           conf.insecure);
  Json::Object out;
  if (containers) out.emplace_back("container", report_containers(conf, client, manner));
  if (objects) out.emplace_back("object", report_objects(conf, client, manner));
  if (manner.json) std::cout << Json(out).dump() << "\n";
  return 0;
}

}  // namespace

Command add_dispersion_report(CLI::App& apus) {
  auto arguments = std::make_shared<ReportArguments>();
  CLI::App* parser = apus.add_subcommand(
      "dispersion-report",
      "how many copies of what dispersion-populate made are where the ring says");
  parser->add_option("CONF", arguments->conf, "/etc/swift/dispersion.conf when not given");
  parser->add_flag("-j,--dump-json", arguments->dump_json, "the figures as JSON");
  parser->add_flag("-d,--debug", arguments->debug, "name devices that answer 404");
  parser->add_flag("-p,--partitions", arguments->partitions, "name partitions that miss copies");
  parser->add_flag("--container-only", arguments->container_only, "no objects");
  parser->add_flag("--object-only", arguments->object_only, "no containers");
  parser->add_flag("--insecure", arguments->insecure, "certificates are not verified");
  parser->add_option("-P,--policy-name", arguments->policy, "the policy whose ring is meant");
  return {parser, [arguments] { return dispersion_report(*arguments); }};
}

}  // namespace apus
