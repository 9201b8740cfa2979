// One request and its answer, driven by poll: several of them can go on in one thread.
#pragma once

#include <apus/transport.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/http/head.h"
#include "framework/transport/http_connection.h"

namespace apus::http {

/// The head that goes out for a call. Throws TransportError kMalformed when a field holds what
/// would end its line.
APUS_API std::string build_request_head(const Call& call, bool has_body, bool expect);

/// How the body of a request is framed.
enum class BodyFraming : std::uint8_t { kNone, kLength, kChunked };

class Exchange {
 public:
  Exchange(Call call, const Deadlines& deadlines, std::shared_ptr<ConnectionPool> pool,
           BodyFraming framing);
  /// With all of a body, which must live until this is done; content_length is its size. It goes
  /// out with the head, but on a new connection only after "100 Continue".
  Exchange(Call call, const Deadlines& deadlines, std::shared_ptr<ConnectionPool> pool,
           std::string_view whole_body);

  /// Connects or takes a pooled connection, and sends what the socket takes.
  void start();
  /// Something has to come or go before the caller can go on: poll `fd` for `events`, then
  /// `advance`.
  [[nodiscard]] bool busy() const { return phase_ != Phase::kReady && phase_ != Phase::kDone; }
  [[nodiscard]] bool takes_body() const { return phase_ == Phase::kReady; }
  /// Whether the server is awake is not known yet.
  [[nodiscard]] bool asking() const { return asks_ && busy() && !body_begun_; }
  [[nodiscard]] bool done() const { return phase_ == Phase::kDone; }
  [[nodiscard]] int fd() const { return connection_->fd(); }
  [[nodiscard]] short events() const;
  [[nodiscard]] Steady::time_point deadline() const { return deadline_; }
  void advance();
  /// The deadline has passed.
  void time_out();
  /// Starts to send a piece of the body; the bytes must live until it is no longer busy.
  void send_piece(std::span<const char> bytes);
  /// Ends the body and waits for the answer.
  void end_body();
  [[nodiscard]] bool succeeded() const {
    return outcome_.response && outcome_.response->is_success();
  }
  /// Valid once, when done.
  Outcome take_outcome() { return std::move(outcome_); }
  /// The body of the call itself; null when it has none.
  [[nodiscard]] Source* body() { return call_.request.body.get(); }

 private:
  enum class Phase : std::uint8_t {
    kConnecting,
    kHead,      // sending the head
    kContinue,  // waiting for 100 or an early answer
    kReady,     // the server waits for the body
    kPiece,     // sending a piece
    kAnswer,    // waiting for the final answer
    kDone
  };

  void connect(bool fresh);
  void send_some();
  void sent_all();
  void receive_some();
  void read_heads();
  [[nodiscard]] bool takes_footers(const ResponseHead& head) const;
  void finish_head(const ResponseHead& head);
  void lost(const char* what);
  void fail(TransportError::Kind kind, const std::string& what);
  void enter(Phase phase);

  Call call_;
  Deadlines deadlines_;
  std::shared_ptr<ConnectionPool> pool_;
  BodyFraming framing_;
  std::unique_ptr<ClientConnection> connection_;
  Phase phase_ = Phase::kConnecting;
  Steady::time_point deadline_ = Steady::time_point::max();
  std::string head_;
  std::string_view body_here_;  // all of it, when body_whole_ from the beginning
  bool asks_ = false;           // the head says "Expect: 100-continue"
  std::string chunk_head_;
  std::array<std::string_view, 3> out_;  // what is still to be sent
  HeadScanner scanner_;
  std::uint64_t body_left_ = 0;
  int informational_ = 0;
  bool answered_ = false;  // a byte of an answer came
  bool body_begun_ = false;
  bool body_whole_ = false;
  Outcome outcome_;
};

using Enough = std::function<bool(const std::vector<std::optional<Outcome>>&)>;

/// One round of waiting, at most until `limit`. False when nobody is busy. Null entries are
/// skipped.
bool step(std::span<const std::unique_ptr<Exchange>> exchanges, Steady::time_point limit);
/// Goes on with all of them until none is busy.
void drive(std::span<const std::unique_ptr<Exchange>> exchanges);
/// Goes on until all are done, or `enough` and the stragglers had their time.
std::vector<Outcome> collect(std::span<const std::unique_ptr<Exchange>> exchanges,
                             const Enough& enough, std::chrono::milliseconds straggler);

}  // namespace apus::http
