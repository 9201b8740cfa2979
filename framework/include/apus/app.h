// The three things the framework knows: an App answers, a Filter wraps an App, a Daemon works on
// its own.
#pragma once

#include <apus/abi.h>
#include <apus/message.h>

#include <memory>
#include <stop_token>

namespace apus {

/// Answers requests. One object serves all threads at once, hence const.
class APUS_API App {
 public:
  App() = default;
  App(const App&) = delete;
  App& operator=(const App&) = delete;
  virtual ~App();

  /// Expected outcomes are statuses. What is thrown becomes a 500 in the host (or an aborted
  /// connection when the head is out already) and is logged.
  virtual Response operator()(Request& request) const = 0;

  /// Adds the keys that this App will most likely read in the request's Cache, and so do those
  /// behind it. Only advice: called before the request comes, maybe for one that never does. Must
  /// not throw, wait or ask anybody. An App in front of another passes the call on.
  virtual void foresee(const Request& request, ForeseenKeys& keys) const;
};

/// An App in front of another. Owned by the pipeline; lives as long as the process.
class APUS_API Filter : public App {
 public:
  explicit Filter(std::unique_ptr<const App> next);
  ~Filter() override;
  void foresee(const Request& request, ForeseenKeys& keys) const override {
    next_->foresee(request, keys);
  }

 protected:
  [[nodiscard]] const App& next() const { return *next_; }

 private:
  std::unique_ptr<const App> next_;
};

/// Works in the background: replicators, auditors, updaters.
class APUS_API Daemon {
 public:
  Daemon() = default;
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  virtual ~Daemon();

  /// One whole pass. Returns early, with its state kept, when `stop` is requested. Throws only for
  /// broken invariants.
  virtual void run_once(std::stop_token stop) = 0;
  /// Passes with the configured interval between them, until `stop`.
  virtual void run_forever(std::stop_token stop) = 0;
};

}  // namespace apus
