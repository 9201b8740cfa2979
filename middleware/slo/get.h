// GET and HEAD of what may be a static large object.
#pragma once

#include "middleware/slo/rules.h"

namespace apus::slo {

/// Answers with the large object, with its manifest when "multipart-manifest=get" asks for it, or
/// with what `next` said when it is none.
Response get_or_head(Request& request, const App& next, const Rules& rules);

}  // namespace apus::slo
