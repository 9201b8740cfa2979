#include <apus/identity.h>

namespace apus {

Identity::Identity() = default;
Identity::Identity(const Identity&) = default;
Identity& Identity::operator=(const Identity&) = default;
Identity::~Identity() = default;

}  // namespace apus
