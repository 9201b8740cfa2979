#include "servers/apus/operators/init_servers.h"

#include <apus/text.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <iostream>

#include "framework/conf/ini_file.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

constexpr std::array kMainServers = {"proxy-server", "account-server", "container-server",
                                     "object-server"};
constexpr std::array kRestServers = {
    "account-auditor",      "account-reaper",       "account-replicator", "container-auditor",
    "container-reconciler", "container-replicator", "container-sharder",  "container-sync",
    "container-updater",    "object-auditor",       "object-expirer",     "object-reconstructor",
    "object-replicator",    "object-updater"};
constexpr std::string_view kExpirer = "object-expirer";
constexpr std::string_view kReconciler = "container-reconciler";  // has a conf of its own

std::vector<std::string> group(bool with_main, bool with_rest) {
  std::vector<std::string> out;
  if (with_main) out.insert(out.end(), kMainServers.begin(), kMainServers.end());
  if (with_rest) out.insert(out.end(), kRestServers.begin(), kRestServers.end());
  return out;
}

// What a word means, when it is no name.
std::vector<std::string> names_meant(const std::string& word) {
  if (word == "main" || word == "rest" || word == "all")
    return group(word != "rest", word != "main");
  if (word.find('*') == std::string::npos) return {};
  std::vector<std::string> out = group(true, true);
  std::erase_if(out, [pattern = word + "*"](const std::string& name) {
    return ::fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) != 0;
  });
  return out;
}

std::string absolute_folder(const std::string& given) {
  const std::string out = fs::absolute(given).lexically_normal().string();
  return out.size() > 1 && out.ends_with('/') ? out.substr(0, out.size() - 1) : out;
}

// The server in whose conf a server has its section: "object-server" for "object-replicator".
std::string host_of(const std::string& name) {
  return name == kReconciler ? name : name.substr(0, name.rfind('-')) + "-server";
}

// What is looked for; names have no folder.
struct Wanted {
  std::function<bool(const std::string& name)> top;     // file or folder in the first folder
  std::function<bool(const std::string& name)> file;    // there or below
  std::function<bool(const std::string& name)> folder;  // counts as one, is not looked into
};

void collect_below(const fs::path& folder, const Wanted& wanted, std::vector<std::string>& out) {
  std::vector<fs::path> folders;
  bool whole = false;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const bool is_folder = entry.is_directory(error);
    if (is_folder ? wanted.folder(name) : wanted.file(name)) out.push_back(entry.path().string());
    if (!is_folder) continue;
    whole = whole || wanted.folder(name);
    if (!entry.is_symlink(error)) folders.push_back(entry.path());
  }
  if (whole) return;  // as Swift, no deeper then
  for (const fs::path& one : folders) collect_below(one, wanted, out);
}

std::vector<std::string> search_tree(const std::string& root, const Wanted& wanted) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    const std::string name = entry.path().filename().string();
    if (!wanted.top(name)) continue;
    const bool is_folder = entry.is_directory(error);
    if (is_folder ? wanted.folder(name) : wanted.file(name)) {
      out.push_back(entry.path().string());
    } else if (is_folder) {
      collect_below(entry.path(), wanted, out);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> confs_named(const std::string& begin, const std::string& conf,
                                     const std::string& swift_dir) {
  if (conf.empty()) {
    return search_tree(swift_dir,
                       {[&](const std::string& name) { return name.starts_with(begin); },
                        [](const std::string& name) { return name.ends_with(".conf"); },
                        [](const std::string& name) { return name.ends_with(".conf.d"); }});
  }
  return search_tree(swift_dir,
                     {[&](const std::string& name) { return name == begin; },
                      [&](const std::string& name) { return name == conf + ".conf"; },
                      [&](const std::string& name) { return name == conf + ".conf.d"; }});
}

bool has_section(const std::string& conf, std::string_view section) {
  std::vector<ConfProblem> told_by_the_daemon;
  return read_conf(conf, told_by_the_daemon).find(section) != nullptr;
}

void replace_first(std::string& text, const std::string& what, const std::string& with) {
  if (const std::size_t at = text.find(what); at != std::string::npos)
    text.replace(at, what.size(), with);
}

// What follows the folder, slash included.
std::string below(const std::string& folder, const std::string& path) {
  return path.starts_with(folder) ? path.substr(folder.size()) : "/" + path;
}

}  // namespace

