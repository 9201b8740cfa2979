// What is kept of a connection between requests, and what all connections of a listener share.
#pragma once

#include <apus/app.h>
#include <apus/host.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "framework/http/head.h"
#include "framework/http/server.h"
#include "framework/http/wire.h"

namespace apus::http {

/// How many links there are. Thread-safe.
class OpenLinks {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void remove() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) none_.notify_all();
  }
  [[nodiscard]] int count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  /// Waits for the last one's end, until `deadline`.
  void wait_for_none(Steady::time_point deadline) {
    std::unique_lock lock(mutex_);
    none_.wait_until(lock, deadline, [&] { return count_ == 0; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable none_;
  int count_ = 0;
};

/// One accepted connection. It belongs to the front while it sleeps, else to the thread that serves
/// it.
struct Link {
  Link(const Poco::Net::StreamSocket& socket, bool secure, OpenLinks& open_links)
      : wire(socket, secure), open(open_links) {
    open.add();
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { open.remove(); }

  Wire wire;
  /// What Poco's dispatcher passes around in place of the socket: it keeps its copy for longer than
  /// the worker has the link, and the descriptor has one owner.
  const Poco::Net::StreamSocket ticket;
  InBuffer in;
  HeadScanner scanner;
  std::string remote_address;
  std::string local_address;
  Steady::time_point deadline;  ///< while it sleeps: when it is closed
  bool in_head = false;     ///< a head is partly there; `deadline` then counts from its first byte
  bool registered = false;  ///< known to the front's epoll
  bool closing = false;     ///< nothing goes out any more; what comes in is thrown away
  Steady::time_point leave_at;  ///< while `closing`: when it is closed whatever comes in
  OpenLinks& open;
};

class Front;

/// Shared by the connections of one listener; immutable but for the flags.
struct Service {
  ListenerConf conf;
  HeadLimits limits;
  std::shared_ptr<const App> app;
  Host& host;

  void log_error(const std::string& text, std::string_view trans_id = {}) const {
    if (conf.logger != nullptr) conf.logger->error(text, trans_id);
  }
  std::atomic<bool> draining{false};  ///< no new connections; those that there are get one answer
  std::atomic<bool> stopping{false};  ///< all ends now
  OpenLinks links{};
};

}  // namespace apus::http
