#include "servers/apus/operators/found_processes.h"

#include <apus/text.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "servers/apus/formatted.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::string> words_of(const std::string& cmdline) {
  std::vector<std::string> out;
  std::size_t start = 0;
  while (start < cmdline.size()) {
    const std::size_t end = std::min(cmdline.find('\0', start), cmdline.size());
    out.push_back(cmdline.substr(start, end - start));
    start = end + 1;
  }
  return out;
}

std::string joined(const std::vector<std::string>& words, std::size_t from) {
  std::string out;
  for (std::size_t i = from; i < words.size(); ++i) out += (i > from ? " " : "") + words[i];
  return out;
}

bool is_python(const std::string& word, Interpreters interpreters) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), word) != names.end();
  };
  if (is_one_of({"/usr/bin/python", "/usr/bin/python3"})) return true;
  return interpreters == Interpreters::kOldies ? is_one_of({"/bin/python", "/bin/python3"})
                                               : is_one_of({"/usr/bin/python2"});
}

// Seconds since boot.
double uptime() {
  std::istringstream in(content_of("/proc/uptime"));
  double out = 0;
  in >> out;
  return out;
}

}  // namespace

std::string shown_command(const std::vector<std::string>& words, Interpreters interpreters) {
  if (words.empty()) return "";
  constexpr std::string_view kPrefix = "swift-";
  if (words.size() > 1 && is_python(words[0], interpreters)) {
    const fs::path script(words[1]);
    const std::string folder = script.parent_path().string();
    const std::string name = script.filename().string();
    if ((folder != "/usr/bin" && folder != "/usr/local/bin") || !name.starts_with(kPrefix))
      return "";
    return joined(words, 1).substr(folder.size() + 1 + kPrefix.size());
  }
  const std::string name = fs::path(words[0]).filename().string();
  if (name.starts_with(kPrefix))
    return joined(words, 0).substr(words[0].size() - name.size() + kPrefix.size());
  // A plain `apus` has no pid file to be missed in.
  const bool counts = name == "apus" && interpreters == Interpreters::kOldies;
  return counts && words.size() > 1 ? "apus " + joined(words, 1) : "";
}

bool parse_stat(std::string_view text, int& parent, std::uint64_t& start) {
  // "PID (NAME) STATE PPID ...": the name may hold blanks and brackets.
  const std::size_t end = text.rfind(')');
  if (end == std::string_view::npos) return false;
  const std::vector<std::string> fields = split_list(text.substr(end + 1), ' ');
  if (fields.size() < 20) return false;
  const auto ppid = parse_digits(fields[1]);
  const auto ticks = parse_digits(fields[19]);
  if (!ppid || !ticks || *ppid > INT32_MAX) return false;
  parent = static_cast<int>(*ppid);
  start = static_cast<std::uint64_t>(*ticks);
  return true;
}

std::vector<FoundProcess> find_processes(Interpreters interpreters) {
  const double now = uptime();
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::vector<FoundProcess> out;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto pid = parse_digits(entry.path().filename().string());
    if (!pid) continue;
    const auto words = words_of(content_of(entry.path() / "cmdline"));
    FoundProcess found;
    std::uint64_t start = 0;
    found.shown = shown_command(words, interpreters);
    if (found.shown.empty() || !parse_stat(content_of(entry.path() / "stat"), found.parent, start))
      continue;  // another program, or gone by now
    found.pid = static_cast<int>(*pid);
    found.command_line = joined(words, 0);
    const double age = std::max(0.0, now - static_cast<double>(start) / ticks);
    found.hours = static_cast<std::int64_t>(age / 3600);
    out.push_back(std::move(found));
  }
  std::sort(out.begin(), out.end(),
            [](const FoundProcess& a, const FoundProcess& b) { return a.pid < b.pid; });
  return out;
}

bool holds_on(std::string_view stat) {
  const std::size_t end = stat.rfind(')');
  if (end == std::string_view::npos) return false;
  const std::vector<std::string> fields = split_list(stat.substr(end + 1), ' ');
  if (fields.size() < 18) return false;
  constexpr std::int64_t kOfKernel = 0x200000;  // PF_KTHREAD of the kernel's sched.h
  if ((parse_digits(fields[6]).value_or(kOfKernel) & kOfKernel) != 0) return false;
  // The first thread may have ended before others.
  return fields[0] != "Z" || parse_digits(fields[17]).value_or(0) > 1;
}

bool may_be(int pid, std::string_view program) {
  const fs::path folder = "/proc/" + std::to_string(pid);
  std::ifstream in(folder / "cmdline", std::ios::binary);
  if (!in) return true;
  const std::string line(std::istreambuf_iterator<char>(in), {});
  if (line.empty()) return holds_on(content_of(folder / "stat"));
  return line.find(program) != std::string::npos;
}

std::vector<int> children_of(int pid) {
  std::vector<int> out;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto child = parse_digits(entry.path().filename().string());
    int parent = 0;
    std::uint64_t start = 0;
    if (child && parse_stat(content_of(entry.path() / "stat"), parent, start) && parent == pid)
      out.push_back(static_cast<int>(*child));
  }
  std::sort(out.begin(), out.end());
  return out;
}

void print_processes(const std::vector<FoundProcess>& found, bool wide) {
  std::size_t hours = std::string_view("Hours").size();
  std::size_t pid = std::string_view("PID").size();
  for (const FoundProcess& one : found) {
    hours = std::max(hours, std::to_string(one.hours).size());
    pid = std::max(pid, std::to_string(one.pid).size());
  }
  const std::size_t room = wide ? std::string::npos : 78 - std::min<std::size_t>(78, hours + pid);
  std::cout << right("Hours", hours) << " " << right("PID", pid) << " Command\n";
  for (const FoundProcess& one : found) {
    std::cout << right(std::to_string(one.hours), hours) << " "
              << right(std::to_string(one.pid), pid) << " " << one.shown.substr(0, room) << "\n";
  }
}

}  // namespace apus
