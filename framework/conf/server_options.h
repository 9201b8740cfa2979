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
/// Their names: never unknown in a section.
APUS_API const std::vector<std::string>& server_option_names();

}  // namespace apus
