// One machine of a simulated cluster: its disk, its clock, its servers and daemons.
#pragma once

#include <apus/app.h>
#include <apus/testing/faulty_disk.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/cluster/sim/sim_ring.h"

namespace apus::sim {

/// The servers are the real shared objects. Objects lie on a disk that forgets what was not synced
/// when the power goes; databases on the machine's own, which SQLite syncs by itself. One thread.
class Node {
 public:
  Node(std::size_t number, const std::filesystem::path& root, SimRings& rings,
       Transport& transport);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node();

  /// Null while it is down.
  [[nodiscard]] const App* server(int port) const;
  [[nodiscard]] bool is_up() const { return !servers_.empty() && !disk_->is_off(); }

  /// The power goes, at once or after so many further changes of its disk.
  void power_off();
  void power_off_after(std::uint64_t changes) { disk_->power_off_after(changes); }
  /// Of what was not synced, some is there by `chance`. Nobody syncs the notes on changed suffixes
  /// (hashes.invalid), so hashes of before a power cut may be wrong for ever: they are dropped
  /// unless `keep_hashes`.
  void boot(Entropy& chance, bool keep_hashes);
  /// An empty disk in place of the old one. Only while it is down.
  void swap_disk();

  /// One pass of a daemon; does nothing while the node is down.
  void pass(const std::string& daemon);

  /// Names of the files below the disk's folder, relative to it, sorted.
  [[nodiscard]] std::vector<std::string> files(const std::string& folder) const;

  testing::TestHost host;

 private:
  void start();
  void drop_hashes();
  [[nodiscard]] testing::OptionTexts paths(bool objects) const;

  std::size_t number_;
  std::filesystem::path objects_;    ///< holds the device "dN"
  std::filesystem::path databases_;  ///< and so does this
  std::unique_ptr<testing::FaultyDisk> disk_;
  std::vector<std::unique_ptr<const App>>
      servers_;  ///< object, ssync before it, container, account
};

}  // namespace apus::sim
