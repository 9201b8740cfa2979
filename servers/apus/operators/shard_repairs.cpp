// Commands of `apus manage-shard-ranges` that mend what is wrong with shard ranges.
#include <apus/text.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <set>

#include "framework/sharding/compaction.h"
#include "framework/sharding/shard_paths.h"
#include "servers/apus/operators/shard_tool.h"

namespace apus {
namespace {

std::int64_t objects_of(const std::vector<ShardRange>& ranges) {
  std::int64_t out = 0;
  for (const ShardRange& range : ranges) out += range.object_count;
  return out;
}

bool has_state(const std::vector<ShardRange>& ranges, std::int64_t state) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const ShardRange& range) { return range.state == state; });
}

// Ranges one of which ends behind `bound` and is cleaved or active.
bool is_cleaved_behind(const std::vector<ShardRange>& ranges, const std::string& bound) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const ShardRange& range) {
    return (range.state == ShardRange::kCleaved || range.state == ShardRange::kActive) &&
           lower_less(bound, range.upper);
  });
}

// A path through all names, and the ranges that overlap with it.
struct Solution {
  ShardPath acceptors;
  std::vector<ShardRange> donors;
};

void print_solution(const Solution& solution) {
  std::cout << "Donors:\n";
  for (const ShardRange& donor : solution.donors) print_shard_range(donor, 1);
  std::cout << "Acceptors:\n";
  for (const ShardRange& acceptor : solution.acceptors) print_shard_range(acceptor, 1);
}

int refuse(const std::string& why) {
  std::cout << why << "\nNo repairs performed.\n";
  return kShardToolError;
}

// Sets `solution` when there is something to repair; else its acceptors are empty.
int find_solution(const std::vector<ShardRange>& ranges, const ShardRange& own, bool verbose,
                  Solution& solution) {
  for (const auto& [state, name] : {std::pair(ShardRange::kSharding, "sharding"),
                                    std::pair(ShardRange::kShrinking, "shrinking")}) {
    if (has_state(ranges, state))
      return refuse(std::string("WARNING: Found shard ranges in ") + name + " state");
  }
  std::vector<ShardPath> paths = find_shard_paths(ranges);
  rank_shard_paths(paths, own);
  if (paths.empty() || !path_spans(paths.front(), own)) {
    std::cout << "Found no complete sequence of shard ranges.\n"
              << "Repairs necessary to fill gaps.\n"
              << "Gap filling is done with the option --gaps alone. No repairs performed.\n";
    return kShardToolError;
  }
  Solution found{std::move(paths.front()), {}};
  std::set<std::string> chosen;
  for (const ShardRange& range : found.acceptors) chosen.insert(range.name);
  for (const ShardRange& range : ranges) {
    if (!chosen.contains(range.name)) found.donors.push_back(range);
  }
  std::sort(found.donors.begin(), found.donors.end(), shard_order);
  bool all_cleaved = false;
  const std::string cleaved = cleaved_up_to(found.acceptors, all_cleaved);
  if (!all_cleaved) {
    for (const auto& [part, name] :
         {std::pair(&found.acceptors, "acceptor path"), std::pair(&found.donors, "donor ranges")}) {
      if (!is_cleaved_behind(*part, cleaved)) continue;
      std::cout << "ERROR: Isolated cleaved and/or active shard ranges in " << name << "\n";
      print_solution(found);
      std::cout << "No repairs performed.\n";
      return kShardToolError;
    }
  }
  if (found.donors.empty()) {
    std::cout << "Found one complete sequence of " << found.acceptors.size()
              << " shard ranges and no overlapping shard ranges.\nNo repairs necessary.\n";
    return kShardToolDone;
  }
  std::cout << "Repairs necessary to remove overlapping shard ranges.\n"
            << "Chosen a complete sequence of " << found.acceptors.size()
            << " shard ranges with current total of " << objects_of(found.acceptors)
            << " object records to accept object records from " << found.donors.size()
            << " overlapping donor shard ranges.\n";
  if (verbose) print_solution(found);
  std::cout << "Once applied to the broker these changes will result in:\n    "
            << found.donors.size() << " shard ranges being removed.\n    "
            << objects_of(found.donors)
            << " object records being moved to the chosen shard ranges.\n";
  solution = std::move(found);
  return kShardToolDone;
}

}  // namespace

int ShardTool::compact() const {
  if (!broker.is_root()) {
    std::cout << "WARNING: Shard containers cannot be compacted.\n"
              << "This command should be used on a root container.\n";
    return kShardToolError;
  }
  if (broker.state() != ShardingState::kSharded) {
    std::cout << "WARNING: Container is not yet sharded so cannot be compacted.\n";
    return kShardToolError;
  }
  std::vector<ShardRange> ranges = broker.shard_ranges();
  std::erase_if(ranges,
                [](const ShardRange& range) { return range.state == ShardRange::kShrinking; });
  if (!find_shard_overlaps(ranges).empty()) {
    std::cout << "WARNING: Container has overlapping shard ranges so cannot be compacted.\n";
    return kShardToolError;
  }
  auto sequences =
      find_compactible_sequences(broker, {limits.shrink_threshold, limits.expansion_limit,
                                          limits.max_shrinking, limits.max_expanding});
  if (sequences.empty()) {
    std::cout << "No shards identified for compaction.\n";
    return kShardToolDone;
  }
  for (const ShardSequence& sequence : sequences) {
    std::int64_t rows = 0;
    for (std::size_t i = 0; i + 1 < sequence.size(); ++i) rows += sequence[i].row_count();
    std::cout << "Donor shard range(s) with total of " << rows << " rows:\n";
    for (std::size_t i = 0; i + 1 < sequence.size(); ++i) print_shard_range(sequence[i], 1);
    std::cout << "can be compacted into acceptor shard range:\n";
    print_shard_range(sequence.back(), 1);
  }
  std::cout << "Total of " << sequences.size() << " shard sequences identified for compaction.\n"
            << "Once applied to the broker these changes will result in shard range compaction the "
               "next time the sharder runs.\n";
  if (!may_change(arguments)) return kShardToolQuit;
  store_compactions(broker, sequences, clock.timestamp());
  std::cout << "Updated " << sequences.size() << " shard sequences for compaction.\n"
            << "Run container-replicator to replicate the changes to other nodes.\n"
            << "Run container-sharder on all nodes to compact shards.\n";
  return kShardToolDone;
}

