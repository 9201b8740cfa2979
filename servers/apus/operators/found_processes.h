// The processes of Swift and of Apus on this machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

struct FoundProcess {
  int pid = 0;
  int parent = 0;
  std::int64_t hours = 0;    ///< whole ones since it was started
  std::string command_line;  ///< words with blanks between
  std::string shown;         ///< without the interpreter, the folder and "swift-"
};

/// Which Python's: /usr/bin/python3 only, or also /bin/python3 and /usr/bin/python.
enum class Interpreters : std::uint8_t { kOldies, kOrphans };

/// Servers, daemons and tools: Swift's under Python, and Apus' by any of its names. By pid.
std::vector<FoundProcess> find_processes(Interpreters interpreters);

/// `shown` of a command line; empty when it is no process of Swift's or Apus'.
std::string shown_command(const std::vector<std::string>& words, Interpreters interpreters);

/// Parent and start (clock ticks after boot) of /proc/PID/stat; false when the text is none.
bool parse_stat(std::string_view text, int& parent, std::uint64_t& start);

/// True of /proc/PID/stat when the process, which has no command line, may hold files and ports: it
/// has begun to end, or is just becoming another program. Not a thread of the kernel.
bool holds_on(std::string_view stat);

/// True when the process runs, or has not ended wholly, and is the program or a script of that
/// name; also when nobody may look. False when there is another process, or one that has ended.
bool may_be(int pid, std::string_view program);

/// The pids of its children, sorted.
std::vector<int> children_of(int pid);

/// "Hours PID Command", then a line for each, commands cut to fit 80 columns unless `wide`.
void print_processes(const std::vector<FoundProcess>& found, bool wide);

}  // namespace apus
