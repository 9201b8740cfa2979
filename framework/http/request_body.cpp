#include "framework/http/request_body.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace apus::http {

BodyState::BodyState(Wire& wire, InBuffer& in, std::optional<std::uint64_t> length,
                     bool expect_continue, std::chrono::milliseconds patience)
    : wire_(&wire),
      in_(in),
      chunked_(!length),
      left_(length.value_or(0)),
      expect_continue_(expect_continue),
      patience_(patience) {}

bool BodyState::at_end() const { return chunked_ ? decoder_.done() : left_ == 0; }

std::optional<std::uint64_t> BodyState::left() const {
  if (chunked_) return std::nullopt;
  return left_;
}

void BodyState::fail(BodyError::Kind kind, const char* what) {
  failed_ = true;
  throw BodyError(kind, what);
}

void BodyState::send_continue() {
  expect_continue_ = false;
  const std::array<std::string_view, 3> answer = {"HTTP/1.1 100 Continue\r\n", continue_fields_,
                                                  "\r\n"};
  if (wire_->send(answer, patience_) != Wire::Status::kOk) {
    fail(BodyError::Kind::kDisconnect, "client went away before 100 Continue");
  }
}

void BodyState::continue_with(const Headers& fields) {
  continue_fields_.clear();
  for (const auto& [name, value] : fields) {
    continue_fields_.append(name).append(": ").append(value).append("\r\n");
  }
}

bool BodyState::next_body() {
  if (!chunked_ || !at_end() || wire_ == nullptr || failed_) return false;
  send_continue();
  decoder_ = ChunkDecoder();
  return true;
}

std::size_t BodyState::read(std::span<char> out) {
  if (at_end()) return 0;
  if (wire_ == nullptr || failed_) fail(BodyError::Kind::kDisconnect, "the connection is gone");
  if (expect_continue_) send_continue();
  return chunked_ ? read_chunked(out) : read_length(out);
}

std::size_t BodyState::receive(std::span<char> out) {
  const Wire::Got got = wire_->receive(out, Steady::now() + patience_);
  switch (got.status) {
    case Wire::Status::kOk:
      return got.count;
    case Wire::Status::kTimeout:
      fail(BodyError::Kind::kTimeout, "client sent nothing for too long");
    case Wire::Status::kEof:
    case Wire::Status::kError:
      break;
  }
  fail(BodyError::Kind::kDisconnect, "client closed within the body");
}

std::size_t BodyState::read_length(std::span<char> out) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_));
  std::size_t count = std::min(wanted, in_.view().size());
  if (count > 0) {
    std::memcpy(out.data(), in_.view().data(), count);
    in_.consume(count);
  } else {
    count = receive(out.first(wanted));
  }
  left_ -= count;
  return count;
}

std::size_t BodyState::read_chunked(std::span<char> out) {
  while (true) {
    if (in_.empty()) {
      // Chunk data goes straight to the caller; framing goes through the buffer.
      const auto direct =
          static_cast<std::size_t>(std::min<std::uint64_t>(decoder_.ready(), out.size()));
      if (direct >= 4096) {
        const std::size_t count = receive(out.first(direct));
        decoder_.took(count);
        return count;
      }
      in_.filled(receive(in_.room()));
    }
    const ChunkDecoder::Step step = decoder_.decode(in_.view(), out);
    in_.consume(step.consumed);
    if (step.produced > 0) return step.produced;
    if (decoder_.broken()) fail(BodyError::Kind::kMalformed, "broken chunked framing");
    if (decoder_.done()) return 0;
  }
}

}  // namespace apus::http
