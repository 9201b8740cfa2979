#include "servers/apus/swift_names.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>

#include "servers/apus/commands.h"
#include "servers/apus/supervisor.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kServers = {
    "swift-proxy-server", "swift-account-server", "swift-container-server", "swift-object-server"};

int usage(const std::string& name, const std::string& error) {
  std::cout << "Usage: " << name << " CONFIG [options]\n";
  if (!error.empty()) std::cout << "Error: " << error << "\n";
  return 1;
}

}  // namespace

std::optional<int> run_as_swift(const std::vector<std::string>& command_line) {
  if (command_line.empty()) return std::nullopt;
  const std::string name = fs::path(command_line.front()).filename().string();
  if (std::find(kServers.begin(), kServers.end(), name) == kServers.end()) return std::nullopt;
  SuperviseRequest request;
  request.as_swift = true;
  request.command_line = {command_line.front()};
  bool test = false;
  for (std::size_t i = 1; i < command_line.size(); ++i) {
    const std::string& word = command_line[i];
    if (word == "-h" || word == "--help") {
      std::cout << "Usage: " << name << " CONFIG [options]\n\nOptions:\n  -h, --help     "
                << "show this help and exit\n  -v, --verbose  keep stdout and stderr\n"
                << "  --test-config  only check CONFIG: status 0 or 1\n";
      return 0;
    }
    if (word == "-v" || word == "--verbose" || word == "verbose") {
      request.keep_stdio = true;
      request.command_line.push_back(word);
    } else if (word == "--test-config") {
      test = true;
    } else if (word.starts_with('-')) {
      std::cerr << name << ": '" << word
                << "' is not known; expected CONFIG, -v, --verbose, --test-config\n";
      return 2;
    } else if (request.confs.empty()) {
      request.confs.push_back(fs::absolute(word).lexically_normal());
      request.command_line.push_back(request.confs.front().string());
    } else {
      request.command_line.push_back(word);  // Swift takes any further word, and so do we
    }
  }
  if (request.confs.empty()) return usage(name, "missing config path argument");
  std::error_code error;
  if (!fs::exists(request.confs.front(), error))
    return usage(name, "unable to locate " + request.confs.front().string());
  return test ? test_confs(request.confs) : supervise(request);
}

}  // namespace apus
