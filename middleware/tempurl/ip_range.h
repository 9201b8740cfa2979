// Ranges of IP addresses as tempurls carry them.
#pragma once

#include <string_view>

namespace apus::tempurl {

/// Whether `range` ("1.2.3.4", "1.2.3.0/24", "1.2.3.0/255.255.255.0", "2001:db8::/32"; no bit of
/// the host's part set) is well-formed and holds the address.
bool in_ip_range(std::string_view range, std::string_view address);

}  // namespace apus::tempurl
