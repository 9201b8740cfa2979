// A device in a temporary folder, and a store over it.
#pragma once

#include <apus/testing/faulty_disk.h>
#include <apus/testing/host.h>
#include <apus/testing/temp_tree.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "framework/store/object/object_store.h"

namespace apus::test {

/// Moments of what is stored, a second apart.
inline constexpr const char* kEarlier = "1699999001.00000";
inline constexpr const char* kLater = "1699999002.00000";

struct StoreFixture {
  explicit StoreFixture(ObjectStore::Settings settings = {})
      : log(host.logger(Options())),
        store(host.disk(), host.clock(), log, host.entropy(), host.swift_conf(), settings) {}

  [[nodiscard]] ObjectPlace place(const std::string& name = "/a/c/o") const {
    return {{tree.path().string(), "objects", "7"}, hash_of_name(host.conf, name), name};
  }
  /// Stores `bytes` at `when` seconds; the errno that ended it, or 0.
  int put(const ObjectPlace& at, std::string_view when, std::string_view bytes,
          Headers more = {}) const {
    ObjectMetadata metadata;
    metadata.append_known_new("X-Timestamp", std::string(when));
    metadata.append_known_new("Content-Type", "text/plain");
    metadata.append_known_new("Content-Length", std::to_string(bytes.size()));
    metadata.append_known_new("ETag", "etag");
    for (const auto& [name, value] : more) metadata.set(name, value);
    metadata.append_known_new("name", at.name);
    ObjectWriter writer(store, at);
    int error = writer.open(bytes.size());
    if (error == 0) error = writer.write({bytes.data(), bytes.size()});
    return error != 0 ? error : writer.commit(metadata, std::string(when) + ".data");
  }
  int write(const ObjectPlace& at, const std::string& file, Headers fields) const {
    ObjectMetadata metadata(fields);
    metadata.append_known_new("name", at.name);
    ObjectWriter writer(store, at);
    const int error = writer.open(std::nullopt);
    return error != 0 ? error : writer.commit(metadata, file);
  }
  [[nodiscard]] OpenObject open(const ObjectPlace& at, bool open_expired = false) const {
    return store.open(at, host.time.timestamp(), open_expired);
  }
  /// Names in a folder below the device; none when there is no such folder.
  [[nodiscard]] std::set<std::string> names(const std::filesystem::path& folder) const {
    std::set<std::string> out;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(tree.path() / folder, error))
      out.insert(entry.path().filename());
    return out;
  }
  [[nodiscard]] std::set<std::string> files(const ObjectPlace& at) const {
    return names(std::filesystem::path(at.folder()).lexically_relative(tree.path()));
  }

  mutable testing::TestHost host;
  mutable testing::TempTree tree;
  Logger& log;
  ObjectStore store;
};

/// The same over a disk that fails when told. Its folder is changed through that disk alone.
struct FaultyStore {
  FaultyStore() : log(host.logger(Options())) {
    settings.reserve_percent = 0;
    store = std::make_unique<ObjectStore>(disk, host.clock(), log, host.entropy(),
                                          host.swift_conf(), settings);
  }
  [[nodiscard]] ObjectPlace place() const {
    return {{tree.path().string(), "objects", "7"}, hash_of_name(host.conf, "/a/c/o"), "/a/c/o"};
  }
  /// Stores `bytes` at `when`; the errno that ended it, or 0.
  int put(const std::string& when, std::string_view bytes) {
    ObjectMetadata metadata{{"X-Timestamp", when},
                            {"Content-Length", std::to_string(bytes.size())}};
    metadata.append_known_new("name", "/a/c/o");
    ObjectWriter writer(*store, place());
    int error = writer.open(bytes.size());
    if (error == 0) error = writer.write({bytes.data(), bytes.size()});
    return error != 0 ? error : writer.commit(metadata, when + ".data");
  }
  [[nodiscard]] OpenObject open() { return store->open(place(), host.time.timestamp(), false); }

  testing::TestHost host;
  testing::TempTree tree;
  testing::FaultyDisk disk{tree.path()};
  Logger& log;
  ObjectStore::Settings settings;
  std::unique_ptr<ObjectStore> store;
};

}  // namespace apus::test
