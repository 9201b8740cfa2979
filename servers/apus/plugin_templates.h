// The files of a new plugin's project, as they stand in servers/apus/plugin_project.
#pragma once

#include <span>
#include <string_view>

namespace apus {

/// `name` is "filter.cpp", "filter_test.cpp", "CMakeLists.txt", ...; in `text` @NAME@ stands for
/// the plugin's name, @TYPE@ for its class and @SECTION@ for its section in a conf.
struct PluginTemplate {
  std::string_view name;
  std::string_view text;
};

std::span<const PluginTemplate> plugin_templates();

}  // namespace apus
