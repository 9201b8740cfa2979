// The options of both database replicators.
#pragma once

#include <apus/options.h>

#include <array>

namespace apus {

/// `port`, `module` and `connect` are the defaults that differ.
constexpr auto replicator_options(const char* port, const char* module,
                                  const char* connect = "0.5") {
  using enum OptionType;
  return std::array{
      OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
      OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
      OptionSpec{"bind_ip", kText, "0.0.0.0", "the server's address, as the ring has it"},
      OptionSpec{"bind_port", kInt, port, "the server's port, as the ring has it", 0, 65535},
      OptionSpec{"interval", kNumber, nullptr, "seconds between the starts of passes; 30", 0, 1e9},
      OptionSpec{"run_pause", kNumber, "30", "older name of interval", 0, 1e9},
      OptionSpec{"concurrency", kInt, "8", "partitions at once", 1, 10000},
      OptionSpec{"databases_per_second", kNumber, "50", "databases a second; 0 = no bound", 0, 1e9},
      OptionSpec{"per_diff", kInt, "1000", "rows in one call", 1, 1e9},
      OptionSpec{"max_diffs", kInt, "100", "calls for one database in one pass", 0, 1e9},
      OptionSpec{"node_timeout", kNumber, "10", "seconds a peer may take", 0.001, 86400},
      OptionSpec{"conn_timeout", kNumber, connect, "seconds to connect to it", 0.001, 86400},
      OptionSpec{"reclaim_age", kNumber, "604800", "seconds a tombstone is kept", 0, 1e9},
      OptionSpec{"rsync_compress", kBool, "no", "compress between regions"},
      OptionSpec{"rsync_module", kText, module, "rsync target of a device"},
      OptionSpec{"handoffs_only", kBool, "no", "only databases that are on handoffs"},
      OptionSpec{"handoff_delete", kText, "auto", "copies that let a handoff go; auto: all"},
      OptionSpec{"recon_cache_path", kText, "/var/cache/swift", "folder of the recon files"},
  };
}

}  // namespace apus
