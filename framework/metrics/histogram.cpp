#include "framework/metrics/histogram.h"

#include <algorithm>

#include "framework/metrics/number.h"

namespace apus {

void Histogram::add(double seconds) {
  const auto* at = std::lower_bound(kBucketSeconds.begin(), kBucketSeconds.end(), seconds);
  counts_[static_cast<std::size_t>(at - kBucketSeconds.begin())].fetch_add(
      1, std::memory_order_relaxed);
  if (seconds > 0) {
    nanoseconds_.fetch_add(static_cast<std::uint64_t>(seconds * 1e9), std::memory_order_relaxed);
  }
}

void Histogram::append_to(std::string& out, std::string_view name, std::string_view labels) const {
  const auto line = [&](std::string_view tail, const std::string& all_labels,
                        const std::string& value) {
    out.append(name).append(tail);
    if (!all_labels.empty()) out.append("{").append(all_labels).append("}");
    out.append(" ").append(value).append("\n");
  };
  const std::string own(labels);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    count += counts_[i].load(std::memory_order_relaxed);
    const std::string bound =
        i < kBucketSeconds.size() ? number_text(kBucketSeconds[i]) : std::string("+Inf");
    line("_bucket", own + (own.empty() ? "" : ",") + "le=\"" + bound + "\"", std::to_string(count));
  }
  line("_sum", own,
       number_text(static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9));
  line("_count", own, std::to_string(count));
}

}  // namespace apus
