// The proxy: the v1 API in front of account, container and object servers.
#pragma once

#include <apus/app.h>
#include <apus/plugin.h>

#include <set>
#include <string>

#include "servers/proxy/backends.h"

namespace apus {

/// What the proxy needs to know of a container before it lets an object request through.
struct ContainerFacts {
  int status = 0;
  int policy = 0;
  std::string read_acl;
  std::string write_acl;
};

class ProxyApp final : public App {
 public:
  explicit ProxyApp(const PluginArgs& args);
  Response operator()(Request& request) const override;

 private:
  Response info(const Request& request) const;
  Response account(Request& request, const ApiPath& path) const;
  Response container(Request& request, const ApiPath& path) const;
  Response object(Request& request, const ApiPath& path) const;
  Response put_object(Request& request, const ApiPath& path, const ContainerFacts& facts) const;

  /// The auth filter's refusal, or nothing.
  static std::optional<Response> refused(Request& request);
  /// True when the account is there, or could be made just now.
  bool ensure_account(const Request& request, std::string_view account) const;
  bool create_account(const Request& request, std::string_view account) const;
  ContainerFacts container_facts(const Request& request, std::string_view account,
                                 std::string_view container) const;
  void forget(const Request& request, std::string_view account, std::string_view container) const;
  void finish(Request& request, Response& response) const;

  Host& host_;
  Logger& log_;
  Backends backends_;
  bool autocreate_;
  bool account_management_;
  bool expose_info_;
  std::chrono::seconds recheck_container_;
};

}  // namespace apus
