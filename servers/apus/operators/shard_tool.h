// The parts of `apus manage-shard-ranges`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/sharding/sharding_limits.h"
#include "framework/store/db/container_broker.h"

namespace apus {

/// What its command line says, over what a conf says.
struct ShardToolArguments {
  std::string path;
  std::string conf;
  bool verbose = false;
  bool force_commits = false;
  std::string prefix = ".shards_";
  std::string input;
  std::optional<std::string> includes;
  bool include_deleted = false;
  bool brief = false;
  bool force = false;
  bool enable = false;
  bool yes = false;
  bool dry_run = false;
  bool gaps = false;
};

/// Statuses of the tool.
inline constexpr int kShardToolDone = 0;
inline constexpr int kShardToolError = 1;
inline constexpr int kShardToolBadArguments = 2;
inline constexpr int kShardToolQuit = 3;

/// One run over one database. Each command prints what it does and gives its status.
struct ShardTool {
  const ShardToolArguments& arguments;
  const ShardingLimits& limits;
  ContainerBroker& broker;
  Clock& clock;

  // Looking.
  [[nodiscard]] int find() const;
  [[nodiscard]] int show() const;
  [[nodiscard]] int info() const;
  // Making and enabling.
  [[nodiscard]] int replace() const;
  [[nodiscard]] int find_and_replace() const;
  [[nodiscard]] int remove() const;
  [[nodiscard]] int enable() const;
  // Mending.
  [[nodiscard]] int compact() const;
  [[nodiscard]] int repair() const;

 private:
  [[nodiscard]] std::vector<FoundRange> search(std::ostream& report, double& seconds) const;
  [[nodiscard]] int store(const std::vector<FoundRange>& found) const;
  /// The container's own range; nothing, and told, for a shard that has lost its own.
  [[nodiscard]] std::optional<ShardRange> own_range() const;
  [[nodiscard]] int repair_gaps() const;
  [[nodiscard]] int repair_overlaps() const;
};

/// `analyze`: ranges from a file of JSON, no database.
int analyze_shard_ranges(const ShardToolArguments& arguments);

/// A list of JSON objects that each have the members `names`, from a file or "-". Nothing, and
/// told, when it is none.
std::optional<Json::Array> read_shard_data(const std::string& input,
                                           const std::vector<const char*>& names);

/// With the state's name instead of its number.
Json shown_shard_range(const ShardRange& range);
void print_shard_range(const ShardRange& range, int level);
/// --yes, --dry-run, or what the user says.
bool may_change(const ShardToolArguments& arguments);

}  // namespace apus
