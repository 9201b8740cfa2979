// The body of a request, pulled from its connection.
#pragma once

#include <apus/headers.h>
#include <apus/source.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "framework/http/chunked.h"
#include "framework/http/wire.h"

namespace apus::http {

/// What is left of a request's body on the wire. Shared by the connection and the Source it hands
/// to the App, for the App may keep the Source longer than the connection lives.
class BodyState {
 public:
  BodyState(Wire& wire, InBuffer& in, std::optional<std::uint64_t> length, bool expect_continue,
            std::chrono::milliseconds patience);

  /// As Source::read. The first call sends "100 Continue" when the client waits for it.
  std::size_t read(std::span<char> out);
  /// As Source::continue_with.
  void continue_with(const Headers& fields);
  /// As Source::next_body.
  bool next_body();
  /// Nothing of it is left on the wire.
  [[nodiscard]] bool at_end() const;
  /// The client still waits to be told whether it shall send.
  [[nodiscard]] bool held_back() const { return expect_continue_; }
  /// Nothing more can be read: the framing or the connection is broken.
  [[nodiscard]] bool failed() const { return failed_; }
  /// Bytes left, when that is known.
  [[nodiscard]] std::optional<std::uint64_t> left() const;
  /// The connection goes on without it; reading it from now on is a disconnect.
  void detach() { wire_ = nullptr; }

 private:
  std::size_t read_length(std::span<char> out);
  std::size_t read_chunked(std::span<char> out);
  std::size_t receive(std::span<char> out);
  [[noreturn]] void fail(BodyError::Kind kind, const char* what);
  void send_continue();

  Wire* wire_;
  InBuffer& in_;
  bool chunked_;
  std::uint64_t left_ = 0;
  ChunkDecoder decoder_;
  bool expect_continue_;
  std::string continue_fields_;  ///< lines of the interim answer, each with its end
  bool failed_ = false;
  std::chrono::milliseconds patience_;
};

class RequestBody final : public Source {
 public:
  explicit RequestBody(std::shared_ptr<BodyState> state) : state_(std::move(state)) {}
  std::size_t read(std::span<char> out) override { return state_->read(out); }
  void continue_with(const Headers& fields) override { state_->continue_with(fields); }
  bool next_body() override { return state_->next_body(); }

 private:
  std::shared_ptr<BodyState> state_;
};

}  // namespace apus::http
