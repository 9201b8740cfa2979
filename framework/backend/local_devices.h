// Which devices of a ring are this machine's: what every daemon starts from.
#pragma once

#include <apus/options.h>
#include <apus/ring.h>

#include <string>
#include <vector>

namespace apus {

/// The addresses that `bind_ip` stands for: itself, or all of this machine's when it is 0.0.0.0 or
/// ::.
APUS_API std::vector<std::string> own_addresses(const std::string& bind_ip);

/// Devices whose replication address is one of `addresses` at `port`. The pointers live as long as
/// the ring.
APUS_API std::vector<const RingDevice*> local_devices(const Ring& ring,
                                                      const std::vector<std::string>& addresses,
                                                      int port);

}  // namespace apus
