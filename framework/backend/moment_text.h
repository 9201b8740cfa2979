// A moment as Swift's daemons write it in their logs.
#pragma once

#include <apus/abi.h>

#include <string>

namespace apus {

/// Seconds since 1970 in local time as C's ctime() writes them, without the line end:
/// "Sun Nov 29 07:40:51 2026". Thread-safe.
APUS_API std::string moment_text(double seconds);

}  // namespace apus
