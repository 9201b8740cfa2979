#include "framework/backend/direct_call.h"

#include <unistd.h>

namespace apus {

Call direct_call(const RingDevice& device, const std::string& method, std::uint32_t partition,
                 const std::string& name, const Headers& fields) {
  Call out{Endpoint{device.replication_ip, device.replication_port},
           Request(method, "/" + device.device + "/" + std::to_string(partition) + name)};
  Request& request = out.request;
  for (const auto& [field, value] : fields)
    (is_internal_name(field) ? request.internal : request.headers).set(field, value);
  request.headers.set("User-Agent", "direct-client " + std::to_string(::getpid()));
  request.internal.set("X-Backend-Allow-Reserved-Names", "true");
  request.internal.set("X-Backend-Use-Replication-Network", "true");
  return out;
}

}  // namespace apus
