// A Cache of this process, for one process.
#pragma once

#include <apus/cache.h>
#include <apus/host.h>

#include <memory>

namespace apus {

/// Holds at most about `entries` values; when full, the ones nearest to their end go first.
/// Thread-safe, in shards. `clock` outlives it.
APUS_API std::unique_ptr<Cache> make_local_cache(const Clock& clock, std::size_t entries = 200000);

}  // namespace apus
