// Bytes between a socket and the parsers.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace apus::http {

/// Bytes that came in and were not used yet. Its memory is given back while the connection sleeps.
class InBuffer {
 public:
  [[nodiscard]] std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  void consume(std::size_t count) { begin_ += count; }
  /// Room for at least one byte at the end; the buffer grows up to twice its size when it is full.
  std::span<char> room();
  void filled(std::size_t count) { end_ += count; }
  /// Frees the memory when nothing is in it.
  void rest();

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace apus::http