int ShardTool::repair_gaps() const {
  const std::vector<ShardRange> ranges = broker.shard_ranges();
  const std::vector<ShardGap> gaps = find_shard_gaps(ranges);
  if (gaps.empty()) {
    std::cout << "Found one complete sequence of " << ranges.size()
              << " shard ranges with no gaps.\nNo repairs necessary.\n";
    return kShardToolDone;
  }
  std::cout << "Found " << gaps.size() << " gaps:\n";
  std::map<std::string, ShardRange> expanding;
  std::int64_t solved = 0;
  for (const ShardGap& gap : gaps) {
    std::cout << "  gap: " << lower_repr(gap.lower) << " - " << upper_repr(gap.upper)
              << "\n    apparent gap contents:\n";
    ShardQuery within;
    within.marker = gap.lower;
    within.end_marker = gap.upper;
    within.include_deleted = true;
    for (const ShardRange& range : broker.shard_ranges(within)) print_shard_range(range, 3);
    const ShardRange* chosen = nullptr;
    if (!gap.behind.empty() && gap.behind.front().state == ShardRange::kActive) {
      chosen = &gap.behind.front();
    } else if (!gap.before.empty() && gap.before.back().state == ShardRange::kActive) {
      chosen = &gap.before.back();
    }
    if (chosen == nullptr) {
      std::cout << "Warning: cannot fix gap: non-ACTIVE neighbors\n";
      continue;
    }
    std::cout << "    gap can be fixed by expanding neighbor range:\n";
    print_shard_range(*chosen, 3);
    if (limits.max_expanding >= 0 && solved >= limits.max_expanding) continue;
    ++solved;
    ShardRange filled;
    filled.lower = gap.lower;
    filled.upper = gap.upper;
    expanding.try_emplace(chosen->name, *chosen).first->second.expand({filled});
  }
  std::vector<ShardRange> changed;
  const std::string now = clock.timestamp().internal();
  for (auto& [name, range] : expanding) {
    range.timestamp = now;
    changed.push_back(range);
  }
  std::sort(changed.begin(), changed.end(),
            [](const ShardRange& a, const ShardRange& b) { return a.lower < b.lower; });
  std::cout << "\nRepairs necessary to fill gaps.\n"
            << "The following expanded shard range(s) will be applied to the DB:\n";
  for (const ShardRange& range : changed) print_shard_range(range, 2);
  std::cout << "\nNothing else should change the shard ranges at the same time: stop sharders that "
               "shard by\nthemselves first.\n\n";
  if (!may_change(arguments)) return kShardToolQuit;
  broker.merge_shard_ranges(std::move(changed));
  std::cout << "Run container-replicator to replicate the changes to other nodes.\n"
            << "Run container-sharder on all nodes to fill gaps.\n";
  return kShardToolDone;
}

int ShardTool::repair_overlaps() const {
  const std::vector<ShardRange> ranges = broker.shard_ranges();
  if (ranges.empty()) {
    std::cout << "No shards found, nothing to do.\n";
    return kShardToolDone;
  }
  Solution solution;
  const int status = find_solution(ranges, broker.own_shard_range(), arguments.verbose, solution);
  if (status != kShardToolDone || solution.donors.empty()) return status;
  if (!may_change(arguments)) return kShardToolQuit;
  begin_shrinking(solution.donors, clock.timestamp());
  const std::size_t count = solution.donors.size();
  broker.merge_shard_ranges(std::move(solution.donors));
  std::cout << "Updated " << count << " donor shard ranges.\n"
            << "Run container-replicator to replicate the changes to other nodes.\n"
            << "Run container-sharder on all nodes to repair shards.\n";
  return kShardToolDone;
}

int ShardTool::repair() const {
  if (!broker.is_root()) {
    std::cout << "WARNING: Shard containers cannot be repaired.\n"
              << "This command should be used on a root container.\n";
    return kShardToolError;
  }
  return arguments.gaps ? repair_gaps() : repair_overlaps();
}

int analyze_shard_ranges(const ShardToolArguments& arguments) {
  const auto dicts = read_shard_data(arguments.path, {"lower", "upper", "object_count"});
  if (!dicts) return kShardToolBadArguments;
  std::vector<ShardRange> ranges;
  for (Json dict : *dicts) {
    if (dict.find("epoch") == nullptr) dict.set("epoch", Json());
    std::string why;
    auto range = ShardRange::from_json(dict, why);
    if (!range) {
      std::cerr << "Failed to load valid shard range data: " << why << "\n";
      return kShardToolBadArguments;
    }
    ranges.push_back(std::move(*range));
  }
  Solution solution;
  return find_solution(ranges, ShardRange(), arguments.verbose, solution);
}

}  // namespace apus
