// `apus account-audit`: whether all copies of an account, its containers and objects agree.
#include <apus/crew.h>
#include <apus/digest.h>
#include <apus/json.h>
#include <apus/text.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <set>

#include "framework/host/process_host.h"
#include "servers/apus/formatted.h"
#include "servers/apus/operators/json_text.h"
#include "servers/apus/operators/operators.h"

namespace apus {
namespace {

struct AuditArguments {
  std::vector<std::string> paths;
  std::string swift_dir = "/etc/swift";
  std::string error_file;
  std::size_t concurrency = 50;
  bool deep = false;
};

struct Totals {
  int accounts = 0, account_missing = 0, account_failed = 0;
  int account_containers_differ = 0, account_objects_differ = 0;
  int containers = 0, container_missing = 0, container_failed = 0;
  int container_counts_differ = 0, container_objects_differ = 0;
  int objects = 0, object_missing = 0, object_failed = 0, object_differs = 0;
};

// A row of a container's listing.
struct Row {
  std::string hash;
  std::string last_modified;
};

struct Container {
  std::map<std::string, Row> rows;
  int policy = 0;
};

// The bytes of an answer, read to the end and thrown away.
std::string digest_of(Source* source) {
  Digest digest(DigestKind::kMd5);
  std::string piece(65536, '\0');
  while (source != nullptr) {
    const std::size_t count = source->read(piece);
    if (count == 0) break;
    digest.update(std::string_view(piece).substr(0, count));
  }
  return digest.finish_hex();
}

class Audit {
 public:
  explicit Audit(const AuditArguments& arguments)
      : arguments_(arguments), cluster_(arguments.swift_dir), crew_(arguments.concurrency) {}

  void account(const std::string& account) {
    for (const std::string& name : containers_of(account)) container(account, name);
  }
  void container(const std::string& account, const std::string& name) {
    const Container& rows = objects_of(account, name);
    std::vector<std::string> names;
    names.reserve(rows.rows.size());
    for (const auto& [object, row] : rows.rows) names.push_back(object);
    crew_.each(names.size(), arguments_.concurrency,
               [&](std::size_t i) { object(account, name, rows, names[i]); });
  }
  void object(const std::string& account, const std::string& container, const std::string& name) {
    object(account, container, objects_of(account, container), name);
  }
  [[nodiscard]] const Totals& totals() const { return totals_; }

 private:
  // What one line of output and one number stand for. Thread-safe.
  void tell(const std::string& line, int Totals::*counted = nullptr) {
    const std::lock_guard lock(mutex_);
    std::cout << line << "\n";
    if (counted != nullptr) ++(totals_.*counted);
  }
  void done(const std::string& path, bool consistent, int Totals::*counted) {
    const std::lock_guard lock(mutex_);
    ++(totals_.*counted);
    if (consistent || arguments_.error_file.empty()) return;
    std::ofstream(arguments_.error_file, std::ios::app) << path << "\n";
  }

  Outcome ask(const RingDevice& device, std::uint32_t partition, const std::string& method,
              const std::string& path, const std::string& marker, int policy) {
    Call call{Endpoint{device.ip, device.port},
              Request(method, "/" + device.device + "/" + std::to_string(partition) + path)};
    call.request.internal.set("X-Timestamp", cluster_.clock.timestamp().internal());
    call.request.internal.set("X-Backend-Storage-Policy-Index", std::to_string(policy));
    if (method == "GET") {
      call.request.query.set("format", "json");
      call.request.query.set("marker", marker);
    }
    return cluster_.http.call(std::move(call), {std::chrono::seconds(5), std::chrono::seconds(60)});
  }

  // One page; nothing when the answer is no listing.
  static std::optional<Json> page_of(Response& response) {
    constexpr std::size_t kLargest = 64U << 20U;
    try {
      const std::string body = read_all(response.body.get(), kLargest);
      auto page = Json::parse(body.empty() ? "[]" : body);
      if (page && page->array() != nullptr) return page;
    } catch (const BodyError&) {
      // told as an exception of the request
    }
    return std::nullopt;
  }

