#include "framework/sharding/shard_paths.h"

#include <apus/text.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace apus {
namespace {

constexpr std::size_t kMostPaths = 1000;

// A lower or upper bound among all of both kinds: the open lower one is the least, the open upper
// one the largest.
struct Node {
  bool last = false;
  std::string text;
  // NOLINTNEXTLINE(modernize-use-nullptr): what is compared with 0 here is no pointer
  auto operator<=>(const Node&) const = default;
};
Node lower_node(const ShardRange& range) { return {false, range.lower}; }
Node upper_node(const ShardRange& range) { return {range.upper.empty(), range.upper}; }

bool is_cleaved(const ShardRange& range) {
  return range.state == ShardRange::kCleaved || range.state == ShardRange::kActive;
}

// What makes one path better than another, the most important first.
using Rank = std::tuple<bool, Node, std::int64_t, std::int64_t, std::string>;
Rank rank_of(const ShardPath& path, const ShardRange& whole) {
  bool at_end = false;
  const std::string cleaved = cleaved_up_to(path, at_end);
  std::int64_t objects = 0;
  std::set<std::string> times;
  for (const ShardRange& range : path) {
    objects += range.object_count;
    times.insert(range.timestamp);
  }
  return {path_spans(path, whole), Node{at_end && cleaved.empty(), cleaved}, objects,
          -static_cast<std::int64_t>(times.size()), *times.rbegin()};
}

struct Stretch {
  Node begin;
  Node end;
  ShardPath path;
};

// Of the stretches that begin at `start` the one that reaches farthest, then of those that reach
// farther still the nearest. False when there is none of the second kind.
bool next_pair(const std::vector<Stretch>& all, const Node& start, const Stretch*& first,
               const Stretch*& second) {
  first = second = nullptr;
  for (const Stretch& one : all) {
    if (one.begin == start && (first == nullptr || first->end < one.end)) first = &one;
  }
  if (first == nullptr) return false;
  for (const Stretch& one : all) {
    if (one.end <= first->end) continue;
    if (second == nullptr || one.begin < second->begin ||
        (one.begin == second->begin && second->end < one.end))
      second = &one;
  }
  return second != nullptr;
}

}  // namespace

std::vector<ShardPath> find_shard_paths(const std::vector<ShardRange>& ranges) {
  std::map<Node, std::vector<const ShardRange*>> leaving;
  for (const ShardRange& range : ranges) {
    if (range.state != ShardRange::kShrinking) leaving[lower_node(range)].push_back(&range);
  }
  std::vector<std::vector<const ShardRange*>> paths;
  std::map<Node, std::vector<std::size_t>> arriving;
  for (const auto& [node, edges] : leaving) {
    std::vector<std::size_t>& here = arriving[node];
    if (here.empty()) {
      here.push_back(paths.size());
      paths.emplace_back();
    }
    // A range from a bound to itself leads back to this node: it ends there.
    const std::vector<std::size_t> arrived = here;
    for (const std::size_t path : arrived) {
      for (std::size_t i = 0; i + 1 < edges.size() && paths.size() < kMostPaths; ++i) {
        std::vector<const ShardRange*> branch = paths[path];
        branch.push_back(edges[i]);
        arriving[upper_node(*edges[i])].push_back(paths.size());
        paths.push_back(std::move(branch));
      }
      paths[path].push_back(edges.back());
      arriving[upper_node(*edges.back())].push_back(path);
    }
  }
  std::vector<ShardPath> out;
  for (const auto& path : paths) {
    ShardPath copy;
    for (const ShardRange* range : path) copy.push_back(*range);
    out.push_back(std::move(copy));
  }
  return out;
}

bool path_spans(const ShardPath& path, const ShardRange& whole) {
  return !path.empty() && path.front().lower <= whole.lower &&
         !upper_less(path.back().upper, whole.upper);
}

std::string cleaved_up_to(const ShardPath& path, bool& at_end) {
  at_end = false;
  for (const ShardRange& range : path) {
    if (!is_cleaved(range)) return range.lower;
  }
  at_end = !path.empty();
  return path.empty() ? std::string() : path.back().upper;
}

void rank_shard_paths(std::vector<ShardPath>& paths, const ShardRange& whole) {
  std::stable_sort(paths.begin(), paths.end(), [&](const ShardPath& a, const ShardPath& b) {
    return rank_of(b, whole) < rank_of(a, whole);
  });
}

std::vector<ShardGap> find_shard_gaps(const std::vector<ShardRange>& ranges) {
  std::vector<Stretch> all;
  for (ShardPath& path : find_shard_paths(ranges)) {
    Node begin = lower_node(path.front());
    Node end = upper_node(path.back());
    all.push_back({std::move(begin), std::move(end), std::move(path)});
  }
  const Node least{false, ""};
  const Node most{true, ""};
  all.push_back({least, least, {}});
  all.push_back({most, most, {}});
  std::vector<ShardGap> out;
  Node start = least;
  const Stretch* first = nullptr;
  const Stretch* second = nullptr;
  while (next_pair(all, start, first, second)) {
    start = second->begin;
    if (first->end <= second->begin)
      out.push_back({first->end.text, second->begin.text, first->path, second->path});
  }
  return out;
}

std::vector<std::vector<ShardRange>> find_shard_overlaps(const std::vector<ShardRange>& ranges) {
  std::set<std::vector<std::string>> seen;
  std::vector<std::vector<ShardRange>> out;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    std::vector<ShardRange> group;
    for (std::size_t j = i + 1; j < ranges.size(); ++j) {
      if (ranges[j].name != ranges[i].name && ranges[i].overlaps(ranges[j]))
        group.push_back(ranges[j]);
    }
    if (group.empty()) continue;
    group.push_back(ranges[i]);
    std::sort(group.begin(), group.end(), shard_order);
    std::vector<std::string> names;
    names.reserve(group.size());
    for (const ShardRange& range : group) names.push_back(range.name);
    if (seen.insert(std::move(names)).second) out.push_back(std::move(group));
  }
  return out;
}

std::vector<std::string> not_contiguous(const ShardRange& own,
                                        const std::vector<ShardRange>& ranges) {
  if (ranges.empty()) return {"No shard ranges."};
  std::vector<std::string> out;
  const auto compare = [&](const std::string& a, const std::string& b) {
    if (a != b) out.push_back(a + " != " + b);
  };
  compare(own.lower, ranges.front().lower);
  compare(own.upper, ranges.back().upper);
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    const std::string& end = ranges[i - 1].upper;
    // An open end is no start, though both are empty texts.
    if (end.empty() || end != ranges[i].lower) out.push_back(end + " != " + ranges[i].lower);
  }
  return out;
}

std::string lower_repr(const std::string& bound) {
  return bound.empty() ? "MinBound" : python_repr(bound);
}
std::string upper_repr(const std::string& bound) {
  return bound.empty() ? "MaxBound" : python_repr(bound);
}

}  // namespace apus
