// The container that another one is synced to: its objects over HTTP, requests signed.
#pragma once

#include <apus/headers.h>
#include <apus/host.h>
#include <apus/message.h>
#include <apus/web_client.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "framework/backend/sync_target.h"

namespace apus {

/// Thread-safe. Throws TransportError when no answer comes.
class RemoteContainer {
 public:
  /// `target` is one without an error; `user_key` the container's X-Container-Sync-Key; of
  /// `proxies` one is chosen for each request. `timeout` is for connecting and for each wait.
  RemoteContainer(Host& host, SyncTarget target, std::string user_key,
                  std::vector<std::string> proxies, std::chrono::milliseconds timeout);

  [[nodiscard]] const std::string& url() const { return target_.url; }
  /// HEAD: status, and X-Timestamp when there is one.
  struct Known {
    int status = 0;
    Timestamp timestamp;
  };
  [[nodiscard]] Known look_at(const std::string& object, const Timestamp& when) const;
  /// Statuses. A body that fails on its way is a BodyError.
  [[nodiscard]] int remove(const std::string& object, const Timestamp& when) const;
  [[nodiscard]] int put(const std::string& object, Headers fields, Source& body,
                        std::uint64_t length) const;

 private:
  [[nodiscard]] WebRequest request(const char* method, const std::string& object,
                                   Headers fields) const;
  [[nodiscard]] std::string proxy() const;

  Host& host_;
  SyncTarget target_;
  std::string user_key_;
  std::vector<std::string> proxies_;
  WebOptions options_;
};

}  // namespace apus
