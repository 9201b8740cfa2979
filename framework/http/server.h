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

/// A certificate chain with its private key, read and ready.
class TlsKey;
/// Both PEM; `key_file` empty = the key is in `cert_file`. Throws std::runtime_error that names the
/// file when it cannot be used.
APUS_API std::shared_ptr<const TlsKey> read_tls_key(const std::string& cert_file,
                                                    const std::string& key_file);

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
  std::chrono::seconds keep_idle{600};                 ///< TCP's own probes, after such a silence
  std::size_t max_header_size = 8192;                  ///< of one header line
  std::size_t max_request_line = 8192;
  std::size_t max_header_count = 126;
  std::shared_ptr<const TlsKey> tls{};  ///< null = plain
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
  /// with address and reason when it cannot. `host` outlives this.
  HttpServer(ListenerConf conf, std::shared_ptr<const App> app, Host& host);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Stops with no grace.
  ~HttpServer();

  [[nodiscard]] int port() const;
  /// The listening socket, for a successor process. Owned by this.
  [[nodiscard]] int fd() const;
  void start();
  /// Lets go of the listening socket, once the connections that waited in it are taken. Those that
  /// there are get the answer to their next request, the last one; idle ones are closed when their
  /// time is over. Returns as soon as the socket is free; `connections` tells when all is done.
  void drain();
  /// As `drain`, but idle connections have a second, and after `grace` whatever is under way is
  /// cut. Waits for the App to return from every call. Final.
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
