// The proxy: the v1 API in front of account, container and object servers.
#pragma once

#include <apus/account_info.h>
#include <apus/app.h>
#include <apus/plugin.h>

#include "servers/proxy/controller.h"
#include "servers/proxy/services.h"

namespace apus {

class ProxyApp final : public App {
 public:
  explicit ProxyApp(const PluginArgs& args);
  Response operator()(Request& request) const override;
  void foresee(const Request& request, ForeseenKeys& keys) const override {
    foresee_infos(request, keys);
  }

 private:
  Response route(Request& request) const;
  Response to_object(const Exchange& exchange) const;
  /// The controller's answer, after its method and its user were looked at.
  template <typename Controller>
  Response run(const Exchange& exchange, const Controller& controller, bool has_container) const;
  template <typename Controller>
  Response handle(const Exchange& exchange, const Controller& controller, bool has_container) const;
  [[nodiscard]] std::optional<Response> bad_timestamp(Request& request) const;
  [[nodiscard]] bool is_denied_host(const Request& request) const;
  void name_transaction(Request& request) const;
  Response counted(int status, bool head) const;

  Services services_;
};

}  // namespace apus
