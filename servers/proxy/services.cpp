#include "servers/proxy/services.h"

#include <unistd.h>

namespace apus {
namespace {

bool any_by_timing(const ProxyConf& conf) {
  bool out = conf.defaults.sorting == Sorting::kTiming;
  for (const auto& [index, policy] : conf.policies) out |= policy.sorting == Sorting::kTiming;
  return out;
}

std::string joined(std::string_view account, std::string_view container = {},
                   std::string_view object = {}) {
  std::string out;
  out.reserve(3 + account.size() + container.size() + object.size());
  out.append("/").append(account);
  if (!container.empty()) out.append("/").append(container);
  if (!object.empty()) out.append("/").append(object);
  return out;
}

Place place(const Services& services, std::shared_ptr<const Ring> ring, std::string_view account,
            std::string_view container, std::string_view object) {
  Place out{std::move(ring), 0, joined(account, container, object)};
  out.partition =
      out.ring->partition_of(services.host.swift_conf().hash_path(account, container, object));
  return out;
}

}  // namespace

Services::Services(Host& host_in, const Options& options)
    : host(host_in),
      log(host_in.logger(options)),
      conf(read_proxy_conf(options, host_in.swift_conf(), log)),
      mime_types(host_in.swift_conf().directory),
      user_agent("proxy-server " + std::to_string(::getpid())),
      limiter_(host_in.clock(), log, conf.error_suppression_interval, conf.error_suppression_limit),
      timings_(host_in.clock(), any_by_timing(conf), conf.timing_expiry) {}

Place account_place(const Services& services, std::string_view account) {
  return place(services, services.host.rings().account(), account, {}, {});
}
Place container_place(const Services& services, std::string_view account,
                      std::string_view container) {
  return place(services, services.host.rings().container(), account, container, {});
}
Place object_place(const Services& services, int policy, std::string_view account,
                   std::string_view container, std::string_view object) {
  return place(services, services.host.rings().object(policy), account, container, object);
}

}  // namespace apus
