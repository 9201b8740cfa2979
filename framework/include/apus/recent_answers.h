// What a shared cache has just told this process, for the requests that come right behind.
#pragma once

#include <apus/cache.h>
#include <apus/host.h>

#include <chrono>
#include <memory>

namespace apus {

/// A cache that passes everything on to `behind`, except that get_many() takes a value that
/// another get_many() was told, by a question not older than `age`. What is absent is asked for
/// each time, and a change through this cache is seen at once; only a change by another process is
/// seen so much later. Thread-safe as `behind`. `clock` outlives it.
APUS_API std::unique_ptr<Cache> make_recent_answers(std::unique_ptr<Cache> behind,
                                                    const Clock& clock,
                                                    std::chrono::nanoseconds age);

}  // namespace apus
