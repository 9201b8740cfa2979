// The servers that `apus init` knows: names, conf files and pid files, laid out as Swift's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// Where confs and pid files lie. Made absolute and normal, without a slash at the end.
struct InitFolders {
  InitFolders(const std::string& swift_folder, const std::string& run_folder);

  std::string swift_dir;
  std::string run_dir;
};

struct SwiftServer {
  std::string name;  ///< "object-server", "object-replicator"
  std::string conf;  ///< "1" of "object.1": the conf of that name alone; empty = each conf

  [[nodiscard]] std::string program() const { return "swift-" + name; }
  [[nodiscard]] bool is_main() const;  ///< one of the four that listen: takes HUP and USR1
  bool operator==(const SwiftServer&) const = default;
};

/// "proxy", "object-server", "object-replicator.2"; the name in any case.
SwiftServer parse_server(std::string_view word);

struct ChosenServers {
  std::vector<SwiftServer> servers;  ///< each once, in the order of the words
  bool each_named = true;            ///< no group, no '*'
};

/// Servers, the groups "all", "main" and "rest", and names with '*', whose end is open as Swift's
/// is: "*-audit" means the auditors. A name is not looked up: it may be any.
ChosenServers choose_servers(const std::vector<std::string>& words);

/// The confs of a server, sorted: files, or folders of files ("1.conf.d"). "object-replicator" is
/// configured where object-server is; container-reconciler has a conf of its own; object-expirer
/// has those confs of object-server that have its section, or else one of its own.
std::vector<std::string> find_confs(const SwiftServer& server, const std::string& swift_dir);

/// With a number that conf alone, 1 for the first, and for 0 all. Below 0 it counts as Python
/// does: -1 is the last but one.
std::vector<std::string> numbered_conf(const std::vector<std::string>& found, int number);

/// Says on stdout that there is no conf, or none of this number.
void tell_no_conf(const SwiftServer& server, int number);

/// The pid files that there are for a server, sorted; whatever else lies there is left out.
std::vector<std::string> find_pid_files(const SwiftServer& server, const std::string& run_dir);

/// /etc/swift/object-server/1.conf.d of object-replicator: /var/run/swift/object-replicator/1.pid.d
std::string pid_file_of(const SwiftServer& server, const InitFolders& folders,
                        const std::string& conf);

/// The way back. Of several confs that would do, the first of those that there are.
std::string conf_of_pid_file(const SwiftServer& server, const InitFolders& folders,
                             const std::string& pid_file);

}  // namespace apus
