#include "plugins/object-replicator/jobs.h"

#include <apus/text.h>

#include <algorithm>
#include <stdexcept>

#include "framework/backend/local_devices.h"
#include "framework/store/object/partition.h"

namespace apus {
namespace {

std::uint32_t number_of(const std::string& option, const std::string& text) {
  const auto number = parse_digits(text);
  if (!number || *number > UINT32_MAX)
    throw std::invalid_argument(option + ": '" + text + "': expected numbers");
  return static_cast<std::uint32_t>(*number);
}

}  // namespace

Selection Selection::of(const Options& options) {
  Selection out;
  for (std::string& name : options.list("override_devices")) out.devices.insert(std::move(name));
  for (const std::string& text : options.list("override_partitions"))
    out.partitions.insert(number_of("partitions", text));
  for (const std::string& text : options.list("override_policies"))
    out.policies.insert(static_cast<int>(number_of("policies", text)));
  return out;
}

JobList::JobList(Host& host, Logger& log, const Options& options)
    : host_(host),
      log_(log),
      devices_(options.text("devices"), options.flag("mount_check")),
      addresses_(own_addresses(options.find("ring_ip").value_or(options.text("bind_ip")))),
      reclaim_age_(options.number("reclaim_age")) {
  if (options.integer("servers_per_port") == 0)
    port_ = static_cast<int>(options.integer("bind_port"));
}

std::vector<const RingDevice*> JobList::own_devices(const Ring& ring) const {
  std::vector<const RingDevice*> out;
  for (const auto& device : ring.devices()) {
    if (!device || (port_ && device->replication_port != *port_)) continue;
    if (std::find(addresses_.begin(), addresses_.end(), device->replication_ip) !=
        addresses_.end()) {
      out.push_back(&*device);
    }
  }
  return out;
}

JobList::Found JobList::collect(const Selection& selection) const {
  Found out;
  for (const StoragePolicy& policy : host_.swift_conf().policies) {
    if (policy.type != "replication") continue;
    if (!selection.policies.empty() && !selection.policies.contains(policy.index)) continue;
    const auto ring = host_.rings().object(policy.index);
    if (ring->next_part_power()) {
      log_.warning("next_part_power set in policy '" + policy.name + "'. Skipping");
      continue;
    }
    for (const auto& device : ring->devices()) {
      if (device) out.nodes.emplace(device->replication_ip, device->device);
    }
    bool any = false;
    for (const RingDevice* own : own_devices(*ring)) {
      out.devices.insert(own->device);
      if (!selection.devices.empty() && !selection.devices.contains(own->device)) continue;
      any = true;
      add_device(policy, ring, *own, selection, out);
    }
    if (any) continue;
    std::string addresses;
    for (const std::string& address : addresses_)
      addresses += (addresses.empty() ? "" : ", ") + address;
    log_.error("Can't find itself in policy with index " + std::to_string(policy.index) +
               " with ips " + addresses + " and with port " +
               (port_ ? std::to_string(*port_) : "None") + " in ring file, not replicating");
  }
  for (std::size_t i = out.jobs.size(); i > 1; --i)
    std::swap(out.jobs[i - 1], out.jobs[host_.entropy().below(i)]);
  return out;
}

void JobList::add_device(const StoragePolicy& policy, const std::shared_ptr<const Ring>& ring,
                         const RingDevice& own, const Selection& selection, Found& out) const {
  const std::string folder = devices_.folder(own.device);
  if (folder.empty()) {
    log_.warning(own.device + " is not mounted");
    out.away.push_back(own.device);
    return;
  }
  const PartitionPlace base{folder, policy.directory("objects"), ""};
  drop_old_files(base.beside("tmp"));
  std::vector<std::string> names;
  if (!host_.disk().list(folder + "/" + base.directory, names)) {
    make_folders(host_.disk(), folder + "/" + base.directory, false);
    return;
  }
  for (const std::string& name : names) {
    const auto number = parse_digits(name);
    if (!number) continue;  // the auditor's notes, and what nobody knows
    if (static_cast<std::uint64_t>(*number) >= ring->partition_count()) {
      log_.error(folder + "/" + base.directory + "/" + name + " is no partition of the ring");
      continue;
    }
    const auto partition = static_cast<std::uint32_t>(*number);
    if (!selection.partitions.empty() && !selection.partitions.contains(partition)) continue;
    PartitionJob job{{folder, base.directory, name}, partition, policy.index, ring, &own, {}, true};
    for (const RingNode& node : ring->primaries(partition)) {
      if (node.device->id == own.id) {
        job.handoff = false;
      } else {
        job.others.push_back(node.device);
      }
    }
    out.jobs.push_back(std::move(job));
  }
}

void JobList::drop_old_files(const std::string& folder) const {
  std::vector<std::string> names;
  host_.disk().list(folder, names);
  const double horizon = host_.clock().now() - reclaim_age_;
  for (const std::string& name : names) {
    struct stat info {};
    const std::string path = folder + "/" + name;
    if (host_.disk().stat(path, info) == 0 && S_ISREG(info.st_mode) &&
        static_cast<double>(info.st_mtim.tv_sec) < horizon)
      host_.disk().unlink(path);
  }
}

}  // namespace apus