  enum class Listed : std::uint8_t { kWhole, kRefused, kFailed };
  // Every row of one copy; `head` gets the first answer's fields.
  Listed list(const RingDevice& device, std::uint32_t partition, const std::string& path,
              std::optional<Headers>& head, const std::function<void(const Json&)>& row) {
    std::string marker;
    while (true) {
      Outcome outcome = ask(device, partition, "GET", path, marker, 0);
      if (!outcome.response) return Listed::kFailed;
      if (!outcome.response->is_success()) return Listed::kRefused;
      const auto page = page_of(*outcome.response);
      if (!page) return Listed::kFailed;
      if (!head) {
        head = outcome.response->headers;
        for (const auto& [name, value] : outcome.response->internal) head->set(name, value);
      }
      if (page->array()->empty()) return Listed::kWhole;
      for (const Json& one : *page->array()) row(one);
      const std::string last = json_text(page->array()->back(), "name");
      if (last <= marker) return Listed::kFailed;  // it would go on for ever
      marker = last;
    }
  }

  // False, and told, when copies have different numbers.
  bool agree(const std::vector<Headers>& heads, const char* field, const std::string& complaint,
             int Totals::*counted) {
    std::set<std::int64_t> counts;
    for (const Headers& head : heads) counts.insert(parse_int(head.get(field)).value_or(-1));
    if (counts.size() == 1) return true;
    tell(complaint, counted);
    if (!counts.empty())
      tell("  Max: " + std::to_string(*counts.rbegin()) +
           ", Min: " + std::to_string(*counts.begin()));
    return false;
  }

  const std::set<std::string>& containers_of(const std::string& account);
  const Container& objects_of(const std::string& account, const std::string& name);
  void object(const std::string& account, const std::string& container, const Container& rows,
              const std::string& name);
  bool one_copy(const RingDevice& device, std::uint32_t partition, const std::string& path,
                int policy, std::vector<std::pair<std::string, const RingDevice*>>& etags);

