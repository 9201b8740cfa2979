// Samples of the files that are no server's conf.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace apus {

struct SampleText {
  std::string_view name;   ///< "swift.conf"
  std::string_view about;  ///< first comment line
  std::string_view body;
};

/// The pipeline of a daemon that asks its cluster, at the end of its sample.
inline constexpr std::string_view kDaemonPipeline = R"(
# What its requests pass; options of the sections are in proxy-server.conf-sample.
[pipeline:main]
pipeline = catch_errors proxy-logging cache proxy-server

[app:proxy-server]
use = egg:swift#proxy

[filter:catch_errors]
use = egg:swift#catch_errors

[filter:proxy-logging]
use = egg:swift#proxy_logging

[filter:cache]
use = egg:swift#memcache
)";

std::span<const SampleText> sample_texts();
/// The first comment lines of every sample.
std::string sample_head(std::string_view about, std::string_view name);
std::string sample_text(const SampleText& text);

}  // namespace apus
