// What a server process does to itself: whose it is, what it lets go of, whom it tells.
#pragma once

#include <chrono>
#include <csignal>
#include <initializer_list>
#include <string>

namespace apus {

/// Becomes `user`, its groups included. Nothing to do when that is who runs already. Throws
/// std::runtime_error when there is no such user or this process may not become it.
void become_user(const std::string& user);

/// Points stdin, stdout and stderr at /dev/null: whoever waits for their end sees that we are up.
void release_stdio();

/// Tells systemd, when it started us, e.g. "READY=1".
void notify_systemd(const std::string& state);

/// Leads a session of its own, stands in "/", makes files that only we write.
void leave_terminal();

/// Waits for signals that every thread has blocked; one such wait in a process. While it waits, the
/// heap's freed memory is given back to the system once a minute: glibc alone would keep most of
/// what many threads ever had at their busiest.
class SignalWait {
 public:
  explicit SignalWait(std::initializer_list<int> signals);

  /// One of the signals.
  int next();
  /// One of the signals, or 0 when none came in time. At most a minute.
  int next(std::chrono::nanoseconds longest);

 private:
  sigset_t signals_;
  std::chrono::steady_clock::time_point given_back_ = std::chrono::steady_clock::now();
};

}  // namespace apus
