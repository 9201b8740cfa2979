// Where filters stand in a sample's pipeline, and why.
#pragma once

#include <span>
#include <string_view>

namespace apus {

struct SamplePlace {
  std::string_view section;  ///< "proxy-logging"
  std::string_view plugin;   ///< "proxy_logging"
  bool stands;               ///< in the sample's pipeline; else its place is told in its section
  std::string_view reason;
};

/// In Swift's order. A name may come twice.
std::span<const SamplePlace> proxy_places();
std::span<const SamplePlace> storage_places();

}  // namespace apus
