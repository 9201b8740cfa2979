// PUT of an object: the client's body to every copy.
#pragma once

#include <apus/message.h>

#include <string>
#include <vector>

#include "servers/proxy/best_response.h"
#include "servers/proxy/node_iter.h"
#include "servers/proxy/scatter.h"
#include "servers/proxy/services.h"

namespace apus {

/// Sends `client`'s body to `count` nodes of the place; a node that refuses before the body is
/// replaced by the next. The answer is what the copies agree on: 201 with their common ETag; 202
/// when one has something newer; 412 for If-None-Match; 499, 408, 413 when the client's body fails;
/// 503 when too few take it; 500 when their ETags differ. Calls `Context::update_footers` once.
Response store_object(const Services& services, Request& client, const Place& place,
                      const PolicyConf& policy, std::size_t count, const Dress& dress);

}  // namespace apus
