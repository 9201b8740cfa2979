// An object's body that goes on from another node where one fails.
#pragma once

#include <apus/message.h>

#include "servers/proxy/reader.h"

namespace apus {

/// `answer` is a 200 or 206 with a body, of one range or several, as `reader` found it at `node`.
/// The client sees the bytes of one entity: another node must have the same ETag, and its ranges
/// must be the ones that are missing. The body throws BodyError when no node is left.
Response resuming(Reader reader, Response answer, const RingNode& node);

}  // namespace apus
