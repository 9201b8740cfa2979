// Calls of one thread under way at once over HTTP.
#pragma once

#include <memory>
#include <vector>

#include "framework/transport/http_exchange.h"

namespace apus::http {

class HttpVolley final : public Volley {
 public:
  HttpVolley(const Deadlines& deadlines, std::shared_ptr<ConnectionPool> pool)
      : deadlines_(deadlines), pool_(std::move(pool)) {}

  std::size_t add(Call call) override;
  [[nodiscard]] std::size_t under_way() const override { return under_way_; }
  std::optional<Done> wait(std::optional<std::chrono::milliseconds> longest) override;

 private:
  std::optional<Done> take_done();

  Deadlines deadlines_;
  std::shared_ptr<ConnectionPool> pool_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;  // null once its outcome was handed out
  std::size_t under_way_ = 0;
};

}  // namespace apus::http
