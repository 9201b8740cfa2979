// What `apus init` has started, until each has said that it is up.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace apus {

struct StartOrder {
  std::string name;     ///< "object-server"
  std::string program;  ///< its path
  std::string conf;
  std::string pid_file;
  bool once = false;
};

/// Whose words are seen.
enum class StartOutput : std::uint8_t {
  kWaited,    ///< shown once it lets go of its output
  kNone,      ///< nobody looks
  kTerminal,  ///< this process's own streams, and the word "verbose" for it
};

class StartedServers {
 public:
  /// Waits so long for a server to let go of its output.
  explicit StartedServers(StartOutput output, std::chrono::seconds patience = kPatience)
      : output_(output), patience_(patience) {}
  StartedServers(const StartedServers&) = delete;
  StartedServers& operator=(const StartedServers&) = delete;
  ~StartedServers();

  /// Starts one and writes its pid file, with the folders that lacks. Throws std::system_error,
  /// which names file and reason; nothing runs then.
  void start(const StartOrder& order);

  /// Until each has let go of its output, and those that said something have had 3 seconds to end
  /// of it; one that runs once, until it has ended. What they said is on stdout, why one failed on
  /// stderr. False when one failed, or is not up when the patience ends.
  [[nodiscard]] bool wait_until_up();

  /// Until all have ended, or SIGINT or SIGTERM comes, for which `stop` is called. False when one
  /// ended with an error.
  [[nodiscard]] bool wait_until_ended(const std::function<void()>& stop);

 private:
  static constexpr std::chrono::seconds kPatience{180};

  struct Started {
    StartOrder order;
    pid_t pid = 0;
    int said = -1;              ///< the end of the pipe
    std::optional<int> status;  ///< as waitpid's, once it has ended
    bool spoke = false;
    bool stuck = false;
  };

  void listen(Started& one, std::chrono::steady_clock::time_point end);
  // Of one that has ended nothing is left: its pid file goes.
  static void look_at(Started& one, int flags);
  [[nodiscard]] bool look_at_all();
  [[nodiscard]] bool tell_failed() const;

  StartOutput output_;
  std::chrono::seconds patience_;
  std::vector<Started> started_;
};

}  // namespace apus
