// Shard ranges as ways through all names: which of them lead on without a gap, and what they miss.
#pragma once

#include <string>
#include <vector>

#include "framework/store/db/shard_range.h"

namespace apus {

/// Ranges one behind the other: each begins where the one before ends.
using ShardPath = std::vector<ShardRange>;

/// All paths that go as far as they can, without shrinking ranges. Their number is bounded: of a
/// hopelessly tangled table, at most 1000 are followed.
APUS_API std::vector<ShardPath> find_shard_paths(const std::vector<ShardRange>& ranges);

/// The best first: those that span `whole`, then those most of which is cleaved, then those with
/// most objects, fewest timestamps and the newest one.
APUS_API void rank_shard_paths(std::vector<ShardPath>& paths, const ShardRange& whole);

/// Whether a path begins no later than `whole`, and ends no earlier.
APUS_API bool path_spans(const ShardPath& path, const ShardRange& whole);

/// Lower bound of the first range of the path that is neither cleaved nor active. `at_end` is set
/// when all are; the bound is the upper one of the last range then.
APUS_API std::string cleaved_up_to(const ShardPath& path, bool& at_end);

/// Names that no path reaches, with the paths at both sides (empty = the start or end of all
/// names).
struct ShardGap {
  std::string lower;
  std::string upper;
  ShardPath before;
  ShardPath behind;
};
/// In order of the names; paths and gaps together span everything.
APUS_API std::vector<ShardGap> find_shard_gaps(const std::vector<ShardRange>& ranges);

/// Groups of ranges that share names; each in shard_order, each group once.
APUS_API std::vector<std::vector<ShardRange>> find_shard_overlaps(
    const std::vector<ShardRange>& ranges);

/// What keeps `ranges` (in order) from covering `own` exactly, one after the other; empty when they
/// do.
APUS_API std::vector<std::string> not_contiguous(const ShardRange& own,
                                                 const std::vector<ShardRange>& ranges);

/// A bound as Swift's tools print it: in Python's quotes, MinBound or MaxBound for none.
APUS_API std::string lower_repr(const std::string& bound);
APUS_API std::string upper_repr(const std::string& bound);

}  // namespace apus
