// An object's second name while the partition power of its ring is raised, and the first one's end.
#pragma once

#include <apus/log.h>

#include <cstdint>

#include "framework/store/object/object_store.h"

namespace apus {

/// What was done, as Swift's relinker counts it.
struct RelinkCounts {
  std::int64_t hash_dirs = 0;
  std::int64_t files = 0;    ///< that the new folder needs of the old one
  std::int64_t linked = 0;   ///< of them, those that got their new name now
  std::int64_t removed = 0;  ///< old names
  std::int64_t errors = 0;
};

/// Gives each file of `from` that still counts (beside what `to` has already) its name in `to`, the
/// same object's place in another partition of the same device. With `clean_up` the files of `from`
/// go then, but only when `to` durably has all that it needs. A different file of the same name is
/// an error, but for tombstones: those are equal. Marks the suffixes of both for hashing where they
/// were changed. True when a name was added to `to`. Errors are told in `log` and counted.
APUS_API bool relink_object(const ObjectStore& store, Logger& log, const ObjectPlace& from,
                            const ObjectPlace& to, bool clean_up, RelinkCounts& counts);

}  // namespace apus
