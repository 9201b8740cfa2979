// One machine's devices below a temporary folder, for the daemons that work on objects.
#pragma once

#include <apus/digest.h>
#include <apus/disk.h>
#include <apus/json.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/temp_tree.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "framework/store/object/object_store.h"

namespace apus::test {

struct Node {
  Node() : log(host.logger(Options())), store(make_store()) {
    for (const char* folder : {"srv/sda", "srv/sdb", "recon"})
      std::filesystem::create_directories(tree.path() / folder);
  }
  ObjectStore make_store() {
    ObjectStore::Settings settings;
    settings.known_objects = 0;
    return {host.disk(), host.clock(), log, host.entropy(), host.swift_conf(), settings};
  }
  [[nodiscard]] ObjectPlace place(const std::string& name,
                                  const std::string& device = "sda") const {
    const std::string hash = hash_of_name(host.conf, name);
    return {{(tree.path() / "srv" / device).string(), "objects",
             std::to_string(partition_of_hash(hash, 3))},
            hash,
            name};
  }
  /// Stores an object as a PUT does; `etag` is another than that of the bytes when given.
  void put(const ObjectPlace& at, const std::string& when, const std::string& bytes,
           std::optional<std::string> etag = {}, const Headers& more = {}) {
    ObjectMetadata metadata;
    metadata.append_known_new("X-Timestamp", when);
    metadata.append_known_new("Content-Type", "text/plain");
    metadata.append_known_new("Content-Length", std::to_string(bytes.size()));
    metadata.append_known_new("ETag", etag ? *etag : md5_hex(bytes));
    for (const auto& [name, value] : more) metadata.set(name, value);
    metadata.append_known_new("name", at.name);
    write(at, when + ".data", metadata, bytes);
  }
  void write(const ObjectPlace& at, const std::string& file, const ObjectMetadata& metadata,
             const std::string& bytes = "") {
    ObjectWriter writer(store, at);
    if (writer.open(bytes.size()) != 0 || writer.write({bytes.data(), bytes.size()}) != 0 ||
        writer.commit(metadata, file) != 0)
      throw std::runtime_error("cannot store " + at.name);
  }
  /// Names in a folder below the devices' root; none when there is no such folder.
  [[nodiscard]] std::set<std::string> names(const std::filesystem::path& folder) const {
    std::set<std::string> out;
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator(tree.path() / "srv" / folder, error))
      out.insert(entry.path().filename());
    return out;
  }
  [[nodiscard]] Json recon() const {
    const auto json = Json::parse(tree.read("recon/object.recon"));
    return json ? *json : Json();
  }
  /// Runs one pass of a daemon.
  void run(const std::string& daemon, testing::OptionTexts options) {
    options["devices"] = (tree.path() / "srv").string();
    options["mount_check"] = "false";
    options["recon_cache_path"] = (tree.path() / "recon").string();
    testing::load_daemon(daemon, options, host)->run_once({});
  }

  testing::TestHost host;
  testing::TempTree tree;
  Logger& log;
  ObjectStore store;
};

}  // namespace apus::test
