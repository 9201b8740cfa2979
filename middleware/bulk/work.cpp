#include "middleware/bulk/work.h"

#include <algorithm>

namespace apus::bulk {

WorkSource::WorkSource(Clock& clock, std::chrono::seconds pause,
                       std::optional<ListingFormat> format, std::string_view root)
    : clock_(clock), pause_(pause), format_(format), root_(root), last_(clock.steady()) {}
WorkSource::~WorkSource() = default;

std::size_t WorkSource::read(std::span<char> out) {
  while (ready_.empty() && !done_) {
    if (!step()) {
      done_ = true;
      ready_ = (told_ ? "\r\n\r\n" : "") + report.text(format_, root_);
    } else if (clock_.steady() > last_ + pause_) {
      last_ = clock_.steady();
      const bool xml = format_ == ListingFormat::kXml || format_ == ListingFormat::kTextXml;
      ready_ = xml && !told_ ? "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" : " ";
      told_ = true;
    }
  }
  const std::size_t count = std::min(out.size(), ready_.size());
  std::copy_n(ready_.data(), count, out.data());
  ready_.erase(0, count);
  return count;
}

}  // namespace apus::bulk
