// PUT of a manifest: every segment is looked at, then the manifest is stored.
#pragma once

#include "middleware/slo/rules.h"

namespace apus::slo {

/// `self` is the filter (segments may be large objects themselves), `next` what is behind it.
Response put_manifest(Request& request, const App& self, const App& next, const Rules& rules);

}  // namespace apus::slo
