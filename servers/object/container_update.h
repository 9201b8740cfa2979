// Tells container servers about an object; what cannot be told now is queued on the device.
#pragma once

#include <apus/host.h>
#include <apus/message.h>
#include <apus/transport.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/store/object/object_store.h"

namespace apus {

class ContainerUpdates {
 public:
  ContainerUpdates(Host& host, const ObjectStore& store, Logger& log, Deadlines deadlines);

  /// One row for one container: what happened, to which object, by which headers.
  struct Update {
    std::string method;  ///< PUT or DELETE
    std::string account;
    std::string container;
    std::string object;
    Headers headers;
    std::string container_path;  ///< "account/container" of a shard to tell instead; may be empty
  };
  /// One container server. Any of the three empty: nobody is asked, the update is queued.
  struct Destination {
    std::string partition;
    std::string host;  ///< "ip:port"
    std::string device;
  };

  /// Sends to all destinations at once. Those that do not take it, or not in time, are queued as
  /// one async pending. No destination, no update.
  void send(const Request& request, const PartitionPlace& place, Update update,
            const std::vector<Destination>& to) const;

  /// X-Trans-Id and Referer of every update that a request causes.
  static void add_origin(const Request& request, Headers& to);

 private:
  void queue(const Request& request, const PartitionPlace& place, const Update& update) const;
  [[nodiscard]] bool taken(const Request& request, const Outcome& outcome, const Destination& by,
                           Update& update) const;

  Host& host_;
  const ObjectStore& store_;
  Logger& log_;
  Deadlines deadlines_;
  std::string user_agent_;
};

/// Pairs the comma lists of hosts and devices; none when `partition` is empty, nothing when the
/// lists differ in length.
std::optional<std::vector<ContainerUpdates::Destination>> destinations(std::string_view partition,
                                                                       std::string_view hosts,
                                                                       std::string_view devices);

}  // namespace apus
