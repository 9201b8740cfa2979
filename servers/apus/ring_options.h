// The options of ring commands.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "servers/apus/device_words.h"

namespace apus {

/// Parses `words`; false when help was asked for and given. Throws RingArgumentError.
bool parse_ring_options(CLI::App& options, const std::vector<std::string>& words);

/// The one set of options that all commands about devices share.
struct DeviceArguments {
  std::vector<std::string> words;  ///< what is no option
  DeviceFields search;
  DeviceFields change;
  bool by_options = false;  ///< some option that searches was given
  bool yes = false;
  bool help = false;
};
DeviceArguments parse_device_arguments(const std::vector<std::string>& words,
                                       const std::string& command);

}  // namespace apus