InitFolders::InitFolders(const std::string& swift_folder, const std::string& run_folder)
    : swift_dir(absolute_folder(swift_folder)), run_dir(absolute_folder(run_folder)) {}

bool SwiftServer::is_main() const {
  return std::find(kMainServers.begin(), kMainServers.end(), name) != kMainServers.end();
}

SwiftServer parse_server(std::string_view word) {
  SwiftServer out;
  out.name = lower(word.substr(0, word.find('.')));
  if (const std::size_t dot = word.rfind('.'); dot != std::string_view::npos)
    out.conf = word.substr(dot + 1);
  if (out.name.find('-') == std::string::npos) out.name += "-server";
  return out;
}

ChosenServers choose_servers(const std::vector<std::string>& words) {
  ChosenServers out;
  const auto add = [&](const std::string& word) {
    const SwiftServer server = parse_server(word);
    if (std::find(out.servers.begin(), out.servers.end(), server) == out.servers.end())
      out.servers.push_back(server);
  };
  for (const std::string& word : words) {
    const std::vector<std::string> meant = names_meant(word);
    if (meant.empty() && word.find('*') == std::string::npos) {
      add(word);
    } else {
      out.each_named = false;
      std::for_each(meant.begin(), meant.end(), add);
    }
  }
  return out;
}

std::vector<std::string> find_confs(const SwiftServer& server, const std::string& swift_dir) {
  std::vector<std::string> out = confs_named(host_of(server.name), server.conf, swift_dir);
  if (server.name != kExpirer) return out;
  std::erase_if(out, [](const std::string& conf) { return !has_section(conf, kExpirer); });
  return out.empty() ? confs_named(server.name, server.conf, swift_dir) : out;
}

std::vector<std::string> numbered_conf(const std::vector<std::string>& found, int number) {
  if (number == 0) return found;
  const auto count = static_cast<std::int64_t>(found.size());
  const std::int64_t at = std::int64_t{number} - 1 + (number < 0 ? count : 0);
  if (at < 0 || at >= count) return {};
  return {found[static_cast<std::size_t>(at)]};
}

void tell_no_conf(const SwiftServer& server, int number) {
  std::cout << "Unable to locate config ";
  if (number != 0) std::cout << "number " << number << " ";
  std::cout << "for " << server.name << "\n";
}

std::vector<std::string> find_pid_files(const SwiftServer& server, const std::string& run_dir) {
  const auto is_pid_file = [&](const std::string& name) {
    if (server.conf.empty()) return name.find(".pid") != std::string::npos;
    return name == server.conf + ".pid" || name == server.conf + ".pid.d";
  };
  return search_tree(
      run_dir, {[&](const std::string& name) { return name.starts_with(server.name); }, is_pid_file,
                [](const std::string&) { return false; }});
}

std::string pid_file_of(const SwiftServer& server, const InitFolders& folders,
                        const std::string& conf) {
  std::string out = below(folders.swift_dir, conf);
  replace_first(out, host_of(server.name), server.name);
  replace_first(out, ".conf", ".pid");
  return folders.run_dir + out;
}

std::string conf_of_pid_file(const SwiftServer& server, const InitFolders& folders,
                             const std::string& pid_file) {
  for (const std::string& conf : find_confs(server, folders.swift_dir)) {
    if (pid_file_of(server, folders, conf) == pid_file) return conf;
  }
  std::string out = below(folders.run_dir, pid_file);
  replace_first(out, server.name, host_of(server.name));
  replace_first(out, ".pid", ".conf");
  return folders.swift_dir + out;
}

}  // namespace apus
