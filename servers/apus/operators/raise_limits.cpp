#include "servers/apus/operators/raise_limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <iostream>

namespace apus {

void raise_limits() {
  struct Limit {
    __rlimit_resource resource;
    rlim_t wanted;
    const char* name;
  };
  constexpr rlim_t kGiB = 1 << 30;
  for (const Limit& limit :
       {Limit{RLIMIT_NOFILE, 32768, "file descriptor"}, Limit{RLIMIT_DATA, 2 * kGiB, "memory"},
        Limit{RLIMIT_NPROC, 8192, "max process"}}) {
    rlimit now{};
    if (::getrlimit(limit.resource, &now) != 0 || now.rlim_cur >= limit.wanted) continue;
    const rlimit raised{limit.wanted, std::max(now.rlim_max, limit.wanted)};
    if (::setrlimit(limit.resource, &raised) == 0) continue;
    std::cout << "WARNING: Unable to modify " << limit.name << " limit.  Running as non-root?  "
              << limit.wanted << " is wanted, " << now.rlim_max << " is allowed.\n";
    const rlimit most{now.rlim_max, now.rlim_max};
    ::setrlimit(limit.resource, &most);
  }
}

}  // namespace apus
