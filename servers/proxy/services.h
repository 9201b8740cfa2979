// What every part of the proxy uses; one object a proxy, made before all of them.
#pragma once

#include <apus/host.h>
#include <apus/options.h>
#include <apus/ring.h>

#include <string>

#include "servers/proxy/error_limiter.h"
#include "servers/proxy/mime_types.h"
#include "servers/proxy/node_timings.h"
#include "servers/proxy/proxy_conf.h"

namespace apus {

struct Services {
  Services(Host& host, const Options& options);

  Host& host;
  Logger& log;
  ProxyConf conf;
  ErrorLimiter& limiter() const { return limiter_; }
  NodeTimings& timings() const { return timings_; }
  MimeTypes mime_types;
  std::string user_agent;  ///< "proxy-server PID"

  [[nodiscard]] const Constraints& limits() const { return host.swift_conf().constraints; }

 private:
  mutable ErrorLimiter limiter_;
  mutable NodeTimings timings_;
};

/// What of a ring answers one name.
struct Place {
  std::shared_ptr<const Ring> ring;
  std::uint32_t partition = 0;
  std::string name;  ///< "/account[/container[/object]]"
};

Place account_place(const Services& services, std::string_view account);
Place container_place(const Services& services, std::string_view account,
                      std::string_view container);
Place object_place(const Services& services, int policy, std::string_view account,
                   std::string_view container, std::string_view object);

}  // namespace apus
