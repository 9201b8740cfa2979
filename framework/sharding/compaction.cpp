#include "framework/sharding/compaction.h"

#include <algorithm>

namespace apus {
namespace {

bool is_small(const ShardRange& range, const CompactionLimits& limits) {
  return (range.state == ShardRange::kActive || range.state == ShardRange::kShrinking) &&
         range.row_count() < limits.shrink_threshold && range.row_count() <= limits.expansion_limit;
}

std::int64_t rows_of(const ShardSequence& sequence) {
  std::int64_t out = 0;
  for (const ShardRange& range : sequence) out += range.row_count();
  return out;
}

// Nothing may be added: the last one is the acceptor.
bool is_full(const ShardSequence& sequence, const CompactionLimits& limits) {
  const auto size = static_cast<std::int64_t>(sequence.size());
  return !is_small(sequence.back(), limits) ||
         (limits.max_shrinking > 0 && limits.max_shrinking < size) ||
         rows_of(sequence) >= limits.expansion_limit;
}

// The longest run of neighbors from `at` on that may become one.
ShardSequence run_from(const std::vector<ShardRange>& ranges, std::size_t at,
                       const CompactionLimits& limits) {
  ShardSequence out = {ranges[at]};
  for (std::size_t i = at + 1; i < ranges.size(); ++i) {
    const ShardRange& next = ranges[i];
    const std::string& end = out.back().upper;
    if (!end.empty() && end < next.lower) break;  // a gap
    if (next.state == ShardRange::kShrinking) {
      out.push_back(next);
      continue;
    }
    if (next.state != ShardRange::kActive ||
        rows_of(out) + next.row_count() > limits.expansion_limit)
      break;
    out.push_back(next);
    if (is_full(out, limits)) break;
  }
  return out;
}

bool has_acceptor(const ShardSequence& sequence) {
  return sequence.size() > 1 && (sequence.back().state == ShardRange::kActive ||
                                 sequence.back().state == ShardRange::kSharded);
}

}  // namespace

std::vector<ShardSequence> find_compactible_sequences(ContainerBroker& root,
                                                      const CompactionLimits& limits,
                                                      bool with_shrinking) {
  const std::vector<ShardRange> ranges = root.shard_ranges();
  const ShardRange own = root.measured(root.own_shard_range());
  std::vector<ShardSequence> out;
  std::int64_t expanding = 0;
  std::size_t at = 0;
  while (at < ranges.size() && (limits.max_expanding < 0 || expanding < limits.max_expanding)) {
    if (!is_small(ranges[at], limits)) {
      ++at;
      continue;
    }
    ShardSequence sequence = run_from(ranges, at, limits);
    at += sequence.size();
    // All of them are small enough to go back into the root.
    if (sequence.size() == ranges.size() && !is_full(sequence, limits) &&
        sequence.front().lower <= own.lower && !upper_less(sequence.back().upper, own.upper))
      sequence.push_back(own);
    if (!has_acceptor(sequence)) continue;
    ++expanding;
    const bool shrinking =
        std::any_of(sequence.begin(), sequence.end(),
                    [](const ShardRange& range) { return range.state == ShardRange::kShrinking; });
    if (!shrinking || with_shrinking) out.push_back(std::move(sequence));
  }
  return out;
}

void begin_shrinking(std::vector<ShardRange>& donors, const Timestamp& now) {
  for (ShardRange& donor : donors) {
    if (donor.update_state(ShardRange::kShrinking))
      donor.epoch = donor.state_timestamp = now.internal();
  }
}

void store_compactions(ContainerBroker& root, std::vector<ShardSequence>& sequences,
                       const Timestamp& now) {
  std::vector<ShardRange> changed;
  for (ShardSequence& sequence : sequences) {
    ShardRange acceptor = std::move(sequence.back());
    sequence.pop_back();
    // Wide enough that what comes from the donors is not out of place there.
    if (acceptor.expand(sequence)) acceptor.timestamp = now.internal();
    if (acceptor.update_state(ShardRange::kActive)) acceptor.state_timestamp = now.internal();
    begin_shrinking(sequence, now);
    sequence.push_back(std::move(acceptor));
    changed.insert(changed.end(), sequence.begin(), sequence.end());
  }
  root.merge_shard_ranges(std::move(changed));
}

}  // namespace apus
