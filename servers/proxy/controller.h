// What the handlers of accounts, containers and objects share.
#pragma once

#include <apus/account_info.h>
#include <apus/app.h>
#include <apus/message.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "servers/proxy/services.h"

namespace apus {

/// "/version/account[/container[/object]]", cut as Swift's proxy does: pieces may be empty, the
/// object may hold slashes. Views into the request's path.
struct RequestPath {
  std::string_view version;
  std::string_view account;
  std::string_view container;
  std::string_view object;
};
/// Nothing when there is no version.
std::optional<RequestPath> split_request_path(std::string_view path);

/// One request on its way through the proxy. Everything outlives it.
struct Exchange {
  const Services& services;
  const App& proxy;  ///< for requests of its own
  Request& request;
  RequestPath path;

  [[nodiscard]] bool is_head() const { return request.method == "HEAD"; }
};

/// What the hook says, where it was not content at first; nothing lets the request pass.
std::optional<Response> refused(Request& request);

/// The container's facts; those of an unknown one (status 0, all empty) when it is not there.
std::shared_ptr<const ContainerInfo> container_facts(const Exchange& exchange);

/// The same, of what was found out before.
std::shared_ptr<const ContainerInfo> usable_facts(std::shared_ptr<const ContainerInfo> info);

/// True when the account is really there. `count` is its number of containers.
bool account_exists(const Exchange& exchange, std::int64_t* count = nullptr);
/// Makes the account on all its nodes.
bool autocreate_account(const Exchange& exchange);

/// A text answer whose length counts even for HEAD.
Response text_answer(int status, std::string text,
                     std::string_view type = "text/html; charset=UTF-8");
/// 400 when the name has more than `limit` characters; `kind` is "Account" or "Container".
std::optional<Response> too_long(std::string_view name, std::int64_t limit, std::string_view kind);

bool is_owner_header(const Services& services, std::string_view name);

}  // namespace apus
