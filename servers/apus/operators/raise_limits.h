// What this process and those that it starts may have of the machine.
#pragma once

namespace apus {

/// Raises what daemons may have of descriptors, memory and processes to Swift's numbers; nothing
/// is lowered. Says on stdout what may not be raised.
void raise_limits();

}  // namespace apus
