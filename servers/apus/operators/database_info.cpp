// `apus account-info` and `apus container-info`: what a database says of itself.
#include <apus/headers.h>
#include <apus/text.h>
#include <apus/timestamp.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <system_error>

#include "framework/conf/swift_conf_reader.h"
#include "framework/store/db/account_broker.h"
#include "framework/store/db/container_broker.h"
#include "servers/apus/formatted.h"
#include "servers/apus/operators/database_file.h"
#include "servers/apus/operators/metadata_groups.h"
#include "servers/apus/operators/operators.h"
#include "servers/apus/operators/ring_locations.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

struct DatabaseArguments {
  Words words;
  std::string swift_dir = "/etc/swift";
  bool drop_prefixes = false;
  bool verbose = false;
};

std::string moment(const std::string& text) {
  return Timestamp::parse(text).value_or(Timestamp()).isoformat() + " (" + text + ")";
}

void print_times(const std::string& created_at, const std::string& put_timestamp,
                 const std::string& delete_timestamp, const std::string& status_changed_at) {
  std::cout << "Metadata:\n  Created at: " << moment(created_at)
            << "\n  Put Timestamp: " << moment(put_timestamp)
            << "\n  Delete Timestamp: " << moment(delete_timestamp)
            << "\n  Status Timestamp: " << moment(status_changed_at) << "\n";
}

void print_head(const std::string& path, const std::string& account, const std::string& container,
                bool deleted, const std::string& hash) {
  std::cout << "Path: " << path << "\n  Account: " << account << "\n";
  if (!container.empty()) std::cout << "  Container: " << container << "\n";
  std::cout << "  Deleted: " << (deleted ? "True" : "False") << "\n  "
            << (container.empty() ? "Account" : "Container") << " Hash: " << hash << "\n";
}

void print_dict(const char* title, const char* none,
                const std::vector<std::pair<std::string, std::string>>& items) {
  if (items.empty()) {
    std::cout << none << "\n";
    return;
  }
  std::cout << "  " << title << ": {";
  const char* before = "";
  for (const auto& [name, value] : items) {
    std::cout << before << python_repr(name) << ": " << python_repr(value);
    before = ", ";
  }
  std::cout << "}\n";
}

// In the order of the column, which is the order of Swift's dict.
void print_metadata(std::string_view kind, const std::string& column, bool drop_prefixes) {
  std::vector<std::pair<std::string, std::string>> user;
  std::vector<std::pair<std::string, std::string>> system;
  const Json all = Json::parse(column).value_or(Json());
  for (const auto& [stored, entry] : all.object() != nullptr ? *all.object() : Json::Object()) {
    const Json::Array* pair = entry.array();
    if (pair == nullptr || pair->empty() || pair->front().text() == nullptr) continue;
    const std::string& value = *pair->front().text();
    std::string name = stored;
    switch (group_of(kind, drop_prefixes, name)) {
      case MetadataGroup::kUser:
        user.emplace_back(name, value);
        break;
      case MetadataGroup::kSystem:
        system.emplace_back(name, value);
        break;
      default:
        std::cout << "  " << title_case(name) << ": " << value << "\n";
    }
  }
  print_dict("System Metadata", "No system metadata found in db file", system);
  print_dict("User Metadata", "No user metadata found in db file", user);
}

void print_range(const ShardRange& range) {
  std::cout << "  Name: " << range.name << "\n    lower: " << python_repr(range.lower)
            << ", upper: " << python_repr(range.upper)
            << "\n    Object Count: " << range.object_count << ", Bytes Used: " << range.bytes_used
            << ", State: " << shard_state_name(range.state) << " (" << range.state << ")"
            << "\n    Created at: " << moment(range.timestamp)
            << "\n    Meta Timestamp: " << moment(range.meta_timestamp) << "\n";
}

void print_ranges(const std::vector<ShardRange>& ranges, bool verbose) {
  if (ranges.empty()) return;
  std::map<std::int64_t, int> by_state;
  for (const ShardRange& range : ranges) ++by_state[range.state];
  std::cout << "Shard Ranges (" << ranges.size() << "):\n  States:\n";
  for (const auto& [state, count] : by_state) {
    std::cout << "    " << right(std::string(shard_state_name(state)), 9) << ": " << count << "\n";
  }
  if (verbose) {
    for (const ShardRange& range : ranges) print_range(range);
  } else {
    std::cout << "(Use -v/--verbose to show more Shard Ranges details)\n";
  }
}

void print_places(const DatabaseArguments& arguments, const SwiftConf& conf,
                  const std::string& kind, const std::string& account,
                  const std::string& container) {
  const auto ring = find_ring(arguments.swift_dir, kind);
  if (ring == nullptr) return;
  LocationQuery query;
  query.account = account;
  query.container = container;
  query.folder = kind + "s";
  print_ring_locations(std::cout, *ring, &conf, query);
}

[[noreturn]] void no_info_row() { throw std::runtime_error("the database has no info row"); }

