// Addresses in a simulated cluster.
#pragma once

#include <cstddef>
#include <string>

namespace apus::sim {

inline constexpr int kObjectPort = 6200;
inline constexpr int kContainerPort = 6201;
inline constexpr int kAccountPort = 6202;

inline std::string address_of(std::size_t node) { return "10.0.0." + std::to_string(node); }

}  // namespace apus::sim
