// One request to all nodes of a place, and one answer.
#pragma once

#include <apus/message.h>

#include <functional>
#include <optional>
#include <string>

#include "servers/proxy/best_response.h"
#include "servers/proxy/node_iter.h"
#include "servers/proxy/services.h"

namespace apus {

/// Adds what one of several requests has of its own; `index` counts them from 0. Called again with
/// the same index for the node that stands in for one that failed.
using Dress = std::function<void(Request&, std::size_t index)>;

struct ScatterPlan {
  std::string method;
  const Place& place;
  std::string_view type;  ///< "Account", "Container" or "Object"
  std::size_t count = 0;  ///< requests to send, and answers to judge by
  std::optional<StatusOverride> override = std::nullopt;
  std::string body = {};  ///< sent with each
};

/// Sends `plan.count` requests at once. A node that fails is replaced by the next of `nodes`. Once
/// there is a quorum, the others have post_quorum_timeout more.
Response scatter(const Services& services, const Request& client, const ScatterPlan& plan,
                 NodeIter& nodes, const Dress& dress);

}  // namespace apus
