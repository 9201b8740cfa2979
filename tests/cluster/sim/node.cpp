#include "tests/cluster/sim/node.h"

#include <algorithm>
#include <stdexcept>

#include "tests/cluster/sim/ports.h"

namespace apus::sim {

namespace fs = std::filesystem;

Node::Node(std::size_t number, const fs::path& root, SimRings& rings, Transport& transport)
    : number_(number),
      objects_(root / std::to_string(number) / "objects"),
      databases_(root / std::to_string(number) / "databases") {
  host.use_rings(rings);
  host.use_transport(transport);
  fs::create_directories(databases_ / ("d" + std::to_string(number)));
  swap_disk();
  start();
}
Node::~Node() = default;

testing::OptionTexts Node::paths(bool objects) const {
  return {{"devices", (objects ? objects_ : databases_).string()}, {"mount_check", "false"}};
}

void Node::start() {
  testing::OptionTexts objects = paths(true);
  objects.emplace("fallocate_reserve", "0");
  servers_.push_back(testing::load_app("object", objects, host));
  servers_.push_back(testing::load_filter("ssync", paths(true), host, *servers_.front()));
  servers_.push_back(testing::load_app("container", paths(false), host));
  servers_.push_back(testing::load_app("account", paths(false), host));
}

const App* Node::server(int port) const {
  if (!is_up()) return nullptr;
  const std::size_t place = port == kObjectPort ? 1 : port == kContainerPort ? 2 : 3;
  return servers_[place].get();
}

void Node::power_off() {
  disk_->power_off_after(0);
  while (!servers_.empty()) servers_.pop_back();
}

void Node::drop_hashes() {
  const std::string root = (objects_ / ("d" + std::to_string(number_)) / "objects").string();
  std::vector<std::string> partitions;
  disk_->list(root, partitions);
  for (const std::string& partition : partitions)
    disk_->unlink(root + "/" + partition + "/hashes.pkl");
}

void Node::boot(Entropy& chance, bool keep_hashes) {
  while (!servers_.empty()) servers_.pop_back();
  disk_->crash(&chance);
  if (!keep_hashes) drop_hashes();
  start();
}

void Node::swap_disk() {
  if (!servers_.empty()) throw std::logic_error("the node is up");
  disk_.reset();
  fs::remove_all(objects_);
  fs::create_directories(objects_ / ("d" + std::to_string(number_)));
  disk_ = std::make_unique<testing::FaultyDisk>(objects_);
  host.use_disk(*disk_);
}

void Node::pass(const std::string& daemon) {
  if (!is_up()) return;
  const bool objects = daemon.starts_with("object");
  testing::OptionTexts options = paths(objects);
  if (daemon.ends_with("replicator")) {
    options.emplace("bind_ip", address_of(number_));
    options.emplace("concurrency", "1");
    if (objects) options.emplace("sync_method", "ssync");
    if (!objects) options.emplace("databases_per_second", "0");
  } else {
    options.emplace("concurrency", "1");
    options.emplace(objects ? "objects_per_second" : "containers_per_second", "0");
  }
  options.emplace("recon_cache_path", databases_.string());
  testing::load_daemon(daemon, options, host)->run_once({});
}

std::vector<std::string> Node::files(const std::string& folder) const {
  const fs::path root = objects_ / ("d" + std::to_string(number_)) / folder;
  std::vector<std::string> out;
  std::error_code gone;
  for (fs::recursive_directory_iterator at(root, gone), end; !gone && at != end;
       at.increment(gone)) {
    if (at->is_regular_file()) out.push_back(fs::relative(at->path(), root).string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace apus::sim
