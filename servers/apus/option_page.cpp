#include "servers/apus/option_page.h"

#include <apus/audit_watcher.h>

#include <algorithm>
#include <span>

#include "framework/conf/server_options.h"
#include "servers/apus/operators/object_relinker.h"

namespace apus {
namespace {

std::string type_name(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::kText:
      return "text";
    case OptionType::kBool:
      return "yes or no";
    case OptionType::kInt:
      return "whole number";
    case OptionType::kNumber:
      return "number";
    case OptionType::kList:
      return "list";
  }
  return "";
}

// A '|' would end a table's cell.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

std::string table(std::span<const OptionSpec> specs) {
  if (specs.empty()) return "No options.\n";
  std::string out = "| option | what | kind | default |\n|---|---|---|---|\n";
  for (const OptionSpec& spec : specs) {
    std::string fallback = option_default(spec);
    if (!fallback.empty()) fallback = "`" + fallback.substr(1) + "`";
    if (spec.required) fallback = "required";
    out += "| `" + std::string(spec.name) + "` | " + cell(spec.help) + " | " + type_name(spec) +
           " | " + cell(fallback) + " |\n";
  }
  return out;
}

}  // namespace

std::string option_default(const OptionSpec& spec) {
  if (spec.fallback == nullptr || *spec.fallback == '\0') return "";
  std::string text = std::string(" ") + spec.fallback;
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::vector<std::string> plugins_of_kind(const PluginLoader& loader, PluginKind kind) {
  std::vector<std::string> out;
  for (const std::string& name : loader.names()) {
    if (read_stamp(loader.find(name)).kind == static_cast<std::uint32_t>(kind)) out.push_back(name);
  }
  return out;
}

std::string option_page() {
  std::string out =
      "# Options\n\nMade by `apus check --sample options.md` from the tables that the servers and "
      "plugins check confs\nagainst. An option of `[DEFAULT]` is seen by every section.\n";
  out += "\n## Every proxy\n\n" + table(server_options_of(false));
  out += "\n## Every account, container and object server\n\n" + table(server_options_of(true));
  PluginLoader loader;
  for (const PluginKind kind :
       {PluginKind::kApp, PluginKind::kFilter, PluginKind::kDaemon, kWatcherPlugin}) {
    for (const std::string& name : plugins_of_kind(loader, kind)) {
      const Descriptor& plugin = loader.load(name, kind);
      out += "\n## " + std::string(kind_name(kind)) + " " + name + "\n\n" +
             table({plugin.options, plugin.option_count});
    }
  }
  return out + "\n## daemon object-relinker\n\n" + table(relinker_options());
}

}  // namespace apus
