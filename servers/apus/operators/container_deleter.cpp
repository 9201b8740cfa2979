// `apus container-deleter`: puts a container's objects into the expirer's queue.
#include <apus/json.h>
#include <apus/text.h>

#include <filesystem>
#include <iostream>

#include "framework/conf/paste.h"
#include "framework/conf/server_options.h"
#include "framework/host/process_host.h"
#include "framework/pipeline/internal_client.h"
#include "servers/apus/operators/operators.h"

namespace apus {
namespace {

struct DeleterArguments {
  std::string conf = "/etc/swift/internal-client.conf";
  std::int64_t request_tries = 3;
  std::string account;
  std::string container;
  std::string prefix;
  std::string marker;
  std::string end_marker;
  std::string timestamp;
};

constexpr const char* kQueue = "/v1/.expiring_objects/";
constexpr const char* kType = "application/async-deleted";
constexpr const char* kEtagOfNothing = "d41d8cd98f00b204e9800998ecf8427e";
constexpr double kTellEvery = 10;

Json job(const DeleterArguments& arguments, const std::string& object, const Timestamp& when) {
  return Json::Object{
      {"name", when.normal() + "-" + arguments.account + "/" + arguments.container + "/" + object},
      {"deleted", 0},
      {"created_at", when.internal()},
      {"etag", kEtagOfNothing},
      {"size", 0},
      {"storage_policy_index", 0},
      {"content_type", kType}};
}

// The next page's names, which all lie behind `marker`.
std::vector<std::string> page(const InternalClient& client, const DeleterArguments& arguments,
                              const std::string& marker) {
  Query query;
  query.set("format", "json");
  query.set("marker", marker);
  query.set("end_marker", arguments.end_marker);
  query.set("prefix", arguments.prefix);
  const InternalClient::Answer answer = client.ask(
      "GET", "/v1/" + arguments.account + "/" + arguments.container, {2, 404}, {}, query.encode());
  std::vector<std::string> out;
  if (answer.status != 200) return out;
  const auto rows = Json::parse(answer.body);
  if (!rows || rows->array() == nullptr) throw std::runtime_error("the listing is no JSON");
  for (const Json& row : *rows->array()) {
    const Json* name = row.find("name");
    if (name == nullptr || name->text() == nullptr || *name->text() <= marker)
      throw std::runtime_error("the listing is out of order");
    out.push_back(*name->text());
  }
  return out;
}

void mark(const InternalClient& client, const DeleterArguments& arguments,
          const std::vector<std::string>& names, const Timestamp& when) {
  Json::Array jobs;
  jobs.reserve(names.size());
  for (const std::string& name : names) jobs.push_back(job(arguments, name, when));
  const auto seconds = static_cast<std::int64_t>(when.seconds());
  client.ask("UPDATE", kQueue + std::to_string(seconds), {2},
             {{"X-Backend-Allow-Private-Methods", "True"},
              {"X-Backend-Storage-Policy-Index", "0"},
              {"X-Timestamp", when.internal()}},
             {}, {}, Json(std::move(jobs)).dump());
}

int mark_all(const InternalClient& client, const DeleterArguments& arguments, const Timestamp& when,
             const Clock& clock) {
  std::size_t marked = 0;
  std::string marker = arguments.marker;
  double told = clock.now();
  while (true) {
    const std::vector<std::string> names = page(client, arguments, marker);
    if (names.empty()) break;
    mark(client, arguments, names, when);
    marked += names.size();
    marker = names.back();
    if (clock.now() - told <= kTellEvery) continue;
    told = clock.now();
    std::cout << "Marked " << marked << " objects for deletion, through " << python_repr(marker)
              << std::endl;
  }
  std::cout << "Finished. Marked " << marked << " objects for deletion.\n";
  return 0;
}

int container_deleter(const DeleterArguments& arguments) {
  std::vector<ConfProblem> problems;
  const PasteConf paste = resolve_paste(read_conf(arguments.conf, problems), problems);
  for (const ConfProblem& problem : problems) {
    if (problem.fatal) throw std::runtime_error(problem.text());
  }
  const auto specs = server_options();
  Options::Map values = paste.server;
  values.insert_or_assign("log_name", Options::Value{"container-deleter-ic", {}});
  const Options options("container-deleter", specs.data(), specs.size(), std::move(values));
  Cluster cluster(options.text("swift_dir"));
  Timestamp when = cluster.clock.timestamp();
  if (!arguments.timestamp.empty()) {
    const auto given = Timestamp::parse(arguments.timestamp);
    if (!given)
      throw std::invalid_argument("--timestamp " + arguments.timestamp +
                                  ": seconds since 1970 are wanted, as 1700000000.00000");
    when = *given;
  }
  ServerHost host(cluster, options, "container-deleter-ic");
  const InternalClient client(host, arguments.conf,
                              {.user_agent = "Swift Container Deleter",
                               .tries = arguments.request_tries,
                               .log_name = "container-deleter-ic"});
  return mark_all(client, arguments, when, cluster.clock);
}

}  // namespace

Command add_container_deleter(CLI::App& apus) {
  auto arguments = std::make_shared<DeleterArguments>();
  CLI::App* parser = apus.add_subcommand(
      "container-deleter",
      "have the expirer delete the objects of a container; they are listed until it did");
  parser->add_option("ACCOUNT", arguments->account, "whose container it is")->required();
  parser->add_option("CONTAINER", arguments->container, "whose objects are to go")->required();
  parser->add_option("--config", arguments->conf,
                     "the pipeline to ask through; /etc/swift/internal-client.conf when not given");
  parser->add_option("--request-tries", arguments->request_tries, "3 when not given")
      ->check(CLI::Range(1, 100));
  parser->add_option("--prefix", arguments->prefix, "only names that begin so");
  parser->add_option("--marker", arguments->marker,
                     "only names behind this one: where an earlier run ended");
  parser->add_option("--end-marker", arguments->end_marker, "only names before this one");
  parser->add_option("--timestamp", arguments->timestamp,
                     "objects as of this time; now when not given");
  return {parser, [arguments] { return container_deleter(*arguments); }};
}

}  // namespace apus
