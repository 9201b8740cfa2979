#include "framework/backend/sync_store.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "framework/store/object/partition.h"

namespace apus {
namespace {

std::string link_of(const ContainerBroker& broker) {
  const DatabasePlace& place = broker.place();
  const std::string file = broker.file();
  return place.device + "/sync_containers" +
         file.substr(place.device.size() + 1 + place.directory.size());
}

}  // namespace

void update_sync_store(Disk& disk, Logger& log, ContainerBroker& broker) {
  const DatabaseMetadata all = broker.metadata();
  const auto to = all.find("X-Container-Sync-To");
  const auto key = all.find("X-Container-Sync-Key");
  if (to == all.end() && key == all.end()) return;
  const std::string link = link_of(broker);
  const std::string folder = link.substr(0, link.rfind('/'));
  const bool synced = to != all.end() && key != all.end() && !to->second.first.empty() &&
                      !key->second.first.empty() && !broker.gone();
  if (synced) {
    const int error = make_folders(disk, folder, false);
    if (error == 0 && (::symlink(broker.file().c_str(), link.c_str()) == 0 || errno == EEXIST))
      return;
    log.error("Failed to update sync_store " + link + ": " +
              std::strerror(error != 0 ? error : errno));
    return;
  }
  if (disk.unlink(link) != 0) return;
  std::string empty = folder;  // suffix, partition and the root go with the last link in them
  for (int i = 0; i < 4 && disk.rmdir(empty) == 0; ++i) empty.resize(empty.rfind('/'));
}

}  // namespace apus
