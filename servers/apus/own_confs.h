// The daemons that have a conf of their own, beside those of the servers.
#pragma once

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>

namespace apus {

/// `daemon`.conf in the conf folder, in which [daemon] stands.
struct OwnConf {
  std::string_view daemon;
  const char* about;  ///< a sentence for the head of its sample
  bool asks;          ///< the pipeline of its requests stands there too
};

inline constexpr OwnConf kOwnConfs[] = {
    {"container-reconciler", "What lies in another policy than its container, moved there.", true},
    {"drive-audit", "Drives that the kernel's log tells errors of, taken out of use.", false},
};

/// Null for any other name.
inline const OwnConf* own_conf(std::string_view daemon) {
  const auto* const at = std::find_if(std::begin(kOwnConfs), std::end(kOwnConfs),
                                      [&](const OwnConf& one) { return one.daemon == daemon; });
  return at == std::end(kOwnConfs) ? nullptr : at;
}

/// The same for a file, by its name.
inline const OwnConf* own_conf(const std::filesystem::path& file) {
  if (file.extension() != ".conf") return nullptr;
  return own_conf(std::string_view(file.stem().native()));
}

}  // namespace apus
