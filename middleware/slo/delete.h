// DELETE of a large object with its segments.
#pragma once

#include "middleware/slo/rules.h"

namespace apus::slo {

/// Deletes segments and manifests while the answer streams; with "async=on", where allowed, leaves
/// the segments to the expirer.
Response delete_all(Request& request, const App& next, const Rules& rules);

}  // namespace apus::slo
