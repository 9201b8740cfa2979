#include "plugins/object-expirer/expiry_queue.h"

#include <vector>

namespace apus {
namespace {

constexpr std::string_view kAsyncDelete = "application/async-deleted";

}  // namespace

void ExpiryQueue::each(const Take& take, const std::stop_token& stop) {
  waiting_.clear();
  count_ = 0;
  for (const std::string& container : due_containers(stop)) {
    if (stop.stop_requested()) return;
    read(container, take, stop);
  }
  hand_out(take, stop);
}

std::vector<std::string> ExpiryQueue::due_containers(const std::stop_token& stop) const {
  std::vector<std::string> out;
  client_.list(
      "/v1/" + settings_.account,
      [&](const Json& row) {
        const std::string name = row.text_at("name");
        const auto when = Timestamp::parse(name);
        if (!when) {
          log_.error("Unexpected container in " + settings_.account + ": " + name);
          return true;
        }
        if (*when > host_.clock().timestamp()) return false;
        out.push_back(name);
        return true;
      },
      stop);
  return out;
}

void ExpiryQueue::read(const std::string& container, const Take& take,
                       const std::stop_token& stop) {
  bool empty = true;
  client_.list(
      "/v1/" + settings_.account + "/" + container,
      [&](const Json& row) {
        empty = false;
        return add(container, row, take, stop) && !stop.stop_requested();
      },
      stop);
  if (empty && !stop.stop_requested()) drop(container, stop);
}

bool ExpiryQueue::add(const std::string& container, const Json& row, const Take& take,
                      const std::stop_token& stop) {
  const std::string name = row.text_at("name");
  auto task = parse_expiry_task(name);
  if (!task) {
    log_.error("Unexpected task in " + settings_.account + "/" + container + ": " + name);
    return true;
  }
  const Timestamp now = host_.clock().timestamp();
  if (task->when > now) return false;
  if (settings_.processes > 0 &&
      expirer_of(container + "/" + name, settings_.processes) != settings_.process)
    return true;
  const double delay = settings_.delay_of(task->account, task->container);
  if (delay > 0 && task->when > Timestamp::from_seconds(host_.clock().now() - delay)) return true;
  DueTask due{container, name, *std::move(task), row.text_at("content_type") == kAsyncDelete};
  waiting_[due.task.account + "/" + due.task.container].push_back(std::move(due));
  if (++count_ > settings_.round_robin) hand_out(take, stop);
  return true;
}

void ExpiryQueue::hand_out(const Take& take, const std::stop_token& stop) {
  while (!waiting_.empty()) {
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      if (stop.stop_requested()) return;
      DueTask next = std::move(at->second.front());
      at->second.pop_front();
      at = at->second.empty() ? waiting_.erase(at) : std::next(at);
      take(std::move(next));
    }
  }
  count_ = 0;
}

void ExpiryQueue::drop(const std::string& container, const std::stop_token& stop) {
  try {
    client_.ask("DELETE", "/v1/" + settings_.account + "/" + container, {2, 404, 409}, {}, {},
                stop);
  } catch (const UnexpectedAnswer& error) {
    log_.error("Exception while deleting container " + settings_.account + " " + container + " " +
               error.what());
  }
}

}  // namespace apus
