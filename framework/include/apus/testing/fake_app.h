// An App that answers what a test registered, and keeps what it was asked and how its answers were
// used.
#pragma once

#include <apus/app.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apus::testing {

/// An App made of a function.
class FunctionApp final : public App {
 public:
  using Function = std::function<Response(Request&)>;
  explicit FunctionApp(Function function);
  ~FunctionApp() override;
  Response operator()(Request& request) const override;

 private:
  Function function_;
};

/// One request that reached the app.
struct FakeCall {
  std::string method;
  std::string path;  ///< decoded
  Query query;
  Headers headers;
  Headers internal;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  std::optional<std::string> body;  ///< nothing = there was none, or it was not read
  Headers footers;                  ///< what Context::update_footers added at the body's end
  Context context;

  /// "GET /v1/a/c?format=json", the query encoded anew.
  [[nodiscard]] std::string line() const;
};

/// What to answer.
struct FakeAnswer {
  int status = 200;
  Headers headers = {};
  std::string body = {};
  Headers internal = {};
  std::size_t piece = 0;  ///< most bytes one read of the body gives; 0 = as many as fit
};

/// Answers by method and target. Targets are decoded paths, with "?query" where the query matters:
/// "/v1/a/c?x=y" is looked for first, then "/v1/a/c". A HEAD without an answer of its own gets
/// GET's, without the body. A request for which nothing was registered throws std::logic_error that
/// names it. Request bodies are read to their end; a BodyError passes through, as in the proxy.
/// Thread-safe once the answers are registered. May go before the bodies it answered with.
class FakeApp final : public App {
 public:
  using Function = FunctionApp::Function;

  FakeApp();
  ~FakeApp() override;

  /// The answer to every such request; replaces an earlier one. A function gets the request with
  /// its body read (`body` is then null).
  FakeApp& on(std::string_view method, std::string_view target, FakeAnswer answer);
  FakeApp& on(std::string_view method, std::string_view target, Function answer);
  /// The answer to the next such request only; several stand in line, before that of `on`.
  FakeApp& once(std::string_view method, std::string_view target, FakeAnswer answer);
  FakeApp& once(std::string_view method, std::string_view target, Function answer);
  /// An object: GET and HEAD with ranges and preconditions. ETag (MD5), Last-Modified and
  /// Content-Type are added where `headers` has none.
  FakeApp& object(std::string_view path, std::string body, Headers headers = {});
  /// The answer to whatever else is asked.
  FakeApp& otherwise(FakeAnswer answer);
  FakeApp& otherwise(Function answer);
  /// From now on request bodies are left to the function that answers, or unread.
  FakeApp& leave_bodies();

  Response operator()(Request& request) const override;

  [[nodiscard]] std::vector<FakeCall> calls() const;
  /// The last one; throws std::logic_error when there was none.
  [[nodiscard]] FakeCall last() const;
  /// FakeCall::line of each.
  [[nodiscard]] std::vector<std::string> lines() const;
  void clear_calls();

  /// Lines of the requests whose answer's body was closed before its end.
  [[nodiscard]] std::vector<std::string> unread_bodies() const;
  /// Lines of the requests whose answer's body is still open.
  [[nodiscard]] std::vector<std::string> open_bodies() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace apus::testing
