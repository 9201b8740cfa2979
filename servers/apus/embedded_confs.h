// The confs of etc/all-in-one, carried inside the executable.
#pragma once

#include <span>
#include <string_view>

namespace apus {

struct EmbeddedConf {
  std::string_view name;  ///< file name, e.g. "proxy-server.conf"
  std::string_view text;
};

std::span<const EmbeddedConf> embedded_confs();

}  // namespace apus
