// Tells the account servers what a container holds now.
#pragma once

#include <apus/host.h>
#include <apus/message.h>
#include <apus/transport.h>

#include <optional>
#include <string>

#include "framework/backend/backend.h"
#include "framework/store/db/container_broker.h"

namespace apus {

class AccountUpdate {
 public:
  AccountUpdate(Host& host, Logger& log, const Deadlines& deadlines);

  /// Sends to every X-Account-Host and -Device of the request, all at once. An answer only when all
  /// of them said 404 (404), or hosts and devices differ in number (400); any other failure is
  /// logged, and the updater's to repair.
  [[nodiscard]] std::optional<Response> send(const Request& request, const BackendPath& path,
                                             ContainerBroker& broker) const;

 private:
  Host& host_;
  Logger& log_;
  Deadlines deadlines_;
  std::string user_agent_;
};

}  // namespace apus
