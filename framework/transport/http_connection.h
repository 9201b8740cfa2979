// Connections to other servers, and the pool of those that wait for their next request.
#pragma once

#include <apus/transport.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "framework/http/in_buffer.h"

namespace apus::http {

using Steady = std::chrono::steady_clock;

/// A non-blocking TCP socket. Closed by its destructor.
class ClientConnection {
 public:
  /// Starts to connect; the outcome shows when the socket becomes writable. Throws TransportError
  /// kConnect when it cannot even start.
  explicit ClientConnection(const Endpoint& endpoint);
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;
  ~ClientConnection();

  [[nodiscard]] int fd() const { return fd_; }
  /// 0, or the errno with which connecting ended.
  [[nodiscard]] int connect_error() const;
  /// Nothing is there to read, not even an end.
  [[nodiscard]] bool is_quiet() const;

  Endpoint endpoint;
  InBuffer in;
  bool reused = false;
  Steady::time_point idle_since;

 private:
  int fd_ = -1;
};

/// Idle keep-alive connections. Thread-safe.
class ConnectionPool {
 public:
  ConnectionPool(std::size_t max_idle, std::chrono::milliseconds max_age)
      : max_idle_(max_idle), max_age_(max_age) {}

  /// A living connection that was used before; null when there is none.
  std::unique_ptr<ClientConnection> take(const Endpoint& endpoint);
  /// Takes back a connection whose last answer was read to its end.
  void give(std::unique_ptr<ClientConnection> connection);
  [[nodiscard]] std::size_t idle() const;

 private:
  using Key = std::pair<std::string, int>;
  std::unique_ptr<ClientConnection> pop(const Endpoint& endpoint);

  const std::size_t max_idle_;  // per endpoint
  const std::chrono::milliseconds max_age_;
  mutable std::mutex mutex_;
  std::map<Key, std::vector<std::unique_ptr<ClientConnection>>> idle_;
};

}  // namespace apus::http
