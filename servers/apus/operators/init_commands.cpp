#include "servers/apus/operators/init_commands.h"

#include <apus/text.h>

#include <algorithm>
#include <stdexcept>

namespace apus {
namespace {

struct KnownCommand {
  const char* name;
  const char* help;
  bool (InitManager::*verb)();
  bool InitOptions::*given = nullptr;  ///< as if this option were
};

constexpr KnownCommand kInitCommands[] = {
    {"force-reload", "the same as reload", &InitManager::reload, &InitOptions::graceful},
    {"kill", "stop, and no error when none runs", &InitManager::kill},
    {"kill-child-pids", "end what servers have started; they start it anew",
     &InitManager::kill_child_pids},
    {"no-daemon", "start, and stay with them until they end", &InitManager::start,
     &InitOptions::no_daemon},
    {"no-wait", "start, and do not wait until they are up", &InitManager::start,
     &InitOptions::no_wait},
    {"once", "let daemons make one pass", &InitManager::start, &InitOptions::once},
    {"reload", "stop gracefully and start, one server after the other", &InitManager::reload,
     &InitOptions::graceful},
    {"reload-seamless", "let servers take their confs anew, under their pids",
     &InitManager::reload_seamless},
    {"restart", "stop and start", &InitManager::restart},
    {"shutdown", "stop; servers finish what was asked of them", &InitManager::stop,
     &InitOptions::graceful},
    {"start", "start, and wait until they are up", &InitManager::start},
    {"status", "tell which run", &InitManager::status},
    {"stop", "end them, and wait until they have ended", &InitManager::stop},
};

std::string joined_commands() {
  std::string out;
  for (const KnownCommand& command : kInitCommands)
    out += (out.empty() ? "" : ", ") + std::string(command.name);
  return out;
}

}  // namespace

const std::vector<InitCommand>& init_commands() {
  static const std::vector<InitCommand> out = [] {
    std::vector<InitCommand> all;
    for (const KnownCommand& command : kInitCommands) all.emplace_back(command.name, command.help);
    return all;
  }();
  return out;
}

bool run_init(const std::string& command, const std::vector<std::string>& words,
              const InitOptions& options) {
  std::string wanted = lower(command);
  std::replace(wanted.begin(), wanted.end(), '_', '-');
  for (const KnownCommand& known : kInitCommands) {
    if (wanted != known.name) continue;
    InitOptions given = options;
    if (known.given != nullptr) given.*known.given = true;
    InitManager manager(words, given);
    return (manager.*known.verb)();
  }
  throw std::runtime_error("unknown command, '" + command + "'; expected " + joined_commands());
}

}  // namespace apus
