#include <cstring>

#include "framework/http/head.h"

namespace apus::http {

HeadScanner::State HeadScanner::refuse(int status) {
  status_ = status;
  return State::kRefused;
}

HeadScanner::State HeadScanner::end_line(std::string_view line, const HeadLimits& limits) {
  if (line.empty()) return lines_ == 0 ? refuse(400) : State::kComplete;
  if (lines_ == 0) {
    if (line.size() > limits.request_line) return refuse(414);
  } else {
    total_ += line.size() + 2;
    if (line.size() > limits.header_line || lines_ > limits.header_count || total_ > limits.total) {
      return refuse(400);
    }
  }
  ++lines_;
  return State::kMore;
}

HeadScanner::State HeadScanner::feed(std::string_view bytes, const HeadLimits& limits) {
  if (status_ != 0) return State::kRefused;
  while (at_ < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at_, '\n', bytes.size() - at_);
    if (found == nullptr) {
      at_ = bytes.size();
      break;
    }
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    if (end == line_start_ || bytes[end - 1] != '\r') return refuse(400);
    const std::string_view line = bytes.substr(line_start_, end - 1 - line_start_);
    at_ = end + 1;
    line_start_ = at_;
    const State state = end_line(line, limits);
    if (state != State::kMore) return state;
  }
  // One byte more than the limit may be the CR of a line that fits.
  const std::size_t open = at_ - line_start_;
  if (lines_ == 0 && open > limits.request_line + 1) return refuse(414);
  if (lines_ > 0 && (open > limits.header_line + 1 || total_ + open > limits.total + 1)) {
    return refuse(400);
  }
  return State::kMore;
}

}  // namespace apus::http
