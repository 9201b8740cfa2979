// Requests for objects of replicated policies.
#pragma once

#include "servers/proxy/controller.h"
#include "servers/proxy/row_updates.h"

namespace apus {

class ObjectController {
 public:
  /// `policy` is a known one, `info` what is known of the container.
  ObjectController(const Exchange& exchange, int policy, std::shared_ptr<const ContainerInfo> info)
      : x_(exchange), policy_(policy), info_(usable_facts(std::move(info))) {}

  [[nodiscard]] static std::string_view allowed() {
    return "GET, HEAD, PUT, POST, DELETE, OPTIONS";
  }
  static bool delays_denial(std::string_view method) { return method != "OPTIONS"; }
  Response handle() const;

 private:
  /// Where rows of the object go, and how they are shared among the requests.
  struct Rows {
    RowUpdates container;
    std::string shard;  ///< quoted "account/container"; empty = the container itself
    std::optional<RowUpdates> expirer;
    std::string expirer_container;
    void dress(Request& to, std::size_t index) const;
  };

  Response read() const;
  Response put() const;
  Response post() const;
  Response remove() const;
  [[nodiscard]] std::optional<Response> denied(const std::string& acl,
                                               const std::string& sync_key = {}) const;
  [[nodiscard]] Rows rows(std::size_t requests) const;
  void add_expirer(Rows& rows, std::size_t requests) const;
  void choose_type() const;
  [[nodiscard]] Place place() const;

  const Exchange& x_;
  int policy_;
  std::shared_ptr<const ContainerInfo> info_;
};

}  // namespace apus
