// Requests for containers.
#pragma once

#include <set>
#include <utility>

#include "servers/proxy/controller.h"
#include "servers/proxy/shard_listing.h"

namespace apus {

class ContainerController {
 public:
  /// `history` names the containers that a listing of shards passed through already.
  explicit ContainerController(const Exchange& exchange, ShardHistory* history = nullptr)
      : x_(exchange), history_(history) {}

  [[nodiscard]] std::string_view allowed() const;
  static bool delays_denial(std::string_view method) { return method == "GET" || method == "HEAD"; }
  Response handle() const;

 private:
  Response read() const;
  Response listing(const std::shared_ptr<const ContainerInfo>& known) const;
  Response from_backend() const;
  Response put() const;
  Response post() const;
  Response remove() const;
  Response update() const;
  [[nodiscard]] std::optional<Response> wrong_policy(std::optional<int>& policy) const;
  void prepare_write() const;
  void forget() const;
  Response send(const char* method, bool with_accounts, std::optional<int> policy) const;

  const Exchange& x_;
  ShardHistory* history_;
};

}  // namespace apus
