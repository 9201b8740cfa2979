// What is kept of a connection between requests, and what all connections of a listener share.
#pragma once

#include <apus/app.h>
#include <apus/host.h>

#include <atomic>
#include <memory>
#include <string>

#include "framework/http/head.h"
#include "framework/http/server.h"
#include "framework/http/wire.h"

namespace apus::http {

/// One accepted connection. It belongs to the front while it sleeps, else to the thread that serves
/// it.
struct Link {
  Link(const Poco::Net::StreamSocket& socket, bool secure, std::atomic<int>& open_links)
      : wire(socket, secure), open(open_links) {
    ++open;
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { --open; }

  Wire wire;
  InBuffer in;
  HeadScanner scanner;
  std::string remote_address;
  std::string local_address;
  Steady::time_point deadline;  ///< while it sleeps: when it is closed
  bool in_head = false;     ///< a head is partly there; `deadline` then counts from its first byte
  bool registered = false;  ///< known to the front's epoll
  std::atomic<int>& open;
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
  std::atomic<bool> stopping{false};
  std::atomic<int> links{0};
};

}  // namespace apus::http
