#include "framework/conf/served_policy.h"

namespace apus {

std::string not_served(const StoragePolicy& policy) {
  if (policy.type == "replication") return "";
  return "Storage policy '" + policy.name + "' with index " + std::to_string(policy.index) +
         " is of type " + policy.type + ", which this server does not serve";
}

std::vector<std::string> policies_not_served(const SwiftConf& conf) {
  std::vector<std::string> out;
  for (const StoragePolicy& policy : conf.policies) {
    if (std::string why = not_served(policy); !why.empty()) out.push_back(std::move(why));
  }
  return out;
}

}  // namespace apus
