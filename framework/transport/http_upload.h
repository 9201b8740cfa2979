// One body on its way to several servers.
#pragma once

#include <memory>
#include <vector>

#include "framework/transport/http_exchange.h"

namespace apus::http {

class HttpUpload final : public Upload {
 public:
  HttpUpload(const Deadlines& deadlines, std::shared_ptr<ConnectionPool> pool)
      : deadlines_(deadlines), pool_(std::move(pool)) {}

  std::vector<std::optional<Outcome>> open(std::vector<Call> calls) override;
  [[nodiscard]] std::size_t alive() const override;
  void write(std::span<const char> bytes) override;
  std::vector<Outcome> finish(const Enough& enough, std::chrono::milliseconds straggler) override;

 private:
  Deadlines deadlines_;
  std::shared_ptr<ConnectionPool> pool_;
  std::vector<std::unique_ptr<Exchange>> copies_;
};

}  // namespace apus::http
