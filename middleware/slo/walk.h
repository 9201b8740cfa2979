// The segments behind a range of a large object, through manifests within manifests.
#pragma once

#include <apus/segments.h>

#include <map>
#include <memory>
#include <vector>

#include "middleware/slo/rules.h"

namespace apus::slo {

using Segments = std::vector<SloSegment>;

/// Hands out one segment after the other. Manifests inside are fetched when their bytes are wanted;
/// the last few are kept. One thread at a time.
class Walk {
 public:
  /// `parent` is where token and context come from. `range` lies within the segments.
  Walk(const Request& parent, const App& next, const Rules& rules,
       std::shared_ptr<const Segments> segments, ByteRange range);

  /// Throws SegmentError when a manifest inside cannot be had or they nest too deep.
  std::optional<Segment> next();

 private:
  // Bytes still wanted, counted from the start of the segment at `at`.
  struct Frame {
    std::shared_ptr<const Segments> segments;
    std::size_t at = 0;
    std::int64_t first = 0;
    std::int64_t last = 0;
  };
  std::shared_ptr<const Segments> fetch(const std::string& name);

  Request parent_;
  const App& next_;
  const Rules& rules_;
  std::vector<Frame> stack_;
  std::map<std::string, std::shared_ptr<const Segments>> fetched_;
};

}  // namespace apus::slo
