// `apus plugin new`: a project that builds against the installed SDK, with its first test.
#include <apus/plugin.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>

#include "servers/apus/plugin.h"
#include "servers/apus/plugin_templates.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

struct NewArguments {
  std::string name;
  std::string kind = "filter";
  std::string folder;
};

// Fits the stamp, a C++ file, a CMake target and a conf.
void check_name(const std::string& name) {
  const bool good =
      !name.empty() && name.size() < sizeof(PluginStamp::name) &&
      std::islower(static_cast<unsigned char>(name.front())) != 0 &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  if (!good) {
    throw std::invalid_argument("NAME '" + name +
                                "': expected a lower-case letter, then lower-case letters, digits "
                                "and '_', at most " +
                                std::to_string(sizeof(PluginStamp::name) - 1) + " in all");
  }
}

// "rate_card" of kind "filter" is RateCardFilter.
std::string type_of(const std::string& name, const std::string& kind) {
  std::string out;
  for (const std::string& word : {name, kind}) {
    bool capital = true;
    for (const char c : word) {
      if (c != '_') out += capital ? static_cast<char>(std::toupper(c)) : c;
      capital = c == '_';
    }
  }
  return out;
}

// How a conf names it.
std::string conf_of(const NewArguments& arguments) {
  if (arguments.kind == "watcher") {
    return "    [object-auditor]\n    watchers = " + arguments.name +
           "\n    plugin_path = /path/to/build/lib/apus\n\n    [object-auditor:watcher:" +
           arguments.name +
           "]\n    suffix = .log\n\nOnce `cmake --install build` has put it beside the other "
           "plugins, plugin_path is not needed.";
  }
  return "    [" +
         (arguments.kind == "daemon" ? arguments.name : arguments.kind + ":" + arguments.name) +
         "]\n    use = so:/path/to/build/lib/apus/" + arguments.name +
         ".so\n\nor, once `cmake --install build` has put it beside the other plugins, `use = "
         "egg:apus#" +
         arguments.name + "`.";
}

std::string filled_in(std::string_view text, const NewArguments& arguments) {
  const std::pair<std::string_view, std::string> words[] = {
      {"@NAME@", arguments.name},
      {"@TYPE@", type_of(arguments.name, arguments.kind)},
      {"@CONF@", conf_of(arguments)},
  };
  std::string out(text);
  for (const auto& [word, value] : words) {
    for (std::size_t at = 0; (at = out.find(word, at)) != std::string::npos; at += value.size())
      out.replace(at, word.size(), value);
  }
  return out;
}

// The project's name of a template, or nothing when it is another kind's.
std::string file_of(std::string_view name, const NewArguments& arguments) {
  if (!name.ends_with(".cpp")) return std::string(name);
  if (name == arguments.kind + ".cpp") return arguments.name + ".cpp";
  if (name == arguments.kind + "_test.cpp") return arguments.name + "_test.cpp";
  return "";
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

// Where this executable is installed, when CMake would not look there by itself; else empty.
std::string prefix_to_tell() {
  std::error_code error;
  const fs::path prefix = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
  if (error || prefix == "/usr" || prefix == "/usr/local") return "";
  return fs::exists(prefix / "include/apus/plugin.h", error) ? prefix.string() : "";
}

int make(const NewArguments& arguments) {
  check_name(arguments.name);
  const fs::path folder = arguments.folder.empty() ? arguments.name : arguments.folder;
  if (fs::exists(folder) && !(fs::is_directory(folder) && fs::is_empty(folder)))
    throw std::runtime_error(folder.string() + " is there already; name another with --dir");
  fs::create_directories(folder);
  for (const PluginTemplate& one : plugin_templates()) {
    const std::string file = file_of(one.name, arguments);
    if (!file.empty()) write(folder / file, filled_in(one.text, arguments));
  }
  const std::string prefix = prefix_to_tell();
  std::cout << "A " << arguments.kind << " stands in " << folder.string()
            << ". To build and test it:\n\n  cmake -S " << folder.string() << " -B "
            << (folder / "build").string()
            << (prefix.empty() ? "" : " -DCMAKE_PREFIX_PATH=" + prefix) << " && cmake --build "
            << (folder / "build").string() << " && ctest --test-dir " << (folder / "build").string()
            << std::endl;
  return 0;
}

}  // namespace

Command add_plugin_new(CLI::App& plugin) {
  const auto arguments = std::make_shared<NewArguments>();
  CLI::App* parser =
      plugin.add_subcommand("new", "write a project with a plugin and its first test");
  parser->add_option("NAME", arguments->name, "the plugin's name, also in confs")->required();
  parser->add_option("--kind", arguments->kind, "filter, app, daemon or watcher")
      ->check(CLI::IsMember({"filter", "app", "daemon", "watcher"}))
      ->capture_default_str();
  parser->add_option("--dir", arguments->folder, "folder to make (./NAME)");
  return {parser, [arguments] { return make(*arguments); }};
}

}  // namespace apus
