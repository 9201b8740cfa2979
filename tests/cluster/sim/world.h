// A simulated cluster with its clients, and the schedule of one seed.
#pragma once

#include <apus/testing/temp_tree.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/cluster/sim/model.h"
#include "tests/cluster/sim/network.h"
#include "tests/cluster/sim/node.h"
#include "tests/cluster/sim/sim_ring.h"

namespace apus::sim {

/// Five nodes, three replicas, two proxies of unequal clocks, two containers. All chance comes from
/// the seed: the same seed gives the same run. One thread.
class World {
 public:
  /// `keep_hashes`: see Node::boot.
  World(std::uint64_t seed, bool keep_hashes);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  /// So many events: requests of clients, faults, passes of daemons.
  void run(std::size_t events);
  /// All links and nodes come back and the daemons make their passes. Empty when the cluster came
  /// to rest in a state that the clients' answers allow; else what is wrong.
  std::string settle();

  /// What happened, a line each.
  [[nodiscard]] const std::vector<std::string>& story() const { return story_; }
  /// Passes that `settle` took.
  [[nodiscard]] int rounds() const { return rounds_; }

 private:
  struct Proxy {
    testing::TestHost host;
    std::unique_ptr<const App> app;
  };
  struct Answer {
    int status = 0;
    std::string body;
    Headers headers;
  };
  struct Listed {
    std::string name;
    std::string etag;
    friend bool operator==(const Listed&, const Listed&) = default;
  };

  bool make_containers();
  void one_event();
  void client();
  void change(ObjectHistory::Change::Kind kind, const std::string& name, std::size_t proxy);
  void look(const std::string& name, std::size_t proxy);
  void fault();
  void daemon();
  void pass(std::size_t node, const char* daemon);
  void advance(double seconds);

  Answer ask(std::size_t proxy, const std::string& method, const std::string& path,
             Headers headers = {}, std::optional<std::string> body = std::nullopt);
  std::size_t below(std::size_t end) { return chance_.below(end); }
  void tell(std::string line) { story_.push_back(std::move(line)); }
  [[nodiscard]] std::string unrest() const;
  std::string judge_objects();
  std::string judge_listing(const std::string& container);

  testing::SeededEntropy chance_;
  testing::TempTree tree_;
  SimRings rings_;
  std::unique_ptr<Network> network_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Proxy>> proxies_;
  Model model_;
  std::vector<std::string> story_;
  std::string found_;  ///< the first impossible answer to a client
  int writes_ = 0;
  int rounds_ = 0;
  bool disk_swapped_ = false;
  bool ring_changed_ = false;
  bool keep_hashes_;
};

}  // namespace apus::sim
