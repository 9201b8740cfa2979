// The expirer's work list: one row for each object that shall end, in containers by day.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "servers/object/container_update.h"

namespace apus {

class ExpirerQueue {
 public:
  struct Settings {
    std::string account;           ///< ".expiring_objects"
    std::int64_t divisor = 86400;  ///< seconds that one container spans, > 100
  };
  struct Object {
    std::string_view account;
    std::string_view container;
    std::string_view name;
    std::string_view hash;  ///< 32 hex digits of the object's path
  };

  ExpirerQueue(const ContainerUpdates& updates, Logger& log, Settings settings);

  /// Enters the object for `when`, at the servers the request names. A request that names none is
  /// one of several copies: another does it.
  void add(const Request& request, const PartitionPlace& place, const Object& object,
           std::int64_t when, const Timestamp& timestamp) const;
  /// Takes the object's row for `when` out: queued on the device, sent by the updater. Nothing when
  /// the request says that the queue is not to be cleaned.
  void remove(const Request& request, const PartitionPlace& place, const Object& object,
              std::int64_t when, const Timestamp& timestamp) const;

 private:
  [[nodiscard]] ContainerUpdates::Update row(const char* method, const Request& request,
                                             const Object& object, std::int64_t when,
                                             const Timestamp& timestamp) const;
  [[nodiscard]] std::string container_of(const Object& object, std::int64_t when) const;

  const ContainerUpdates& updates_;
  Logger& log_;
  Settings settings_;
};

}  // namespace apus
