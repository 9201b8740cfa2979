// Storage policies that a cluster has and this build cannot serve.
#pragma once

#include <apus/abi.h>
#include <apus/swift_conf.h>

#include <string>
#include <vector>

namespace apus {

/// Why objects of the policy are neither stored nor read here, as a sentence without its full stop;
/// empty when they are. That is so for every type but "replication": bytes of an erasure coded
/// policy are fragments, and an object stored whole among them would be lost to the cluster.
APUS_API std::string not_served(const StoragePolicy& policy);
/// The same for all policies of a cluster, those that are served left out: for the log of a server.
APUS_API std::vector<std::string> policies_not_served(const SwiftConf& conf);

}  // namespace apus
