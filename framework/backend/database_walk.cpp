#include "framework/backend/database_walk.h"

#include <algorithm>

namespace apus {
namespace {

bool is_hash(const std::string& name) {
  return name.size() == 32 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool has_database(Disk& disk, const DatabasePlace& place) {
  std::vector<std::string> names;
  disk.list(place.folder(), names);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return name.starts_with(place.hash) && name.ends_with(".db");
  });
}

}  // namespace

std::vector<DatabasePartition> database_partitions(Host& host, Logger& log, const std::string& root,
                                                   const Devices& devices,
                                                   const std::string& directory) {
  std::vector<DatabasePartition> out;
  std::vector<std::string> names;
  if (!host.disk().list(root, names)) log.error("cannot list the devices in " + root);
  for (const std::string& name : names) {
    const std::string device = devices.folder(name);
    if (device.empty()) {
      log.warning(root + "/" + name + " is not mounted");
      continue;
    }
    std::vector<std::string> partitions;
    host.disk().list(device + "/" + directory, partitions);
    for (std::string& partition : partitions)
      out.push_back({device, directory, std::move(partition)});
  }
  for (std::size_t i = out.size(); i > 1; --i) std::swap(out[i - 1], out[host.entropy().below(i)]);
  return out;
}

void visit_databases(Disk& disk, const DatabasePartition& partition,
                     const std::function<bool(const DatabasePlace&)>& visit) {
  const std::string folder =
      partition.device + "/" + partition.directory + "/" + partition.partition;
  std::vector<std::string> suffixes;
  disk.list(folder, suffixes);
  for (const std::string& suffix : suffixes) {
    std::vector<std::string> hashes;
    disk.list(folder + "/" + suffix, hashes);
    for (const std::string& hash : hashes) {
      if (!is_hash(hash) || !hash.ends_with(suffix)) continue;
      const DatabasePlace place{partition.device, partition.directory, partition.partition, hash};
      if (has_database(disk, place) && !visit(place)) return;
    }
  }
}

}  // namespace apus
