// Object servers of several nodes in one process, each the real shared objects over a folder of its
// own, and the replicator of one of them.
#pragma once

#include <apus/ring.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/transport/local_transport.h"

namespace apus::test {

namespace fs = std::filesystem;

/// The files of an object after its first PUT.
inline const std::vector<std::string> kFirst{"1699999001.00000.data"};

/// Device "dI" at 10.0.0.I:6200, I from 0; the first `replicas` are a partition's primaries, the
/// others its handoffs in order; from partition 8 on all the other way round. `regions` may name a
/// region for each.
class FakeRing final : public Ring {
 public:
  FakeRing(std::size_t replicas, std::size_t count, const std::vector<int>& regions)
      : replicas_(replicas) {
    for (std::size_t i = 0; i < count; ++i) {
      RingDevice device;
      device.id = static_cast<int>(i);
      device.region = i < regions.size() ? regions[i] : 1;
      device.ip = device.replication_ip = "10.0.0." + std::to_string(i);
      device.port = device.replication_port = 6200;
      device.device = "d" + std::to_string(i);
      devices_.emplace_back(device);
    }
  }
  [[nodiscard]] std::uint32_t partition_count() const override { return 16; }
  [[nodiscard]] int part_power() const override { return 4; }
  [[nodiscard]] std::optional<int> next_part_power() const override { return next; }
  [[nodiscard]] double replica_count() const override { return static_cast<double>(replicas_); }
  [[nodiscard]] const std::vector<std::optional<RingDevice>>& devices() const override {
    return devices_;
  }
  [[nodiscard]] std::uint32_t partition_of(std::string_view /*hash*/) const override { return 7; }
  [[nodiscard]] std::vector<RingNode> primaries(std::uint32_t partition) const override {
    std::vector<RingNode> out;
    for (std::size_t i = 0; i < replicas_; ++i)
      out.push_back({place(partition, i), static_cast<int>(i), -1});
    return out;
  }
  [[nodiscard]] std::unique_ptr<HandoffWalk> handoffs(std::uint32_t partition) const override {
    return std::make_unique<Walk>(*this, partition);
  }
  std::optional<int> next;

 private:
  [[nodiscard]] const RingDevice* place(std::uint32_t partition, std::size_t i) const {
    return &*devices_[partition < 8 ? i : devices_.size() - 1 - i];
  }
  class Walk final : public HandoffWalk {
   public:
    Walk(const FakeRing& ring, std::uint32_t partition)
        : ring_(ring), partition_(partition), at_(ring.replicas_) {}
    std::optional<RingNode> next() override {
      if (at_ >= ring_.devices_.size()) return std::nullopt;
      return RingNode{ring_.place(partition_, at_++), -1, 0};
    }

   private:
    const FakeRing& ring_;
    std::uint32_t partition_;
    std::size_t at_;
  };
  std::size_t replicas_;
  std::vector<std::optional<RingDevice>> devices_;
};

class Cluster final : public RingDirectory {
 public:
  Cluster(std::size_t replicas, std::size_t nodes, const std::vector<int>& regions = {})
      : ring(std::make_shared<FakeRing>(replicas, nodes, regions)) {
    host.use_transport(transport);
    host.use_rings(*this);
    for (std::size_t i = 0; i < nodes; ++i) {
      fs::create_directories(device(i));
      servers_.push_back(testing::load_app("object", paths(i), host));
      receivers_.push_back(testing::load_filter("ssync", paths(i), host, *servers_.back()));
      doors_.push_back(std::make_unique<Door>(*receivers_.back(), before_ssync));
      transport.add({"10.0.0." + std::to_string(i), 6200}, *doors_.back());
    }
  }
  std::shared_ptr<const Ring> account() override { throw std::logic_error("not asked for"); }
  std::shared_ptr<const Ring> container() override { throw std::logic_error("not asked for"); }
  std::shared_ptr<const Ring> object(int /*policy*/) override { return ring; }

  [[nodiscard]] fs::path device(std::size_t node) const {
    return tree.path() / std::to_string(node) / ("d" + std::to_string(node));
  }
  /// Puts an object on one node, whoever should have it.
  void put(std::size_t node, const std::string& name, int second = 1,
           const std::string& partition = "7", const std::string& body = "body") const {
    Request request = testing::make_request("PUT", "/", {{"Content-Type", "a/b"}}, body);
    request.path = "/d" + std::to_string(node) + "/" + partition + "/a/c/" + name;
    request.internal.set("X-Timestamp", "169999900" + std::to_string(second) + ".00000");
    const int status = (*receivers_[node])(request).status;
    CHECK_MESSAGE(status == 201, name);
  }
  /// Names of the files of an object on a node.
  [[nodiscard]] std::vector<std::string> files(std::size_t node, const std::string& name,
                                               const std::string& partition = "7") const {
    const std::string hash = host.conf.hash_path("a", "c", name);
    std::vector<std::string> out;
    std::error_code gone;
    const fs::path folder = device(node) / "objects" / partition / hash.substr(29) / hash;
    for (const auto& entry : fs::directory_iterator(folder, gone))
      out.push_back(entry.path().filename().string());
    std::sort(out.begin(), out.end());
    return out;
  }
  /// One pass of the node's replicator.
  void pass(std::size_t node, testing::OptionTexts options = {}) {
    for (const auto& [name, value] : paths(node)) options.emplace(name, value);
    options.emplace("bind_ip", "10.0.0." + std::to_string(node));
    options.emplace("sync_method", "ssync");
    options.emplace("recon_cache_path", tree.path().string());
    testing::load_daemon("object-replicator", options, host)->run_once({});
  }
  [[nodiscard]] testing::OptionTexts paths(std::size_t node) const {
    return {{"devices", (tree.path() / std::to_string(node)).string()}, {"mount_check", "false"}};
  }

  mutable testing::TestHost host;
  testing::TempTree tree;
  std::shared_ptr<FakeRing> ring;
  LocalTransport transport{nullptr};
  std::function<void()> before_ssync;  ///< called as an SSYNC arrives, at any node

 private:
  class Door final : public App {
   public:
    Door(const App& behind, const std::function<void()>& hook) : behind_(behind), hook_(hook) {}
    Response operator()(Request& request) const override {
      if (request.method == "SSYNC" && hook_) hook_();
      return behind_(request);
    }

   private:
    const App& behind_;
    const std::function<void()>& hook_;
  };
  std::vector<std::unique_ptr<const App>> servers_;
  std::vector<std::unique_ptr<const App>> receivers_;
  std::vector<std::unique_ptr<const App>> doors_;
};

}  // namespace apus::test
