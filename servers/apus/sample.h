// Sample confs, made from the option tables of this build.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace apus {

/// "proxy-server.conf", "swift.conf", ...: what `sample_conf` takes.
std::vector<std::string> sample_list();
/// The same, joined for a person.
std::string sample_names();

/// The text of a sample: every option commented out with its default, required ones set. Throws
/// std::invalid_argument for a name that is none of `sample_list`, PluginError when a plugin of
/// this build cannot be read.
std::string sample_conf(const std::string& name);

/// Writes all of them below the top folder of the sources: etc/NAME-sample, doc/options.md.
void write_samples(const std::filesystem::path& top);

}  // namespace apus
