// A Cache in memcached servers, shared with every proxy that uses the same servers, Swift's too.
#pragma once

#include <apus/cache.h>
#include <apus/host.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace apus {

/// Swift's option names and defaults.
struct MemcachedConf {
  std::vector<std::string>
      servers;  ///< "HOST[:PORT]" or "[V6][:PORT]", as written: they are hashed
  std::chrono::milliseconds connect_timeout{300};
  std::chrono::milliseconds pool_timeout{1000};  ///< waiting for a free connection
  std::chrono::milliseconds io_timeout{2000};
  int tries = 3;             ///< servers asked for one key
  int max_connections = 32;  ///< per server; a request that finds none free waits
  double error_suppression_interval = 60;
  double error_suppression_limit = 10;  ///< more errors within the interval rest a server for it
  std::int64_t item_size_warning_threshold = -1;  ///< bytes; negative = never
};

/// Connects at first use. `clock` and `log` outlive it. Throws std::runtime_error that names a
/// server which is not "HOST[:PORT]".
APUS_API std::unique_ptr<Cache> make_memcached_cache(MemcachedConf conf, Clock& clock, Logger& log);

}  // namespace apus
