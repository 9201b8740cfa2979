// How one server speaks to another: over HTTP, or by a plain call when the other is in this
// process.
#pragma once

#include <apus/abi.h>
#include <apus/message.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

struct Endpoint {
  std::string ip;
  int port = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// Why no answer came from a back end.
class APUS_API TransportError : public std::runtime_error {
 public:
  enum class Kind {
    kConnect,    ///< refused, unreachable, or not connected in time
    kTimeout,    ///< connected, but silent for too long
    kReset,      ///< closed in the middle
    kMalformed,  ///< the answer is not HTTP
    kLeft,       ///< not waited for any longer: enough others had answered
  };
  TransportError(Kind kind, const std::string& what);
  ~TransportError() override;
  [[nodiscard]] Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// Waiting times of one call; zero = for ever.
struct Deadlines {
  std::chrono::milliseconds connect{500};
  std::chrono::milliseconds response{10000};  ///< until the head, and between reads of the body
};

/// An answer, or why there is none. A request's body source is never closed by the transport before
/// the outcome is there.
struct Outcome {
  std::optional<Response> response;
  std::optional<TransportError> error;  ///< set when `response` is not
};

/// One request for one server. `request` was built from typed fields; `headers` and `internal` both
/// cross the wire. `path` is decoded ("/sda1/123/AUTH_a/c/o").
struct Call {
  Endpoint endpoint;
  Request request;
};

/// One body on its way to several servers. Destroying it unfinished aborts what is under way.
class APUS_API Upload {
 public:
  Upload() = default;
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;
  virtual ~Upload();

  /// Connects to all at once, sends the heads with "Expect: 100-continue" and waits for each. Per
  /// call, in order: nothing = it waits for the body and is copy number `first + i`; else its final
  /// outcome. May be called again (handoffs) before the first `write`.
  virtual std::vector<std::optional<Outcome>> open(std::vector<Call> calls) = 0;
  /// For a short body that is here already, of at least a byte, instead of `open` and `write`. A
  /// server that is known to be awake gets it together with the head; any other is asked first, and
  /// this waits for its "100 Continue". Every outcome comes from `finish`, until which `body` must
  /// live; what was sent may be stored without it. No footers.
  virtual void send_whole(std::vector<Call> calls, std::string_view body) = 0;
  /// Number of copies that still take the body.
  [[nodiscard]] virtual std::size_t alive() const = 0;
  /// Sends the bytes to every living copy; a copy that fails or stalls is dropped and keeps its
  /// outcome for `finish`.
  virtual void write(std::span<const char> bytes) = 0;
  /// Ends the body and collects one outcome per opened copy, in order. Once `enough(outcomes so
  /// far)` holds it waits only `straggler` more; who did not answer by then has a kLeft outcome.
  virtual std::vector<Outcome> finish(
      const std::function<bool(const std::vector<std::optional<Outcome>>&)>& enough,
      std::chrono::milliseconds straggler) = 0;
};

/// Calls without bodies under way at once, all driven by the thread that waits. Destroying it gives
/// up those that have no outcome yet. One thread at a time.
class APUS_API Volley {
 public:
  struct Done {
    std::size_t number = 0;
    Outcome outcome;
  };

  Volley() = default;
  Volley(const Volley&) = delete;
  Volley& operator=(const Volley&) = delete;
  virtual ~Volley();

  /// Sends one more call; calls are numbered from 0.
  virtual std::size_t add(Call call) = 0;
  [[nodiscard]] virtual std::size_t under_way() const = 0;
  /// The next outcome. Nothing when no call is under way, or when `longest` passed before one came
  /// (without `longest` each call's own deadlines hold).
  virtual std::optional<Done> wait(std::optional<std::chrono::milliseconds> longest) = 0;
};

/// Thread-safe; calls block the calling thread only.
class APUS_API Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport();

  /// Sends one request, its body (if any) pulled by this thread, and returns when the answer's head
  /// is there; the answer's body streams. Over HTTP a body is announced with "Expect: 100-continue"
  /// and not sent when the final answer comes first.
  virtual Outcome call(Call call, const Deadlines& deadlines) = 0;
  /// Several requests without bodies at once, from one thread. Stops waiting like Upload::finish.
  virtual std::vector<Outcome> gather(
      std::vector<Call> calls, const Deadlines& deadlines,
      const std::function<bool(const std::vector<std::optional<Outcome>>&)>& enough,
      std::chrono::milliseconds straggler) = 0;
  /// A request of the upload may have `Context::update_footers`: it is called once the body ended,
  /// and what it adds reaches every copy before it is stored.
  virtual std::unique_ptr<Upload> upload(const Deadlines& deadlines) = 0;
  /// Without an own implementation: one call after the other.
  virtual std::unique_ptr<Volley> volley(const Deadlines& deadlines);
};

}  // namespace apus
