// `apus DAEMON CONF [once]`: one daemon of a conf in this process.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace apus {

class PluginLoader;

/// True when a plugin of this name is installed and is a daemon. Runs none of its code.
bool is_daemon(const PluginLoader& loader, const std::string& name);

/// The names of all installed daemons, sorted.
std::vector<std::string> daemon_names();

/// Runs a daemon when the command line names one: `apus DAEMON CONF [once]` or `swift-DAEMON CONF
/// [once]`, where DAEMON is an installed plugin of that kind. Of the words that Swift's daemons
/// take besides, those with a value (--devices, --partitions, --policies, --zero_byte_fps,
/// --processes, --process) count where the daemon declares an option of that name, or
/// "override_NAME", and --verbose (or verbose, as swift-init has it) sends the log to stderr; the
/// others change nothing. One pass, or passes until SIGTERM or SIGINT. It becomes the conf's
/// `user`; under a name of Swift's it leads a session of its own, stands in "/", and lets go of
/// stdin, stdout and stderr before passes without an end, unless --verbose is given. Status 2
/// without a conf, 1 when the conf, swift.conf or the daemon does not allow a start (told on
/// stderr); nothing when the command line names no daemon.
std::optional<int> run_as_daemon(const std::vector<std::string>& command_line);

}  // namespace apus
