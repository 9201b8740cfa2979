// The contract of <apus/app.h> and <apus/message.h> as a program: put around an App it watches
// every request, answer and body that passes.
#pragma once

#include <apus/app.h>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace apus::testing {

/// A promise of the contract was broken; the text says where and which.
class LintError : public std::logic_error {
 public:
  explicit LintError(const std::string& what);
  ~LintError() override;
};

/// What several Lints around one filter found and not told yet. Thread-safe.
class LintReport {
 public:
  void add(std::string problem);
  /// Throws LintError with everything found so far, which is then forgotten.
  void raise_if_any();
  [[nodiscard]] std::vector<std::string> problems() const;

  /// Internal names that came in with a client's headers: what is below may still see them.
  void allow_internal(const Headers& headers);
  [[nodiscard]] bool allows_internal(std::string_view name) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> problems_;
  std::vector<std::string> internal_names_;
};

/// An App in a glass house. What it checks:
///
/// Requests: the method is a token; the path starts with '/'; names are spelled by title_case and
/// names and values hold nothing that would break a head (CR, LF, NUL, blanks in names); `headers`
/// has no internal name, unless the client sent it; `internal` has no other; a body is announced by
/// a length or as chunked, not both, and a length above 0 has a body.
///
/// Answers: a status from 200 to 599; a one-line reason; names and values as above; no internal
/// name in `headers`, no other in `internal`; none of the host's own fields (Content-Length, Date,
/// Connection, Keep-Alive, Transfer-Encoding); 204 and 304 without a body, 204 without a length;
/// elsewhere no length above 0 without a body.
///
/// Bodies: as many bytes as announced; never more than asked for; after the end 0 again and again;
/// a file region is all of the rest; read by one thread at a time, with room for a byte, and not
/// after `sent`.
///
/// As the host does, it drops the body of an answer to HEAD: nobody reads it.
class Lint final : public App {
 public:
  enum class Mode {
    kRaise,   ///< throws LintError to the caller as soon as something is known
    kRecord,  ///< leaves it to another Lint with the same report: what lies between may catch all
  };

  /// `place` names the spot in messages ("above ratelimit"). Destroying a kRaise Lint whose report
  /// is not empty ends the process with the problems on stderr: they cannot go unseen.
  Lint(std::unique_ptr<const App> app, std::string place,
       std::shared_ptr<LintReport> report = std::make_shared<LintReport>(),
       Mode mode = Mode::kRaise);
  ~Lint() override;

  Response operator()(Request& request) const override;
  void foresee(const Request& request, ForeseenKeys& keys) const override {
    app_->foresee(request, keys);
  }

 private:
  Response ask(Request& request) const;

  std::unique_ptr<const App> app_;
  std::string place_;
  std::shared_ptr<LintReport> report_;
  Mode mode_;
};

}  // namespace apus::testing
