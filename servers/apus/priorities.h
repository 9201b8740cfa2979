// What the kernel's schedulers are told of this process.
#pragma once

#include <apus/options.h>

#include <vector>

#include "framework/conf/ini_file.h"

namespace apus {

/// Takes nice_priority, ionice_class, ionice_priority and cpu_scheduling for the calling thread and
/// all that it will make. What could not be done is told, and the rest done all the same.
std::vector<ConfProblem> take_priorities(const Options& options);

}  // namespace apus
