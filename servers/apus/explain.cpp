#include "servers/apus/explain.h"

#include <apus/text.h>

#include <algorithm>
#include <span>

#include "framework/conf/server_options.h"

namespace apus {
namespace {

using Specs = std::span<const OptionSpec>;

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string in_one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return std::string(trim(text));
}

std::string shown(const OptionSpec& spec, const std::string& value) {
  return spec.secret ? "(hidden)" : in_one_line(value);
}

std::string place(const Origin& origin) {
  return origin.file + (origin.line > 0 ? ":" + std::to_string(origin.line) : "");
}

std::string default_of(const OptionSpec& spec) {
  const bool none = spec.fallback == nullptr || *spec.fallback == '\0';
  return std::string("default ") + (none ? "none" : spec.fallback);
}

std::string set_line(const OptionSpec& spec, const std::string& name, const Options::Value& value) {
  return "    " + name + " = " + shown(spec, value.text) + "    (" + place(value.origin) + "; " +
         default_of(spec) + ")\n";
}

// Every option of the table: where it is set, else its default.
std::string option_lines(Specs specs, const Options& options) {
  std::string out;
  for (const OptionSpec& spec : specs) {
    const std::string_view name(spec.name);
    if (name == "*") continue;  // takes any name
    if (name.ends_with('*') || name.starts_with('*')) {
      const bool front = name.ends_with('*');
      const std::string_view part = front ? name.substr(0, name.size() - 1) : name.substr(1);
      for (const auto& [key, value] : options.all()) {
        if (front ? key.starts_with(part) : key.ends_with(part)) out += set_line(spec, key, value);
      }
    } else if (const auto at = options.all().find(name); at != options.all().end()) {
      out += set_line(spec, spec.name, at->second);
    } else if (spec.fallback != nullptr && *spec.fallback != '\0') {
      out += "    " + std::string(name) + " = " + spec.fallback + "    (default)\n";
    } else {
      out += "    " + std::string(name) + " is not set\n";
    }
  }
  return out;
}

std::string stage_line(const LoadedStage& stage) {
  std::string version = "not loaded";
  if (stage.descriptor != nullptr)
    version = std::string(stage.descriptor->stamp->name) + " " + stage.descriptor->stamp->version;
  return padded(stage.stage.name, 20) + " " + padded(version, 24) + " " + stage.reason() + "\n";
}

std::string order_lines(const LoadedApp& app, const std::string& indent) {
  std::string out;
  for (const LoadedStage& stage : app.filters) out += indent + stage_line(stage);
  for (const LoadedApp::Route& route : app.routes) {
    out += indent + "paths from '" + route.prefix + "/':\n" +
           order_lines(route.app.front(), indent + "  ");
  }
  for (const LoadedApp& other : app.not_found)
    out += indent + "other paths:\n" + order_lines(other, indent + "  ");
  if (app.routes.empty()) out += indent + stage_line(app.app);
  return out;
}

std::string stage_block(const LoadedStage& stage) {
  if (stage.descriptor == nullptr) return "";
  const Descriptor& plugin = *stage.descriptor;
  return "  [" + stage.stage.section + "] " + plugin.stamp->name + " " + plugin.stamp->version +
         ", " + plugin.stamp->build + ", " + stage.file.string() + "\n" +
         option_lines(Specs(plugin.options, plugin.option_count), stage.options);
}

std::string option_blocks(const LoadedApp& app) {
  std::string out;
  for (const LoadedStage& stage : app.filters) out += stage_block(stage);
  for (const LoadedApp::Route& route : app.routes) out += option_blocks(route.app.front());
  for (const LoadedApp& other : app.not_found) out += option_blocks(other);
  if (app.routes.empty()) out += stage_block(app.app);
  return out;
}

}  // namespace

std::string explain(const ServerPlan& plan) {
  return plan.conf.file.path.string() + ": " + plan.name() +
         "\n  order, the client's side first:\n" + order_lines(plan.loaded, "    ") +
         "  the server itself\n" +
         option_lines(server_options_of(plan.loaded.trusted()), plan.options) +
         option_blocks(plan.loaded);
}

}  // namespace apus
