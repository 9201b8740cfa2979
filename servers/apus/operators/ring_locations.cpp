#include "servers/apus/operators/ring_locations.h"

#include <apus/text.h>

#include <stdexcept>
#include <vector>

#include "framework/ring/ring_file.h"

namespace apus {
namespace {

struct Place {
  const RingDevice* device;
  bool handoff;
};

std::vector<Place> places_of(const Ring& ring, std::uint32_t partition, bool all_handoffs) {
  std::vector<Place> out;
  for (const RingNode& node : ring.primaries(partition)) out.push_back({node.device, false});
  const std::size_t primaries = out.size();
  const auto walk = ring.handoffs(partition);
  while (all_handoffs || out.size() < 2 * primaries) {
    const auto node = walk->next();
    if (!node) break;
    out.push_back({node->device, true});
  }
  return out;
}

std::string url_host(const std::string& ip) {
  return ip.find(':') == std::string::npos ? ip : "[" + ip + "]";
}

void print_curl(std::ostream& out, const Place& place, std::uint32_t partition,
                const std::string& target, std::optional<int> policy) {
  out << "curl -g -I -XHEAD \"http://" << url_host(place.device->ip) << ":" << place.device->port
      << "/" << place.device->device << "/" << partition << "/" << quote(target) << "\"";
  if (policy) out << " -H \"X-Backend-Storage-Policy-Index: " << *policy << "\"";
  out << " --path-as-is" << (place.handoff ? " # [Handoff]" : "") << "\n";
}

void print_ssh(std::ostream& out, const Place& place, const std::string& folder) {
  out << "ssh " << place.device->ip << " \"ls -lah ${DEVICE:-/srv/node*}/" << place.device->device
      << "/" << folder << "\"" << (place.handoff ? " # [Handoff]" : "") << "\n";
}

std::string target_of(const LocationQuery& query) {
  if (query.account.empty()) return "None";  // Swift's word in this place
  std::string out = query.account;
  if (!query.container.empty()) out += "/" + query.container;
  if (!query.object.empty()) out += "/" + query.object;
  return out;
}

}  // namespace

void print_ring_locations(std::ostream& out, const Ring& ring, const SwiftConf* conf,
                          const LocationQuery& query) {
  std::string hash;
  std::uint32_t partition = query.partition.value_or(0);
  if (!query.partition) {
    hash = conf->hash_path(query.account, query.container, query.object);
    partition = ring.partition_of(hash);
  } else if (partition >= ring.partition_count()) {
    throw std::invalid_argument("-p " + std::to_string(partition) +
                                ": the ring has partitions 0 to " +
                                std::to_string(ring.partition_count() - 1));
  }
  const std::vector<Place> places = places_of(ring, partition, query.all_handoffs);
  out << "Partition\t" << partition << "\nHash     \t" << (hash.empty() ? "None" : hash) << "\n\n";
  for (const Place& place : places) {
    out << "Server:Port Device\t" << place.device->ip << ":" << place.device->port << " "
        << place.device->device << (place.handoff ? "\t [Handoff]" : "") << "\n";
  }
  out << "\n\n";
  for (const Place& place : places)
    print_curl(out, place, partition, target_of(query), query.policy);
  out << "\n\nUse your own device location of servers:\n"
         "such as \"export DEVICE=/srv/node\"\n";
  std::string folder = query.folder + "/" + std::to_string(partition);
  if (!hash.empty()) folder += "/" + hash.substr(hash.size() - 3) + "/" + hash;
  for (const Place& place : places) print_ssh(out, place, folder);
  out << "\nnote: `/srv/node*` is used as default value of `devices`, the real value is set in "
         "the config file on each storage node.\n";
}

std::shared_ptr<const Ring> find_ring(const std::string& folder, const std::string& name) {
  try {
    return make_ring(read_ring(folder + "/" + name + ".ring.gz"));
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

}  // namespace apus
