// Speaks to other servers over pooled keep-alive HTTP/1.1 connections.
#pragma once

#include <apus/host.h>
#include <apus/transport.h>

#include <chrono>
#include <cstddef>
#include <memory>

namespace apus {

namespace http {
class ConnectionPool;
}

struct HttpTransportConf {
  std::size_t max_idle = 64;  ///< kept connections per server
  /// A connection idle for longer is not used again: less than what the servers allow.
  std::chrono::milliseconds max_idle_age{30000};
  /// For the boundaries of bodies with footers; outlives the transport. Without it a request that
  /// has update_footers fails with kMalformed.
  Entropy* entropy = nullptr;
};

/// Thread-safe; every call blocks its own thread in poll. A request that met a connection which the
/// server had just closed is sent once more, unless some of its body was taken. The bodies of
/// answers may outlive the transport. A BodyError of a call's own body passes through `call`.
class APUS_API HttpTransport final : public Transport {
 public:
  explicit HttpTransport(HttpTransportConf conf = {});
  ~HttpTransport() override;

  Outcome call(Call call, const Deadlines& deadlines) override;
  std::vector<Outcome> gather(
      std::vector<Call> calls, const Deadlines& deadlines,
      const std::function<bool(const std::vector<std::optional<Outcome>>&)>& enough,
      std::chrono::milliseconds straggler) override;
  /// A call of the upload announces its length by `content_length`, else it goes in chunks. One
  /// that announces 0 bytes is sent without "Expect": a success counts as an opened copy.
  std::unique_ptr<Upload> upload(const Deadlines& deadlines) override;
  std::unique_ptr<Volley> volley(const Deadlines& deadlines) override;

  /// Connections that wait for their next request.
  [[nodiscard]] std::size_t idle_connections() const;

 private:
  std::shared_ptr<http::ConnectionPool> pool_;
  Entropy* entropy_;
};

}  // namespace apus
