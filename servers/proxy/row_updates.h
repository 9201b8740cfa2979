// Which node of the level above each copy tells of a change: parallel comma lists in its headers.
#pragma once

#include <apus/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "servers/proxy/services.h"

namespace apus {

class RowUpdates {
 public:
  /// For so many requests.
  explicit RowUpdates(std::size_t requests) : shares_(requests) {}

  /// Gives node j mod n of the place to request j mod requests, for j below `updates` or n,
  /// whatever is more; `backwards` counts the requests from the last.
  void spread(const Place& place, std::size_t updates, bool backwards = false);
  /// Sets PREFIX-Partition, -Host and -Device, where the request has a share.
  void dress(Request& to, std::size_t index, std::string_view prefix) const;

 private:
  struct Share {
    std::string hosts;
    std::string devices;
  };
  std::string partition_;
  std::vector<Share> shares_;
};

/// How many of `objects` requests must carry an update so that a quorum of `containers` is told
/// even when only a quorum of the objects is written.
std::size_t updates_needed(std::size_t containers, std::size_t objects);

}  // namespace apus
