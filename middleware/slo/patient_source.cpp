#include "middleware/slo/patient_source.h"

#include <algorithm>
#include <utility>

namespace apus::slo {

Work::~Work() = default;

PatientSource::PatientSource(std::unique_ptr<Work> work, const Rules& rules, std::string blank,
                             bool at_once)
    : work_(std::move(work)),
      rules_(rules),
      blank_(std::move(blank)),
      at_once_(at_once),
      last_(rules.host.clock().now()) {}
PatientSource::~PatientSource() = default;

std::size_t PatientSource::read(std::span<char> out) {
  if (text_.empty() && work_) go_on();
  const std::size_t size = std::min(out.size(), text_.size());
  text_.copy(out.data(), size);
  text_.erase(0, size);
  return size;
}

void PatientSource::go_on() {
  const auto send_blank = [this] { text_ = std::exchange(begun_, true) ? " " : blank_; };
  if (std::exchange(at_once_, false)) return send_blank();
  while (work_->step()) {
    const double now = rules_.host.clock().now();
    if (now - last_ <= rules_.yield_frequency) continue;
    last_ = now;
    return send_blank();
  }
  text_ = (begun_ ? "\r\n\r\n" : "") + work_->finish_as_text();
  work_.reset();
}

}  // namespace apus::slo
