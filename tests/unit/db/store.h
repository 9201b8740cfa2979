// Databases in a folder of their own, with a clock that stands still.
#pragma once

#include <apus/disk.h>
#include <apus/testing/host.h>
#include <apus/testing/temp_tree.h>

#include <string>
#include <vector>

#include "framework/store/db/account_broker.h"
#include "framework/store/db/container_broker.h"

namespace apus::test {

struct Store {
  testing::TestHost host;
  testing::TempTree tree;
  DatabasePool pool;

  BrokerServices services() {
    return {host.disk(), host.clock(),         host.entropy(), host.logger(Options()),
            pool,        host.conf.constraints};
  }
  DatabasePlace place(const std::string& directory, const std::string& hash) {
    return {(tree.path() / "d1").string(), directory, "7", hash};
  }
  ContainerBroker container(const std::string& name = "c") {
    return {services(), place("containers", host.conf.hash_path("a", name)), "a", name};
  }
  AccountBroker account(const std::string& name = "a") {
    return {services(), place("accounts", host.conf.hash_path(name)), name};
  }
};

inline Timestamp at(double seconds) { return Timestamp::from_seconds(seconds); }

inline ObjectRow object(const std::string& name, double when, std::int64_t size = 1,
                        const std::string& type = "t/p") {
  return {name, at(when).internal(), size, type, "etag", false, 0, "", ""};
}

inline std::vector<ListingEntry> listed(ContainerBroker broker, const ListingQuery& query,
                                        std::int64_t policy = 0) {
  std::vector<ListingEntry> out;
  broker.list(query, policy, [&](const ListingEntry& entry) { out.push_back(entry); });
  return out;
}

inline std::string names(ContainerBroker broker, const ListingQuery& query) {
  std::string out;
  for (const ListingEntry& entry : listed(std::move(broker), query)) out += entry.name + ",";
  return out;
}

}  // namespace apus::test
