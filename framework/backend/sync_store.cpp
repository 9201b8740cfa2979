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

// Suffix, partition and the root go with the last link in them.
void drop_empty(Disk& disk, std::string folder) {
  for (int i = 0; i < 4 && disk.rmdir(folder) == 0; ++i) folder.resize(folder.rfind('/'));
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
  drop_empty(disk, folder);
}

void drop_sync_links(Disk& disk, const DatabasePlace& place) {
  DatabasePlace links = place;
  links.directory = "sync_containers";
  const std::string folder = links.folder();
  std::vector<std::string> names;
  disk.list(folder, names);
  for (const std::string& name : names) {
    if (name.ends_with(".db")) disk.unlink(folder + "/" + name);
  }
  drop_empty(disk, folder);
}

}  // namespace apus
