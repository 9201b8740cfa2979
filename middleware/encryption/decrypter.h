// Answers on their way out: bodies, ETags, metadata and listings as they were before encryption.
#pragma once

#include <apus/message.h>
#include <apus/text.h>

#include "middleware/encryption/rules.h"

namespace apus::encryption {

/// The answer to an object GET or HEAD. Throws Refused.
Response decrypt_object(const Request& request, Response answer, const Rules& rules);

/// The answer to a container GET. Throws Refused. A hash that cannot be decrypted is "<unknown>".
Response decrypt_listing(const Request& request, Response answer, const Rules& rules);

}  // namespace apus::encryption
