#include "servers/apus/priorities.h"

#include <apus/text.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

namespace apus {
namespace {

constexpr int kThisThread = 0;
constexpr std::int64_t kHighestIoLevel = 7;
// The kernel's ioprio_set(2); its own header is no C++.
constexpr int kWhoProcess = 1;
constexpr int kClassShift = 13;
constexpr std::array<std::pair<std::string_view, int>, 3> kIoClasses = {{
    {"IOPRIO_CLASS_RT", 1},
    {"IOPRIO_CLASS_BE", 2},
    {"IOPRIO_CLASS_IDLE", 3},
}};

ConfProblem problem_of(const Options& options, const std::string& option, const std::string& what) {
  const auto at = options.all().find(option);
  return {false, at == options.all().end() ? Origin() : at->second.origin, option, what};
}

ConfProblem refused(const Options& options, const std::string& option) {
  return problem_of(options, option, "refused: " + std::generic_category().message(errno));
}

std::optional<ConfProblem> take_nice(const Options& options) {
  const auto value = options.find("nice_priority");
  if (!value) return std::nullopt;
  const auto level = parse_int(*value);
  if (!level || *level < -20 || *level > 19)
    return problem_of(options, "nice_priority", "not a number from -20 to 19");
  if (::setpriority(PRIO_PROCESS, kThisThread, static_cast<int>(*level)) == 0) return std::nullopt;
  return refused(options, "nice_priority");
}

std::optional<ConfProblem> take_ionice(const Options& options) {
  const auto value = options.find("ionice_class");
  if (!value) return std::nullopt;
  int number = 0;
  for (const auto& [name, code] : kIoClasses) {
    if (*value == name) number = code;
  }
  if (number == 0)
    return problem_of(options, "ionice_class",
                      "not IOPRIO_CLASS_RT, IOPRIO_CLASS_BE or IOPRIO_CLASS_IDLE");
  const auto level = parse_int(options.find("ionice_priority").value_or("0"));
  if (!level || *level < 0 || *level > kHighestIoLevel)
    return problem_of(options, "ionice_priority", "not a number from 0 to 7");
  const int priority = (number << kClassShift) | static_cast<int>(*level);
  if (::syscall(SYS_ioprio_set, kWhoProcess, kThisThread, priority) == 0) return std::nullopt;
  return refused(options, "ionice_class");
}

std::optional<ConfProblem> take_scheduling(const Options& options) {
  // What this process started with: another policy than the usual was chosen by whoever started it.
  static const int given = ::sched_getscheduler(kThisThread);
  const std::string value = options.find("cpu_scheduling").value_or("batch");
  if (value != "batch" && value != "other")
    return problem_of(options, "cpu_scheduling", "neither batch nor other");
  if (given != SCHED_OTHER) return std::nullopt;
  const sched_param none{};
  const int policy = value == "batch" ? SCHED_BATCH : SCHED_OTHER;
  if (::sched_setscheduler(kThisThread, policy, &none) == 0) return std::nullopt;
  return refused(options, "cpu_scheduling");
}

}  // namespace

std::vector<ConfProblem> take_priorities(const Options& options) {
  std::vector<ConfProblem> out;
  for (auto* const take : {take_nice, take_ionice, take_scheduling}) {
    if (auto problem = take(options)) out.push_back(std::move(*problem));
  }
  return out;
}

}  // namespace apus
