// The tasks of a pass: read from the queue's containers, put in turn by the containers of their
// objects.
#pragma once

#include <apus/host.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <stop_token>
#include <string>

#include "framework/backend/expiry_task.h"
#include "framework/pipeline/internal_client.h"
#include "plugins/object-expirer/expirer_settings.h"

namespace apus {

/// One row of the queue that is due.
struct DueTask {
  std::string container;  ///< of the queue
  std::string row;        ///< its name there
  ExpiryTask task;
  bool async_delete = false;  ///< to be deleted whatever its X-Delete-At says
};

/// One thread.
class ExpiryQueue {
 public:
  using Take = std::function<void(DueTask)>;

  ExpiryQueue(Host& host, Logger& log, const ExpirerSettings& settings,
              const InternalClient& client)
      : host_(host), log_(log), settings_(settings), client_(client) {}

  /// Hands every due task of this process to `take`, no container's objects in a row while there
  /// are others. Empty containers of the queue are deleted. Throws UnexpectedAnswer when the queue
  /// cannot be read.
  void each(const Take& take, const std::stop_token& stop);

 private:
  [[nodiscard]] std::vector<std::string> due_containers(const std::stop_token& stop) const;
  void read(const std::string& container, const Take& take, const std::stop_token& stop);
  /// False when this row, and all behind it, are not due.
  bool add(const std::string& container, const Json& row, const Take& take,
           const std::stop_token& stop);
  void hand_out(const Take& take, const std::stop_token& stop);
  void drop(const std::string& container, const std::stop_token& stop);

  Host& host_;
  Logger& log_;
  const ExpirerSettings& settings_;
  const InternalClient& client_;
  std::map<std::string, std::deque<DueTask>> waiting_;  ///< by the objects' "account/container"
  std::size_t count_ = 0;
};

}  // namespace apus
