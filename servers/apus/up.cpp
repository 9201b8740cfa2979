// `apus up`: a store from one command.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>

#include "framework/host/real_time.h"
#include "servers/apus/commands.h"
#include "servers/apus/data_folder.h"
#include "servers/apus/serve.h"

namespace apus {
namespace {

std::filesystem::path default_folder() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data != '\0')
    return std::filesystem::path(data) / "apus";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return std::filesystem::path(home) / ".local/share/apus";
  }
  return "/var/lib/apus";
}

struct UpArguments {
  std::string folder = default_folder().string();
  std::string bind;
  std::vector<std::string> devices;
  std::optional<int> replicas;
  std::vector<std::string> policies;
  std::vector<std::string> users;
};

UpRequest request_of(const UpArguments& arguments) {
  UpRequest out;
  out.folder = arguments.folder;
  if (!arguments.bind.empty()) {
    const std::size_t colon = arguments.bind.rfind(':');
    int port = -1;
    try {
      port = colon == std::string::npos ? -1 : std::stoi(arguments.bind.substr(colon + 1));
    } catch (const std::exception&) {
      port = -1;
    }
    if (port < 0 || port > 65535)
      throw std::invalid_argument("--bind " + arguments.bind + ": expected ADDRESS:PORT");
    out.bind_ip = arguments.bind.substr(0, colon);
    out.bind_port = port;
  }
  out.devices = arguments.devices;
  out.replicas = arguments.replicas;
  out.policies = arguments.policies;
  for (const std::string& user : arguments.users) out.users.push_back(UserSpec::parse(user));
  return out;
}

void greet(const DataFolder& folder, const std::string& ip, int port) {
  const UserSpec& user = folder.user();
  const std::string url = "http://" + ip + ":" + std::to_string(port);
  std::cout << "Apus serves at " << url << "\nconfs: " << folder.conf_folder().string() << "\n";
  if (user.key.empty()) {
    std::cout << "users: see [filter:tempauth] in proxy-server.conf" << std::endl;
    return;
  }
  const std::string name = user.account + ":" + user.user;
  std::cout << "user:  " << name << "\nkey:   " << user.key << "\n\n"
            << "  curl -i -H 'X-Auth-User: " << name << "' -H 'X-Auth-Key: " << user.key << "' "
            << url << "/auth/v1.0\n"
            << "  swift -A " << url << "/auth/v1.0 -U " << name << " -K " << user.key << " list\n"
            << "  rclone lsd --swift-auth " << url << "/auth/v1.0 --swift-user " << name
            << " --swift-key " << user.key << " --swift-auth-version 1 :swift:" << std::endl;
}

int up(const UpArguments& arguments) {
  RealEntropy entropy;
  const UpRequest request = request_of(arguments);
  const DataFolder folder(request, entropy);
  return serve(conf_paths(folder.conf_folder()),
               [&](int port) { greet(folder, request.bind_ip.value_or("127.0.0.1"), port); });
}

}  // namespace

Command add_up(CLI::App& apus) {
  auto arguments = std::make_shared<UpArguments>();
  CLI::App* up_command =
      apus.add_subcommand("up", "make a data folder when there is none, and serve from it");
  up_command->footer(
      "TERM, INT and HUP end it after requests under way; none of them reloads. Confs are read\n"
      "again at the next start; `apus serve DATA/etc` on the same folder renews at USR1.");
  up_command->add_option("--data", arguments->folder, "data folder")->capture_default_str();
  up_command->add_option("--bind", arguments->bind, "ADDRESS:PORT for clients (127.0.0.1:8080)");
  up_command->add_option("--devices", arguments->devices,
                         "a number of devices, or their folders (first start)");
  up_command->add_option("--replicas", arguments->replicas, "copies of everything (first start)");
  up_command->add_option("--policy", arguments->policies,
                         "name of a storage policy; the first is the default (first start)");
  up_command->add_option("--user", arguments->users, "ACCOUNT:USER:KEY[:GROUP]...");
  return {up_command, [arguments] { return up(*arguments); }};
}

}  // namespace apus
