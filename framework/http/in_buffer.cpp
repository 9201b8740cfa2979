#include "framework/http/in_buffer.h"

#include <cstring>

namespace apus::http {

constexpr std::size_t kFirstSize = 16384;

std::span<char> InBuffer::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == size_ && begin_ > 0) {
    std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == size_) {
    const std::size_t size = size_ == 0 ? kFirstSize : size_ * 2;
    std::unique_ptr<char[]> larger(new char[size]);
    if (end_ > 0) std::memcpy(larger.get(), data_.get(), end_);
    data_ = std::move(larger);
    size_ = size;
  }
  return {data_.get() + end_, size_ - end_};
}

void InBuffer::rest() {
  if (!empty()) return;
  data_.reset();
  size_ = begin_ = end_ = 0;
}

}  // namespace apus::http
