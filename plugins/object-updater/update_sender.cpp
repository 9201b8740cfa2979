#include "plugins/object-updater/update_sender.h"

#include <apus/disk.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "framework/store/object/partition.h"
#include "framework/store/object/small_file.h"

namespace apus {
namespace {

std::string address_of(const RingDevice& device) {
  return device.replication_ip + ":" + std::to_string(device.replication_port) + "/" +
         device.device;
}

}  // namespace

UpdateSender::UpdateSender(Host& host, Logger& log, SweepStats& stats, Deadlines deadlines)
    : host_(host),
      log_(log),
      stats_(stats),
      deadlines_(deadlines),
      user_agent_("object-updater " + std::to_string(::getpid())) {}

void UpdateSender::process(const std::string& device, WaitingUpdate waiting) {
  Round round = send(waiting);
  bool changed = round.rewrite;
  if (round.again) {
    round = send(waiting);
    changed = changed || round.rewrite;
  }
  if (changed && !round.done) rewrite(device, waiting);
}

Headers UpdateSender::fields_of(const WaitingUpdate& waiting) const {
  Headers out = waiting.update.headers;
  out.set("User-Agent", user_agent_);
  if (!out.has("X-Backend-Storage-Policy-Index"))
    out.set("X-Backend-Storage-Policy-Index", std::to_string(waiting.policy));
  for (const char* name : {"X-Backend-Accept-Redirect", "X-Backend-Accept-Quoted-Location"}) {
    if (!out.has(name)) out.set(name, "true");
  }
  return out;
}

UpdateSender::Round UpdateSender::send(WaitingUpdate& waiting) {
  AsyncPending& update = waiting.update;
  const std::string target = update.target();
  const std::size_t slash = target.find('/');
  const std::string account = target.substr(0, slash);
  const std::string container = slash == std::string::npos ? "" : target.substr(slash + 1);
  const std::string name = "/" + target + "/" + update.object;
  const Headers fields = fields_of(waiting);
  const auto ring = host_.rings().container();
  const std::uint32_t partition =
      ring->partition_of(host_.swift_conf().hash_path(account, container));
  std::vector<Call> calls;
  std::vector<const RingDevice*> asked;
  for (const RingNode& node : ring->primaries(partition)) {
    const RingDevice& to = *node.device;
    if (std::find(update.successes.begin(), update.successes.end(), to.id) !=
        update.successes.end())
      continue;
    Call call{Endpoint{to.replication_ip, to.replication_port},
              Request(update.operation, "/" + to.device + "/" + std::to_string(partition) + name)};
    for (const auto& [field, value] : fields)
      (is_internal_name(field) ? call.request.internal : call.request.headers).set(field, value);
    calls.push_back(std::move(call));
    asked.push_back(&to);
  }
  const auto outcomes = host_.transport().gather(
      std::move(calls), deadlines_, [](const auto&) { return false; },
      std::chrono::milliseconds(0));
  std::vector<Redirect> redirects;
  bool all = true;
  bool some = false;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const bool taken = outcomes[i].response && outcomes[i].response->is_success();
    all = all && taken;
    some = some || taken;
    if (taken) {
      update.successes.push_back(asked[i]->id);
    } else {
      tell(*asked[i], outcomes[i], name, redirects);
    }
  }
  if (all) {
    sent(waiting);
    return {true, false, false};
  }
  if (!redirects.empty()) {
    redirect(update, redirects);
    return {false, true, true};
  }
  stats_.add(SweepStats::kFailures);
  log_.debug("Update failed for " + name + " " + waiting.path);
  return {false, some, false};
}

void UpdateSender::sent(const WaitingUpdate& waiting) {
  stats_.add(SweepStats::kSuccesses);
  stats_.add(SweepStats::kUnlinks);
  log_.debug("Update sent for /" + waiting.update.target() + "/" + waiting.update.object + " " +
             waiting.path);
  host_.disk().unlink(waiting.path);
  host_.disk().rmdir(waiting.path.substr(0, waiting.path.rfind('/')));
}

void UpdateSender::redirect(AsyncPending& update, const std::vector<Redirect>& redirects) {
  const auto newest =
      std::max_element(redirects.begin(), redirects.end(),
                       [](const auto& a, const auto& b) { return a.timestamp < b.timestamp; });
  update.successes.clear();
  auto& history = update.redirect_history;
  if (std::find(history.begin(), history.end(), newest->path) != history.end()) {
    // Shards that send to each other: the root knows better.
    update.container_path.clear();
    history.clear();
  } else {
    update.container_path = newest->path;
    history.push_back(newest->path);
  }
  stats_.add(SweepStats::kRedirects);
  log_.debug("Update redirected for " + update.account + "/" + update.container + "/" +
             update.object + " to " + update.container_path);
}

void UpdateSender::tell(const RingDevice& device, const Outcome& outcome, const std::string& name,
                        std::vector<Redirect>& redirects) {
  const std::string address = address_of(device);
  if (!outcome.response) {
    const auto kind = outcome.error->kind();
    if (kind == TransportError::Kind::kTimeout) {
      log_.info("Timeout waiting on remote server " + address + ": " + outcome.error->what());
    } else {
      log_.error("ERROR with remote server " + address + ": " + outcome.error->what());
    }
    return;
  }
  const int status = outcome.response->status;
  log_.debug("Error code " + std::to_string(status) + " is returned from remote server " + address);
  if (status != 301 || !outcome.response->headers.has("Location")) return;
  if (auto to = redirect_of(*outcome.response)) {
    redirects.push_back(*std::move(to));
  } else {
    log_.error("Container update failed for '" + name + "'; problem with redirect location");
  }
}

void UpdateSender::rewrite(const std::string& device, const WaitingUpdate& waiting) {
  Disk& disk = host_.disk();
  const std::string tmp =
      device + "/tmp" + (waiting.policy == 0 ? "" : "-" + std::to_string(waiting.policy));
  int error = make_folders(disk, tmp, false);
  if (error == 0) {
    error = write_small_file(disk, tmp, "tmp" + host_.entropy().hex(8) + ".tmp", waiting.path,
                             waiting.update.encode());
  }
  if (error != 0) log_.error("ERROR cannot write " + waiting.path + ": " + std::strerror(error));
}

}  // namespace apus
