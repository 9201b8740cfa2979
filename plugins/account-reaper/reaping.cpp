#include "plugins/account-reaper/reaping.h"

#include <apus/json.h>
#include <apus/source.h>

#include <algorithm>
#include <cmath>
#include <exception>

#include "framework/backend/direct_call.h"

namespace apus {
namespace {

constexpr std::size_t kLargestListing = 64U << 20U;

std::string address_of(const RingDevice& device) {
  return device.ip + ":" + std::to_string(device.port);
}

// Names of a listing's rows; none when it is no JSON.
std::vector<std::string> names_of(const std::string& listing) {
  std::vector<std::string> out;
  const auto rows = Json::parse(listing, kLargestListing);
  if (!rows || rows->array() == nullptr) return out;
  for (const Json& row : *rows->array()) {
    const Json* name = row.find("name");
    if (name != nullptr && name->text() != nullptr) out.push_back(*name->text());
  }
  return out;
}

}  // namespace

Reaping::Reaping(Host& host, Logger& log, const Limits& limits)
    : host_(host),
      log_(log),
      deadlines_(limits.deadlines),
      width_(std::max<std::size_t>(
          1, static_cast<std::size_t>(std::sqrt(static_cast<double>(limits.concurrency))))),
      crew_(width_ * width_) {}

void Reaping::reap(const Account& account, const std::vector<std::string>& containers,
                   Reaped& reaped, const std::stop_token& stop) const {
  crew_.each(containers.size(), width_, [&](std::size_t i) {
    if (!stop.stop_requested()) reap_container(account, containers[i], reaped, stop);
  });
}

void Reaping::reap_container(const Account& account, const std::string& name, Reaped& reaped,
                             const std::stop_token& stop) const {
  try {
    const auto ring = host_.rings().container();
    Container container;
    container.path = "/" + account.name + "/" + name;
    container.partition = ring->partition_of(host_.swift_conf().hash_path(account.name, name));
    container.nodes = ring->primaries(container.partition);
    std::string marker;
    while (true) {
      const auto objects = names_after(container, marker, reaped);
      if (objects.empty()) break;
      crew_.each(objects.size(), width_, [&](std::size_t i) {
        if (!stop.stop_requested()) reap_object(container, objects[i], reaped);
      });
      if (stop.stop_requested() || objects.back() <= marker) return;
      marker = objects.back();
    }
    delete_container(account, container, reaped);
  } catch (const std::exception& error) {
    log_.error("Exception with container " + name + " for account " + account.name + ": " +
               error.what());
  }
}

// Of the first server that answers with a listing, from the last on.
std::vector<std::string> Reaping::names_after(Container& container, const std::string& marker,
                                              Reaped& reaped) const {
  for (auto node = container.nodes.rbegin(); node != container.nodes.rend(); ++node) {
    const RingDevice& device = *node->device;
    Call call = direct_call(device, "GET", container.partition, container.path, {});
    call.request.query.set("format", "json");
    if (!marker.empty()) call.request.query.set("marker", marker);
    Outcome outcome = host_.transport().call(std::move(call), deadlines_);
    if (!outcome.response) {
      log_.error("Timeout Exception with " + address_of(device) + "/" + device.device + ": " +
                 outcome.error->what());
      continue;
    }
    reaped.count_answer(outcome.response->status);
    if (!outcome.response->is_success()) continue;
    container.policy = outcome.response->internal.get("X-Backend-Storage-Policy-Index", "0");
    return names_of(read_all(outcome.response->body.get(), kLargestListing));
  }
  return {};
}

void Reaping::reap_object(const Container& container, const std::string& object,
                          Reaped& reaped) const {
  const auto policy = parse_int(container.policy);
  if (!policy || host_.swift_conf().policy(static_cast<int>(*policy)) == nullptr) {
    log_.error("ERROR: invalid storage policy index: " + container.policy);
    reaped.count_remaining(Reaped::kObjects);
    return;
  }
  const auto ring = host_.rings().object(static_cast<int>(*policy));
  const std::string name = container.path + "/" + object;
  const std::size_t slash = container.path.find('/', 1);
  const std::uint32_t partition = ring->partition_of(host_.swift_conf().hash_path(
      container.path.substr(1, slash - 1), container.path.substr(slash + 1), object));
  const std::string now = host_.clock().timestamp().internal();
  std::vector<Call> calls;
  for (const RingNode& node : ring->primaries(partition)) {
    const RingDevice& by = *container.nodes[calls.size() % container.nodes.size()].device;
    calls.push_back(direct_call(*node.device, "DELETE", partition, name,
                                {{"X-Container-Host", address_of(by)},
                                 {"X-Container-Partition", std::to_string(container.partition)},
                                 {"X-Container-Device", by.device},
                                 {"X-Backend-Storage-Policy-Index", container.policy},
                                 {"X-Timestamp", now}}));
  }
  reaped.count(Reaped::kObjects, send(std::move(calls)));
}

void Reaping::delete_container(const Account& account, const Container& container,
                               Reaped& reaped) const {
  const std::string now = host_.clock().timestamp().internal();
  std::vector<Call> calls;
  for (const RingNode& node : container.nodes) {
    const std::size_t from_end = calls.size() % account.nodes.size();
    const RingDevice& by = *account.nodes[account.nodes.size() - 1 - from_end].device;
    calls.push_back(direct_call(*node.device, "DELETE", container.partition, container.path,
                                {{"X-Account-Host", address_of(by)},
                                 {"X-Account-Partition", std::to_string(account.partition)},
                                 {"X-Account-Device", by.device},
                                 {"X-Account-Override-Deleted", "yes"},
                                 {"X-Timestamp", now}}));
  }
  reaped.count(Reaped::kContainers, send(std::move(calls)));
}

std::vector<Outcome> Reaping::send(std::vector<Call> calls) const {
  std::vector<std::string> addresses;
  addresses.reserve(calls.size());
  for (const Call& call : calls)
    addresses.push_back(call.endpoint.ip + ":" + std::to_string(call.endpoint.port));
  auto out = host_.transport().gather(
      std::move(calls), deadlines_, [](const auto&) { return false; },
      std::chrono::milliseconds(0));
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!out[i].response)
      log_.error("Timeout Exception with " + addresses[i] + ": " + out[i].error->what());
  }
  return out;
}

}  // namespace apus
