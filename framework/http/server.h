// One listening socket that serves an App over HTTP/1.1, plain or TLS.
#pragma once

#include <apus/app.h>
#include <apus/host.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace apus {

/// How a listener behaves. Times are whole spans, sizes bytes; the defaults are Swift's where Swift
/// has one.
struct ListenerConf {
  std::string bind_ip = "0.0.0.0";  ///< an address of either family
  int bind_port = 0;                ///< 0 = any free one
  int backlog = 4096;
  int max_clients = 16384;  ///< open connections; one more is answered 503 and closed
  int threads = 256;        ///< most requests served at once; others wait
  std::chrono::milliseconds client_timeout{60000};     ///< a client silent within a body, in or out
  std::chrono::milliseconds keepalive_timeout{60000};  ///< a connection idle between requests
  std::chrono::milliseconds header_timeout{60000};     ///< from a head's first byte to its last
  std::size_t max_header_size = 8192;                  ///< of one header line
  std::size_t max_request_line = 8192;
  std::size_t max_header_count = 126;
  std::string cert_file{};  ///< PEM chain; not empty = TLS
  std::string key_file{};   ///< PEM; empty = it is in cert_file
  /// A back end: internal names (and X-Timestamp) go from the wire to Request::internal, and
  /// Response::internal is sent. Otherwise a client's internal names stay in Request::headers and
  /// Response::internal stays here.
  bool trusted = false;
  std::string server_name = "apus";  ///< names the listener in the log
  Logger* logger = nullptr;  ///< Host::logger of the server's section; null = nothing is logged
  std::optional<int> inherited_fd =
      std::nullopt;  ///< a listening socket to take over instead of binding
};

/// Serves until stopped. Thread-safe but for the destructor.
class APUS_API HttpServer {
 public:
  /// Binds and listens, so that clients can connect at once and wait. Throws std::runtime_error
  /// with address and reason when it cannot, or when the certificate cannot be read. `host`
  /// outlives this.
  HttpServer(ListenerConf conf, std::shared_ptr<const App> app, Host& host);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Stops with no grace.
  ~HttpServer();

  [[nodiscard]] int port() const;
  /// The listening socket, for a successor process. Owned by this.
  [[nodiscard]] int fd() const;
  void start();
  /// Accepts no more, closes idle connections, lets requests under way finish for `grace`, then
  /// cuts them. Waits for the App to return from every call. Final.
  void stop(std::chrono::seconds grace);
  /// Connections open now, idle ones included.
  [[nodiscard]] int connections() const;
  /// Threads that serve requests right now.
  [[nodiscard]] int busy_threads() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace apus