void print_account(const DatabaseArguments& arguments, ToolServices& services,
                   const DatabaseFile& source, Patience patience) {
  AccountBroker broker(services.get(), source.place, "", source.file);
  broker.set_patience(patience);
  const auto stat = broker.info();
  if (!stat) no_info_row();
  print_head("/" + stat->account, stat->account, "", stat->deleted(),
             services.conf.hash_path(stat->account));
  print_times(stat->created_at, stat->put_timestamp, stat->delete_timestamp,
              stat->status_changed_at);
  std::cout << "  Container Count: " << stat->container_count
            << "\n  Object Count: " << stat->object_count << "\n  Bytes Used: " << stat->bytes_used
            << "\n  Chexor: " << stat->hash << "\n  UUID: " << stat->id << "\n";
  print_metadata("account", stat->metadata, arguments.drop_prefixes);
  print_places(arguments, services.conf, "account", stat->account, "");
}

void print_container_stat(const SwiftConf& conf, const ContainerStat& stat) {
  const StoragePolicy* policy = conf.policy(static_cast<int>(stat.policy));
  std::cout << "  Object Count: " << stat.object_count << "\n  Bytes Used: " << stat.bytes_used
            << "\n  Storage Policy: " << (policy == nullptr ? "Unknown" : policy->name) << " ("
            << stat.policy << ")\n  Reported Put Timestamp: " << moment(stat.reported_put_timestamp)
            << "\n  Reported Delete Timestamp: " << moment(stat.reported_delete_timestamp)
            << "\n  Reported Object Count: " << stat.reported_object_count
            << "\n  Reported Bytes Used: " << stat.reported_bytes_used
            << "\n  Chexor: " << stat.hash << "\n  UUID: " << stat.id
            << "\n  X-Container-Sync-Point1: " << stat.sync_point1
            << "\n  X-Container-Sync-Point2: " << stat.sync_point2 << "\n";
}

void print_container(const DatabaseArguments& arguments, ToolServices& services,
                     const DatabaseFile& source, Patience patience) {
  ContainerBroker broker(services.get(), source.place, "", "", source.file);
  broker.set_patience(patience);
  const auto stat = broker.info();
  if (!stat) no_info_row();
  print_head("/" + stat->account + "/" + stat->container, stat->account, stat->container,
             stat->deleted(), services.conf.hash_path(stat->account, stat->container));
  print_times(stat->created_at, stat->put_timestamp, stat->delete_timestamp,
              stat->status_changed_at);
  print_container_stat(services.conf, *stat);
  print_metadata("container", stat->metadata, arguments.drop_prefixes);
  std::cout << "Sharding Metadata:\n  Type: " << (broker.is_root() ? "root" : "shard")
            << "\n  State: " << sharding_state_name(broker.state()) << "\n";
  print_ranges(broker.shard_ranges(), arguments.verbose);
  print_places(arguments, services.conf, "container", stat->account, stat->container);
}

bool is_busy(const std::exception& error) {
  if (const auto* refused = dynamic_cast<const DatabaseError*>(&error)) return refused->locked();
  return dynamic_cast<const std::system_error*>(&error) != nullptr;
}

int print_info(const DatabaseArguments& arguments, const std::string& kind,
               const std::string& file) {
  if (!file.ends_with(".db") || !fs::exists(file)) {
    std::cout << "DB file doesn't exist\n";
    return 1;
  }
  ToolServices services(load_swift_conf(arguments.swift_dir));
  const auto print = [&](Patience patience) {
    (kind == "account" ? print_account : print_container)(arguments, services, database_file(file),
                                                          patience);
  };
  try {
    try {
      print({});
      return 0;
    } catch (const std::exception& error) {
      if (!is_busy(error)) throw;
    }
    std::cout << "Warning: Possibly Stale Data\n";
    print({std::chrono::milliseconds(0), true});
    return 2;
  } catch (const DatabaseError& error) {
    if (std::string_view(error.what()).find("no such table") != std::string_view::npos) {
      std::cout << "Does not appear to be a DB of type \"" << kind << "\": " << file << "\n";
    } else {
      std::cout << (kind == "account" ? "Account" : "Container") << " info failed: " << error.what()
                << "\n";
    }
    return 1;
  }
}

Command add_info(CLI::App& apus, const std::string& kind) {
  auto arguments = std::make_shared<DatabaseArguments>();
  CLI::App* parser = apus.add_subcommand(
      kind + "-info", "what the database of " + std::string(kind == "account" ? "an " : "a ") +
                          kind + " says of itself");
  arguments->words.declare(*parser, {{"FILE", "a .db"}});
  parser->add_option("-d,--swift-dir", arguments->swift_dir, "where swift.conf and the rings lie");
  parser->add_flag("--drop-prefixes", arguments->drop_prefixes,
                   "names of metadata without what all of their kind start with");
  if (kind == "container")
    parser->add_flag("-v,--verbose", arguments->verbose, "each shard range, not only their number");
  return {parser, [arguments, parser, kind] {
            const auto words = arguments->words.given();
            if (words.size() == 1) return print_info(*arguments, kind, words.front());
            std::cout << parser->help();
            return 0;
          }};
}

}  // namespace

Command add_account_info(CLI::App& apus) { return add_info(apus, "account"); }
Command add_container_info(CLI::App& apus) { return add_info(apus, "container"); }

}  // namespace apus
