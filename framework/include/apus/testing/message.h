// Requests and bodies as tests write them.
#pragma once

#include <apus/message.h>

#include <optional>
#include <string>
#include <string_view>

namespace apus::testing {

/// A client's request as the host would make it. `target` is as on the wire: percent-encoded, with
/// "?query". With `body` it has that body and its length.
Request make_request(std::string method, std::string_view target, Headers headers = {},
                     std::optional<std::string> body = std::nullopt);

/// The rest of an answer's body, at most 1 GiB.
std::string body_of(Response& response);

/// Bytes that come in pieces, and then an end or a failure.
class PieceSource final : public Source {
 public:
  /// A read gives at most `piece` bytes; 0 = as many as fit.
  explicit PieceSource(std::string bytes, std::size_t piece = 0,
                       std::optional<BodyError::Kind> failure = std::nullopt);
  ~PieceSource() override;
  std::size_t read(std::span<char> out) override;

 private:
  std::string bytes_;
  std::size_t piece_;
  std::optional<BodyError::Kind> failure_;
  std::size_t at_ = 0;
};

}  // namespace apus::testing
