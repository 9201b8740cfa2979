#include "servers/object/expirer_queue.h"

#include <apus/constraints.h>

#include <algorithm>
#include <charconv>

#include "framework/backend/backend.h"

namespace apus {
namespace {

// The number of 32 hex digits, modulo 100: spreads a day's rows over a hundred containers.
std::int64_t shard_of(std::string_view hash) {
  std::int64_t out = 0;
  for (const char& digit : hash) {
    int value = 0;
    std::from_chars(&digit, &digit + 1, value, 16);
    out = (out * 16 + value) % 100;
  }
  return out;
}

constexpr std::int64_t kLast = 9999999999;

}  // namespace

ExpirerQueue::ExpirerQueue(const ContainerUpdates& updates, Logger& log, Settings settings)
    : updates_(updates), log_(log), settings_(std::move(settings)) {}

std::string ExpirerQueue::container_of(const Object& object, std::int64_t when) const {
  when = std::clamp<std::int64_t>(when, 0, kLast);
  return normalize_delete_at(when / settings_.divisor * settings_.divisor - shard_of(object.hash));
}

ContainerUpdates::Update ExpirerQueue::row(const char* method, const Request& request,
                                           const Object& object, std::int64_t when,
                                           const Timestamp& timestamp) const {
  ContainerUpdates::Update out;
  out.method = method;
  out.account = settings_.account;
  out.container = container_of(object, when);
  out.object = normalize_delete_at(when) + "-";
  out.object.append(object.account).append("/").append(object.container);
  out.object.append("/").append(object.name);
  out.headers.set("X-Backend-Storage-Policy-Index", "0");
  out.headers.set("X-Timestamp", timestamp.internal());
  ContainerUpdates::add_origin(request, out.headers);
  return out;
}

void ExpirerQueue::add(const Request& request, const PartitionPlace& place, const Object& object,
                       std::int64_t when, const Timestamp& timestamp) const {
  if (!request.internal.has("X-Delete-At-Host")) return;
  ContainerUpdates::Update update = row("PUT", request, object, when, timestamp);
  const std::string_view container = fact(request, "X-Delete-At-Container");
  if (const auto named = parse_int(container)) {
    update.container = normalize_delete_at(*named);
  } else {
    log_.warning(
        "X-Delete-At-Container header must be specified for expiring objects background PUT to "
        "work "
        "properly. Making best guess as to the container name for now.",
        request.context.trans_id);
  }
  update.headers.set("X-Size", "0");
  update.headers.set("X-Content-Type", "text/plain");
  update.headers.set("X-Etag", "d41d8cd98f00b204e9800998ecf8427e");
  auto to = destinations(fact(request, "X-Delete-At-Partition"), fact(request, "X-Delete-At-Host"),
                         fact(request, "X-Delete-At-Device"))
                .value_or(std::vector<ContainerUpdates::Destination>());
  std::erase_if(to, [](const auto& one) { return one.host.empty() || one.device.empty(); });
  if (to.empty()) to.emplace_back();
  updates_.send(request, place, std::move(update), to);
}

void ExpirerQueue::remove(const Request& request, const PartitionPlace& place, const Object& object,
                          std::int64_t when, const Timestamp& timestamp) const {
  const std::string_view clean = fact(request, "X-Backend-Clean-Expiring-Object-Queue");
  if (!clean.empty() && !is_true(clean)) return;
  updates_.send(request, place, row("DELETE", request, object, when, timestamp),
                {ContainerUpdates::Destination()});
}

}  // namespace apus
