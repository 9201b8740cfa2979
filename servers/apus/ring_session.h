// One call of `apus ring FILE COMMAND ...`.
#pragma once

#include <string>
#include <vector>

#include "framework/ring/builder.h"
#include "framework/ring/ring_file.h"

namespace apus {

/// Exit statuses, as Swift's.
constexpr int kRingDone = 0;
constexpr int kRingWarning = 1;
constexpr int kRingError = 2;

/// The builder in hand, and where it came from.
struct RingSession {
  std::string program;             ///< as the operator called it
  std::string builder_file;        ///< FILE.builder
  std::string ring_file;           ///< FILE.ring.gz
  std::vector<std::string> words;  ///< behind the command
  RingBuilder builder{0, 1, 0};

  /// Writes the builder, with a new id when it has none.
  void save();
  /// The same and, when `ring`, the ring, each also under backups/<seconds>.<name>.
  void save_with_backups(bool ring, bool builder, RingFormat format = RingFormat::kFirst);
};

/// A command of `apus ring FILE`.
struct RingCommand {
  const char* name;
  const char* arguments;
  const char* help;
  int (*run)(RingSession&);
};
/// By room; each ends with an entry without name.
extern const RingCommand kDeviceCommands[];
extern const RingCommand kSettingCommands[];
extern const RingCommand kBalanceCommands[];
extern const RingCommand kFileCommands[];

/// Without a command: what is in the builder.
int show_ring(RingSession& session);

/// `apus ring analyzer SCENARIO [--check]`, `apus ring composer FILE show|compose ...`.
int analyze_ring(const std::string& program, const std::vector<std::string>& words);
int compose_ring(const std::string& program, const std::vector<std::string>& words);

/// 1:02:03, or "2 days, 1:02:03".
std::string shown_duration(std::int64_t seconds);

}  // namespace apus
