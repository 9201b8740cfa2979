#include "framework/backend/local_devices.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <memory>

namespace apus {
namespace {

std::string text_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* raw = nullptr;
  if (address->sa_family == AF_INET) raw = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  if (address->sa_family == AF_INET6)
    raw = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  if (raw == nullptr || ::inet_ntop(address->sa_family, raw, text.data(), text.size()) == nullptr)
    return "";
  return text.data();
}

}  // namespace

std::vector<std::string> own_addresses(const std::string& bind_ip) {
  if (bind_ip != "0.0.0.0" && bind_ip != "::" && !bind_ip.empty()) return {bind_ip};
  std::vector<std::string> out;
  ifaddrs* found = nullptr;
  if (::getifaddrs(&found) != 0) return out;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(found, &::freeifaddrs);
  for (const ifaddrs* at = found; at != nullptr; at = at->ifa_next) {
    std::string text = at->ifa_addr == nullptr ? "" : text_of(at->ifa_addr);
    if (!text.empty()) out.push_back(std::move(text));
  }
  return out;
}

std::vector<const RingDevice*> local_devices(const Ring& ring,
                                             const std::vector<std::string>& addresses, int port) {
  std::vector<const RingDevice*> out;
  for (const auto& device : ring.devices()) {
    if (!device || device->replication_port != port) continue;
    if (std::find(addresses.begin(), addresses.end(), device->replication_ip) != addresses.end())
      out.push_back(&*device);
  }
  return out;
}

}  // namespace apus
