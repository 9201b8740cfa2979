// The listing of a sharded container, put together from its shards.
#pragma once

#include <apus/account_info.h>
#include <apus/message.h>

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "servers/proxy/controller.h"

namespace apus {

/// Containers that answered with shards already: one of them is asked for its objects, not again.
using ShardHistory = std::set<std::pair<std::string, std::string>>;

/// `root` is an answer whose body is shard ranges. Asks each shard for its part; 503 when one of
/// them cannot tell, or speaks of another policy.
Response list_from_shards(const Exchange& exchange, Response root, ShardHistory& history);

/// The shard ranges of a sharded container as its server would tell them, from the cache.
std::optional<Response> cached_listing_shards(const Exchange& exchange, const ContainerInfo& info);
/// Keeps the ranges of an answer that has all of them, and leaves in it those that were asked for.
void remember_listing_shards(const Exchange& exchange, Response& answer);

}  // namespace apus
