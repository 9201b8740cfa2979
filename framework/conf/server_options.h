// The options of [DEFAULT] that the framework itself reads for every server.
#pragma once

#include <apus/options.h>

#include <span>
#include <string>
#include <vector>

namespace apus {

/// Swift's common server and logging options, with those of Apus' own (listen, log_to, ...).
APUS_API std::span<const OptionSpec> server_options();
/// Those of a storage server, or of a proxy: what a sample conf shows.
APUS_API std::vector<OptionSpec> server_options_of(bool storage);
/// The option by which a daemon learns its conf, an absolute path of a file or folder (Swift's own
/// name for it).
inline constexpr const char* kConfFileOption = "__file__";
/// Their names: never unknown in a section.
APUS_API const std::vector<std::string>& server_option_names();

}  // namespace apus