  const AuditArguments& arguments_;
  Cluster cluster_;
  Crew crew_;
  std::mutex mutex_;
  Totals totals_;
  std::map<std::string, std::set<std::string>> accounts_;
  std::map<std::string, Container> containers_;
};

const std::set<std::string>& Audit::containers_of(const std::string& account) {
  const auto [at, fresh] = accounts_.try_emplace(account);
  if (!fresh) return at->second;
  tell("Auditing account \"" + account + "\"");
  const std::string path = "/" + account;
  const auto ring = cluster_.rings.account();
  const std::uint32_t partition = ring->partition_of(cluster_.swift_conf.hash_path(account));
  std::vector<Headers> heads;
  bool consistent = true;
  for (const RingNode& node : ring->primaries(partition)) {
    std::optional<Headers> head;
    const Listed listed =
        list(*node.device, partition, path, head,
             [&, &names = at->second](const Json& row) { names.insert(json_text(row, "name")); });
    if (listed == Listed::kRefused)
      tell("  Bad status GETting account '" + account + "'  from " + node.device->ip + ":" +
               node.device->device,
           &Totals::account_missing);
    if (listed == Listed::kFailed)
      tell("  Exception GETting account '" + account + "' on " + node.device->ip + ":" +
               node.device->device,
           &Totals::account_failed);
    if (head) heads.push_back(*head);
    consistent = consistent && listed == Listed::kWhole;
  }
  const std::string differ = "  Account databases for '" + account + "' don't agree on number of ";
  consistent = agree(heads, "X-Account-Container-Count", differ + "containers.",
                     &Totals::account_containers_differ) &&
               consistent;
  consistent = agree(heads, "X-Account-Object-Count", differ + "objects.",
                     &Totals::account_objects_differ) &&
               consistent;
  done(path, consistent, &Totals::accounts);
  return at->second;
}

const Container& Audit::objects_of(const std::string& account, const std::string& name) {
  const std::string path = "/" + account + "/" + name;
  const auto [at, fresh] = containers_.try_emplace(path);
  Container& out = at->second;
  if (!fresh) return out;
  tell("Auditing container \"" + name + "\"");
  bool consistent = containers_of(account).contains(name);
  if (!consistent) tell("  Container " + path + " not in account listing!");
  const auto ring = cluster_.rings.container();
  const std::uint32_t partition = ring->partition_of(cluster_.swift_conf.hash_path(account, name));
  std::vector<Headers> heads;
  const auto take = [&](const Json& row) {
    const std::string object = json_text(row, "name");
    const Row now{json_text(row, "hash"), json_text(row, "last_modified")};
    const auto [known, first] = out.rows.emplace(object, now);
    if (first || known->second.last_modified == now.last_modified) return;
    tell("  Different versions of " + name + "/" + object + " in container dbs.",
         &Totals::container_objects_differ);
    consistent = false;
    if (now.last_modified > known->second.last_modified) known->second = now;
  };
  for (const RingNode& node : ring->primaries(partition)) {
    std::optional<Headers> head;
    const Listed listed = list(*node.device, partition, path, head, take);
    const std::string where =
        " GETting container \"" + path + "\" on " + node.device->ip + "/" + node.device->device;
    if (listed == Listed::kRefused) tell("  Bad status" + where, &Totals::container_missing);
    if (listed == Listed::kFailed) tell("  Exception" + where, &Totals::container_failed);
    if (head) heads.push_back(*head);
    consistent = consistent && listed == Listed::kWhole;
  }
  if (heads.empty()) {
    consistent = false;
    tell("  Failed to fetch container " + path + " at all!");
  } else {
    out.policy = static_cast<int>(
        parse_int(heads.front().get("X-Backend-Storage-Policy-Index")).value_or(0));
    consistent = agree(heads, "X-Container-Object-Count",
                       "  Container databases don't agree on number of objects.",
                       &Totals::container_counts_differ) &&
                 consistent;
  }
  done(path, consistent, &Totals::containers);
  return out;
}

// False, and told, when there is no good copy; else its ETag is added.
bool Audit::one_copy(const RingDevice& device, std::uint32_t partition, const std::string& path,
                     int policy, std::vector<std::pair<std::string, const RingDevice*>>& etags) {
  const std::string method = arguments_.deep ? "GET" : "HEAD";
  const std::string where = "\"" + path + "\" on " + device.ip + "/" + device.device;
  Outcome outcome = ask(device, partition, method, path, "", policy);
  if (!outcome.response) {
    tell("  Exception fetching object " + where, &Totals::object_failed);
    return false;
  }
  Response& response = *outcome.response;
  if (!response.is_success()) {
    tell("  Bad status " + std::to_string(response.status) + " " + method + "ing object " + where,
         &Totals::object_missing);
    return false;
  }
  const std::string etag(unquote_etag(response.headers.get("ETag")));
  bool good = true;
  if (arguments_.deep) {
    try {
      good = digest_of(response.body.get()) == etag;
      if (!good) tell("  MD5 does not match etag for " + where, &Totals::object_differs);
    } catch (const BodyError&) {
      tell("  Exception fetching object " + where, &Totals::object_failed);
      return false;
    }
  }
  constexpr const char* kListed = "X-Object-Sysmeta-Container-Update-Override-Etag";
  const std::string* listed = response.internal.find(kListed);
  if (listed == nullptr) listed = response.headers.find(kListed);
  etags.emplace_back(listed == nullptr ? etag : *listed, &device);
  return good;
}

void Audit::object(const std::string& account, const std::string& container, const Container& rows,
                   const std::string& name) {
  const std::string path = "/" + account + "/" + container + "/" + name;
  const auto row = rows.rows.find(name);
  bool consistent = row != rows.rows.end();
  if (!consistent) tell("  Object " + path + " missing in container listing!");
  const auto ring = cluster_.rings.object(rows.policy);
  const std::uint32_t partition =
      ring->partition_of(cluster_.swift_conf.hash_path(account, container, name));
  std::vector<std::pair<std::string, const RingDevice*>> etags;
  for (const RingNode& node : ring->primaries(partition))
    consistent = one_copy(*node.device, partition, path, rows.policy, etags) && consistent;
  if (etags.empty()) {
    consistent = false;
    tell("  Failed fo fetch object " + path + " at all!");
  }
  for (const auto& [etag, device] : etags) {
    if (row == rows.rows.end() || row->second.hash.empty()) break;
    if (unquote_etag(etag) == row->second.hash) continue;
    consistent = false;
    tell("  ETag mismatch for \"" + path + "\" on " + device->ip + "/" + device->device,
         &Totals::object_differs);
  }
  done(path, consistent, &Totals::objects);
}

void print_totals(const Totals& totals) {
  const auto line = [](const char* name, int count) {
    std::cout << right(name, 18) << ": " << count << "\n";
  };
  const auto line_if = [&](const char* name, int count) {
    if (count != 0) line(name, count);
  };
  std::cout << "\n";
  line("Accounts checked", totals.accounts);
  line_if("Missing Replicas", totals.account_missing);
  line_if("Exceptions", totals.account_failed);
  line_if("Container mismatch", totals.account_containers_differ);
  line_if("Object mismatch", totals.account_objects_differ);
  std::cout << "\n";
  line("Containers checked", totals.containers);
  line_if("Missing Replicas", totals.container_missing);
  line_if("Exceptions", totals.container_failed);
  line_if("Count mismatch", totals.container_counts_differ);
  line_if("Object mismatch", totals.container_objects_differ);
  std::cout << "\n";
  line("Objects checked", totals.objects);
  line_if("Missing Replicas", totals.object_missing);
  line_if("Exceptions", totals.object_failed);
  line_if("MD5 Mismatch", totals.object_differs);
}

void audit_path(Audit& audit, std::string path) {
  while (path.ends_with('\n') || path.ends_with('\r')) path.pop_back();
  path.erase(0, path.find_first_not_of('/'));
  const std::size_t first = path.find('/');
  const std::string account = path.substr(0, first);
  const std::string rest = first == std::string::npos ? "" : path.substr(first + 1);
  const std::size_t second = rest.find('/');
  const std::string container = rest.substr(0, second);
  const std::string object = second == std::string::npos ? "" : rest.substr(second + 1);
  if (account.empty() || (container.empty() && !object.empty()))
    throw std::runtime_error("'" + path + "': expected ACCOUNT[/CONTAINER[/OBJECT]]");
  if (!object.empty()) {
    audit.object(account, container, object);
  } else if (!container.empty()) {
    audit.container(account, container);
  } else {
    audit.account(account);
  }
}

int account_audit(const AuditArguments& arguments) {
  Audit audit(arguments);
  for (const std::string& path : arguments.paths) audit_path(audit, path);
  if (::isatty(STDIN_FILENO) == 0) {
    for (std::string line; std::getline(std::cin, line);) audit_path(audit, line);
  }
  print_totals(audit.totals());
  return 0;
}

}  // namespace

Command add_account_audit(CLI::App& apus) {
  auto arguments = std::make_shared<AuditArguments>();
  CLI::App* parser = apus.add_subcommand(
      "account-audit", "whether all copies of an account, its containers and objects agree");
  parser->add_option(
      "PATH", arguments->paths,
      "ACCOUNT[/CONTAINER[/OBJECT]]; more are read from standard input, a line each");
  parser->add_option("-c", arguments->concurrency, "how many objects at a time; 50 when not given")
      ->check(CLI::Range(1, 1000));
  parser->add_option("-r", arguments->swift_dir, "where swift.conf and the rings lie");
  parser->add_option("-e", arguments->error_file, "a file to add inconsistent paths to");
  parser->add_flag("-d", arguments->deep, "read objects whole and verify their MD5");
  return {parser, [arguments, parser] {
            if (!arguments->paths.empty() || ::isatty(STDIN_FILENO) == 0)
              return account_audit(*arguments);
            std::cout << parser->help();
            return 0;
          }};
}

}  // namespace apus
