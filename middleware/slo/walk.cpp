#include "middleware/slo/walk.h"

#include <algorithm>

namespace apus::slo {
namespace {

constexpr std::size_t kDeepest = 10;
constexpr std::size_t kKept = 20;
}  // namespace

Walk::Walk(const Request& parent, const App& next, const Rules& rules,
           std::shared_ptr<const Segments> segments, ByteRange range)
    : parent_(copy_head(parent)), next_(next), rules_(rules) {
  stack_.push_back({std::move(segments), 0, static_cast<std::int64_t>(range.first),
                    static_cast<std::int64_t>(range.last)});
}

std::optional<Segment> Walk::next() {
  while (!stack_.empty()) {
    Frame& frame = stack_.back();
    if (frame.at == frame.segments->size() || frame.last < 0) {
      stack_.pop_back();
      continue;
    }
    const SloSegment& segment = (*frame.segments)[frame.at++];
    const auto length = static_cast<std::int64_t>(segment.length());
    const std::int64_t first = std::max<std::int64_t>(0, frame.first);
    const std::int64_t last = std::min(length - 1, frame.last);
    const bool wanted = frame.first < length;
    frame.first -= length;
    frame.last -= length;
    if (!wanted) continue;
    const auto shift = static_cast<std::int64_t>(segment.range ? segment.range->first : 0);
    if (segment.sub_slo) {
      if (stack_.size() >= kDeepest) {
        throw SegmentError("While processing manifest " + quote(parent_.path) +
                           ", max recursion depth was exceeded");
      }
      stack_.push_back({fetch(segment.name), 0, first + shift, last + shift});
      continue;
    }
    Segment out;
    if (segment.name.empty()) {
      out.data = segment.data;
    } else {
      out.path = object_path(parent_.path, segment.name);
      out.etag = segment.hash;
      out.size = segment.bytes;
      out.limited = segment.bytes < rules_.rate_limit_under_size;
    }
    out.first = static_cast<std::uint64_t>(first + shift);
    out.last = static_cast<std::uint64_t>(last + shift);
    return out;
  }
  return std::nullopt;
}

std::shared_ptr<const Segments> Walk::fetch(const std::string& name) {
  if (const auto at = fetched_.find(name); at != fetched_.end()) return at->second;
  Request get =
      make_part_request(parent_, "GET", object_path(parent_.path, name), kSource, kGetAgent);
  Response found = next_(get);
  const std::string what =
      "while fetching " + quote(parent_.path) + ", GET of submanifest " + quote(get.path) + " ";
  if (!found.is_success())
    throw SegmentError(what + "failed with status " + std::to_string(found.status));
  std::optional<Segments> segments;
  try {
    segments = parse_slo_manifest(read_all(found.body.get(), kLargestManifest));
  } catch (const BodyError& error) {
    throw SegmentError(what + "failed: " + error.what());
  }
  if (!segments) throw SegmentError(what + "gave no manifest");
  if (fetched_.size() >= kKept) fetched_.erase(fetched_.begin());
  return fetched_[name] = std::make_shared<const Segments>(std::move(*segments));
}

}  // namespace apus::slo
