// How long requests spend in each stage of a pipeline.
#pragma once

#include <apus/app.h>

#include <memory>

#include "framework/metrics/histogram.h"

namespace apus {

/// Passes requests on and adds the time they took to `times`, without the time spent in timed
/// stages further inside. Bodies are pulled later and are not in it. `times` outlives it.
std::unique_ptr<const App> time_stage(std::unique_ptr<const App> stage, Histogram& times);

}  // namespace apus
