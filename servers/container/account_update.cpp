#include "servers/container/account_update.h"

#include <unistd.h>

namespace apus {
namespace {

Call update_call(const Request& request, const BackendPath& path, const ContainerStat& stat,
                 const std::string& host, const std::string& device, std::string_view partition,
                 const std::string& user_agent) {
  // An address that cannot be read is one that cannot be reached: port 0.
  Call call{parse_endpoint(host).value_or(Endpoint{host, 0}),
            Request("PUT", "/" + device + "/" + std::string(partition) + "/" +
                               std::string(path.account) + "/" + std::string(path.container))};
  Headers& fields = call.request.headers;
  fields.set("X-Put-Timestamp", stat.put_timestamp);
  fields.set("X-Delete-Timestamp", stat.delete_timestamp);
  fields.set("X-Object-Count", std::to_string(stat.object_count));
  fields.set("X-Bytes-Used", std::to_string(stat.bytes_used));
  fields.set("X-Trans-Id", request.context.trans_id.empty() ? "-" : request.context.trans_id);
  fields.set("User-Agent", user_agent);
  fields.set("Referer", request.method + " " + quote(request.path));
  call.request.internal.set("X-Backend-Storage-Policy-Index", std::to_string(stat.policy));
  if (lower(fact(request, "X-Account-Override-Deleted")) == "yes")
    fields.set("X-Account-Override-Deleted", "yes");
  call.request.context.trans_id = request.context.trans_id;
  return call;
}

}  // namespace

AccountUpdate::AccountUpdate(Host& host, Logger& log, const Deadlines& deadlines)
    : host_(host),
      log_(log),
      deadlines_(deadlines),
      user_agent_("container-server " + std::to_string(::getpid())) {}

std::optional<Response> AccountUpdate::send(const Request& request, const BackendPath& path,
                                            ContainerBroker& broker) const {
  const std::vector<std::string> hosts = split_list(fact(request, "X-Account-Host"));
  const std::vector<std::string> devices = split_list(fact(request, "X-Account-Device"));
  const std::string_view partition = fact(request, "X-Account-Partition");
  if (hosts.size() != devices.size()) {
    log_.error("ERROR Account update failed: different numbers of hosts and devices in request",
               request.context.trans_id);
    return error_response(400);
  }
  if (hosts.empty() || partition.empty()) return std::nullopt;
  const auto stat = broker.info();
  if (!stat) return std::nullopt;
  std::vector<Call> calls;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    calls.push_back(
        update_call(request, path, *stat, hosts[i], devices[i], partition, user_agent_));
  }
  const std::vector<Outcome> outcomes = host_.transport().gather(
      std::move(calls), deadlines_, [](const auto&) { return false; },
      std::chrono::milliseconds(0));
  std::size_t missing = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& outcome = outcomes[i];
    if (outcome.response && outcome.response->status == 404) ++missing;
    if (outcome.response && (outcome.response->is_success() || outcome.response->status == 404))
      continue;
    const std::string why = outcome.response
                                ? "Response " + std::to_string(outcome.response->status)
                                : std::string(outcome.error->what());
    log_.error("ERROR Account update failed with " + hosts[i] + "/" + devices[i] +
                   " (will retry later): " + why,
               request.context.trans_id);
  }
  if (missing == hosts.size()) return error_response(404);
  return std::nullopt;
}

}  // namespace apus
