// Tells container servers about an object; what cannot be told now is queued on the device.
#pragma once

#include <apus/host.h>
#include <apus/message.h>
#include <apus/transport.h>

#include <chrono>
#include <string>

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
  };
  /// Where the container lives, as the proxy says it: parallel comma lists.
  struct Destination {
    std::string_view partition;
    std::string_view hosts;
    std::string_view devices;
  };

  /// Sends to every host of the destination, all at once; those that do not take it are queued as
  /// one async pending. No destination, no update.
  void send(const Request& request, const ObjectPlace& place, const Update& update,
            const Destination& to) const;

 private:
  void queue(const ObjectPlace& place, const Update& update) const;

  Host& host_;
  const ObjectStore& store_;
  Logger& log_;
  Deadlines deadlines_;
  std::string user_agent_;
};

}  // namespace apus
