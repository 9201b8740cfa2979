// Requests to account, container and object servers themselves, past any proxy: what daemons send.
#pragma once

#include <apus/ring.h>
#include <apus/transport.h>

#include <string>

namespace apus {

/// `METHOD /DEVICE/PARTITION/NAME` for the device's replication address, for reserved names too.
/// `name` starts with '/'; fields with names of is_internal_name go to Request::internal.
APUS_API Call direct_call(const RingDevice& device, const std::string& method,
                          std::uint32_t partition, const std::string& name, const Headers& fields);

}  // namespace apus
