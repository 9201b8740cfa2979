// Numbers as Python prints them, which is what StatsD servers of Swift clusters see.
#pragma once

#include <apus/abi.h>

#include <string>

namespace apus {

/// The shortest text that reads back as the same value: "12.5", "5.0", "1e-05".
APUS_API std::string number_text(double value);

}  // namespace apus
