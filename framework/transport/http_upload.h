// One body on its way to several servers.
#pragma once

#include <apus/host.h>

#include <memory>
#include <optional>
#include <vector>

#include "framework/transport/footer_envelope.h"
#include "framework/transport/http_exchange.h"

namespace apus::http {

/// The outcome of a body with footers where nothing makes boundaries.
Outcome no_boundary();

class HttpUpload final : public Upload {
 public:
  HttpUpload(const Deadlines& deadlines, std::shared_ptr<ConnectionPool> pool, Entropy* entropy)
      : deadlines_(deadlines), pool_(std::move(pool)), entropy_(entropy) {}

  std::vector<std::optional<Outcome>> open(std::vector<Call> calls) override;
  void send_whole(std::vector<Call> calls, std::string_view body) override;
  [[nodiscard]] std::size_t alive() const override;
  void write(std::span<const char> bytes) override;
  std::vector<Outcome> finish(const Enough& enough, std::chrono::milliseconds straggler) override;

 private:
  void send(std::span<const char> bytes);
  /// The opening of the envelope goes out before anything else.
  void begin();
  bool dress(Request& request);

  Deadlines deadlines_;
  std::shared_ptr<ConnectionPool> pool_;
  Entropy* entropy_;
  std::optional<FooterEnvelope> envelope_;
  std::function<void(Headers&)> update_footers_;
  bool begun_ = false;
  std::vector<std::unique_ptr<Exchange>> copies_;
};

}  // namespace apus::http
