// One memcached server: a few connections, and a rest for it when it fails too often.
#pragma once

#include <apus/memcached.h>
#include <libmemcached/memcached.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace apus {

struct MemcachedFree {
  void operator()(memcached_st* connection) const { memcached_free(connection); }
};
using MemcachedConnection = std::unique_ptr<memcached_st, MemcachedFree>;

/// Thread-safe.
class MemcachedServer {
 public:
  MemcachedServer(std::string name, const MemcachedConf& conf, Clock& clock, Logger& log);

  /// False while it rests.
  [[nodiscard]] bool usable();
  /// Runs `command` on a connection of its own. False when the server could not be talked to, which
  /// is logged and counted; what it refuses is an answer.
  bool run(const std::function<memcached_return_t(memcached_st&)>& command);
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  MemcachedConnection take();
  void give_back(MemcachedConnection connection);
  void failed(const std::string& what);
  [[nodiscard]] MemcachedConnection connect() const;

  std::string name_;
  const MemcachedConf& conf_;
  Clock& clock_;
  Logger& log_;
  std::string host_;
  int port_ = 0;

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<MemcachedConnection> idle_;
  int open_ = 0;
  std::deque<double> errors_;
  double rests_until_ = 0;
};

}  // namespace apus
