// `apus get-nodes`: which devices hold an account, a container, an object or a partition.
#include <apus/text.h>

#include <filesystem>
#include <iostream>
#include <stdexcept>

#include "framework/conf/swift_conf_reader.h"
#include "framework/ring/ring_file.h"
#include "servers/apus/operators/operators.h"
#include "servers/apus/operators/ring_locations.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

struct NodesArguments {
  Words words;
  std::string swift_dir = "/etc/swift";
  std::string policy;
  std::string partition;
  bool all = false;
  bool quoted = false;
};

// What a ring file's or a policy's name says of the things in it.
struct RingName {
  std::string name;           ///< "object-1"
  std::string folder;         ///< "objects-1"
  std::optional<int> policy;  ///< of an object ring with a number
};

RingName named(const std::string& ring) {
  RingName out{ring, ring + "s", std::nullopt};
  const std::size_t dash = ring.rfind('-');
  if (!ring.starts_with("object") || dash == std::string::npos) return out;
  out.folder = "objects-" + ring.substr(dash + 1);
  if (const auto index = parse_digits(ring.substr(dash + 1))) out.policy = static_cast<int>(*index);
  return out;
}

// "/a/c/o" as one word, or two or three words.
std::vector<std::string> pieces(std::vector<std::string> words, bool quoted) {
  if (quoted) {
    for (std::string& word : words) word = unquote(word);
  }
  if (words.size() != 1) return words;
  std::string_view text = words.front();
  while (text.starts_with('/')) text.remove_prefix(1);
  while (text.ends_with('/')) text.remove_suffix(1);
  std::vector<std::string> out;
  while (out.size() < 2 && text.find('/') != std::string_view::npos) {
    out.emplace_back(text.substr(0, text.find('/')));
    text.remove_prefix(text.find('/') + 1);
  }
  out.emplace_back(text);
  return out;
}

void warn_of_ring(const LocationQuery& query, const std::string& ring) {
  if (query.account.empty() || !query.object.empty()) return;
  const bool container = !query.container.empty();
  if (ring == (container ? "container" : "account")) return;
  std::cout << "Warning: " << (container ? "account/container" : "account")
            << " specified but ring not named \"" << (container ? "container" : "account")
            << "\"\n";
}

const StoragePolicy& policy_of(const SwiftConf& conf, const std::string& name) {
  const StoragePolicy* policy = conf.policy(std::string_view(name));
  if (policy == nullptr) throw std::runtime_error("No policy named " + python_repr(name));
  return *policy;
}

std::string folder_of(const LocationQuery& query, const RingName& ring) {
  if (query.account.empty()) return ring.folder;
  if (!query.object.empty()) return ring.policy ? ring.folder : "objects";
  return query.container.empty() ? "accounts" : "containers";
}

void print_names(const LocationQuery& query) {
  if (!query.account.empty()) std::cout << "\nAccount  \t" << quote(query.account) << "\n";
  if (!query.container.empty()) std::cout << "Container\t" << quote(query.container) << "\n";
  if (!query.object.empty()) std::cout << "Object   \t" << quote(query.object) << "\n\n\n";
}

LocationQuery query_of(const std::vector<std::string>& names, const NodesArguments& arguments) {
  if (names.size() > 3)
    throw std::runtime_error("Invalid arguments: at most ACCOUNT CONTAINER OBJECT");
  LocationQuery out;
  if (!names.empty()) out.account = names[0];
  if (names.size() > 1) out.container = names[1];
  if (names.size() > 2) out.object = names[2];
  out.all_handoffs = arguments.all;
  if (!arguments.partition.empty()) {
    const auto number = parse_int(arguments.partition);
    if (!number || *number < 0 || *number > UINT32_MAX)
      throw std::runtime_error("-p " + arguments.partition + ": a partition's number is wanted");
    out.partition = static_cast<std::uint32_t>(*number);
  }
  if (out.account.empty() && !out.partition)
    throw std::runtime_error(
        "No target specified: expected ACCOUNT [CONTAINER [OBJECT]] or -p PARTITION");
  if (out.account.empty() && !out.container.empty())
    throw std::runtime_error("No account specified");
  if (out.container.empty() && !out.object.empty())
    throw std::runtime_error("No container specified");
  return out;
}

int get_nodes(const NodesArguments& arguments) {
  std::vector<std::string> words = arguments.words.given();
  std::string ring_path;
  if (arguments.policy.empty() && !words.empty() && words.front().ends_with(".ring.gz")) {
    ring_path = words.front();
    words.erase(words.begin());
    if (!fs::exists(ring_path)) throw std::runtime_error(ring_path + ": Ring file does not exist");
  }
  if (ring_path.empty() && arguments.policy.empty())
    throw std::runtime_error("Need to specify policy_name or <ring.gz>");
  LocationQuery query = query_of(pieces(std::move(words), arguments.quoted), arguments);
  std::optional<SwiftConf> conf;
  if (!query.account.empty() || !arguments.policy.empty())
    conf = load_swift_conf(arguments.swift_dir);
  RingName ring;
  if (!ring_path.empty()) {
    const std::string file = fs::path(ring_path).filename().string();
    ring = named(file.substr(0, file.size() - std::string_view(".ring.gz").size()));
    if (!query.object.empty()) query.policy = ring.policy;
  } else {
    const StoragePolicy& policy = policy_of(*conf, arguments.policy);
    if (query.object.empty() && !query.partition) {
      ring = named(query.container.empty() ? "account" : "container");
    } else {
      ring = named(policy.directory("object"));
      query.policy = policy.index;
    }
    ring_path = (fs::path(arguments.swift_dir) / (ring.name + ".ring.gz")).string();
  }
  warn_of_ring(query, ring.name);
  query.folder = folder_of(query, ring);
  const auto loaded = make_ring(read_ring(ring_path));
  print_names(query);
  try {
    print_ring_locations(std::cout, *loaded, conf ? &*conf : nullptr, query);
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(error.what());  // Swift ends with 1
  }
  return 0;
}

}  // namespace

Command add_get_nodes(CLI::App& apus) {
  auto arguments = std::make_shared<NodesArguments>();
  CLI::App* parser =
      apus.add_subcommand("get-nodes", "the devices of an account, container, object or partition");
  arguments->words.declare(*parser, {{"RING", "a .ring.gz; left out with -P"},
                                     {"ACCOUNT", "or ACCOUNT/CONTAINER/OBJECT in one word"},
                                     {"CONTAINER", ""},
                                     {"OBJECT", ""},
                                     {"MORE", "one word too many"}});
  parser->add_flag("-a,--all", arguments->all, "all handoffs, not only as many as primaries");
  parser->add_option("-p,--partition", arguments->partition, "this partition's devices");
  parser->add_option("-P,--policy-name", arguments->policy, "the policy whose ring is meant");
  parser->add_option("-d,--swift-dir", arguments->swift_dir, "where swift.conf and the rings lie");
  parser->add_flag("-Q,--quoted", arguments->quoted, "names are percent-encoded");
  return {parser, [arguments] { return get_nodes(*arguments); }};
}

}  // namespace apus
