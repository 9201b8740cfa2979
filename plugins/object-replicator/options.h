// The options of the object replicator.
#pragma once

#include <apus/options.h>

#include <array>

namespace apus {

constexpr std::array kReplicatorOptions = [] {
  using enum OptionType;
  return std::array{
      OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
      OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
      OptionSpec{"bind_ip", kText, "0.0.0.0", "the server's address, as the ring has it"},
      OptionSpec{"ring_ip", kText, nullptr, "address in the ring where it is not bind_ip"},
      OptionSpec{"bind_port", kInt, "6200", "the server's port, as the ring has it", 0, 65535},
      OptionSpec{"servers_per_port", kInt, "0",
                 "more than 0: devices of any port are this server's", 0, 1e6},
      OptionSpec{"interval", kNumber, nullptr, "seconds between passes; 30", 0, 1e9},
      OptionSpec{"run_pause", kNumber, "30", "older name of interval", 0, 1e9},
      OptionSpec{"concurrency", kInt, "1", "partitions at once, for each worker", 1, 10000},
      OptionSpec{"replicator_workers", kInt, "0",
                 "workers, no more than devices; with any, numbers of each device are kept", 0,
                 10000},
      OptionSpec{"stats_interval", kNumber, "300", "seconds between lines about progress", 0.001,
                 1e9},
      OptionSpec{"sync_method", kText, "rsync", "how objects travel: rsync or ssync"},
      OptionSpec{"rsync_module", kText, "{replication_ip}::object", "rsync target of a device"},
      OptionSpec{"rsync_timeout", kNumber, "900", "seconds one rsync may take", 0.001, 1e9},
      OptionSpec{"rsync_io_timeout", kText, "30", "rsync's --timeout and --contimeout"},
      OptionSpec{"rsync_bwlimit", kText, "0", "rsync's --bwlimit, 0 = none"},
      OptionSpec{"rsync_compress", kBool, "no", "compress between regions"},
      OptionSpec{"log_rsync_transfers", kBool, "true", "a debug line for each file that was sent"},
      OptionSpec{"rsync_error_log_line_length", kInt, "0", "where error lines are cut, 0 = nowhere",
                 0, 1e9},
      OptionSpec{"conn_timeout", kNumber, "0.5", "seconds to connect to a peer", 0.001, 86400},
      OptionSpec{"node_timeout", kNumber, "10", "seconds for a peer to take a piece of an SSYNC",
                 0.001, 86400},
      OptionSpec{"http_timeout", kNumber, "60", "seconds for a peer's answer", 0.001, 86400},
      OptionSpec{"handoffs_first", kBool, "no",
                 "partitions that belong elsewhere first, and no others while one of them is left"},
      OptionSpec{"handoff_delete", kText, "auto", "copies that let a handoff go; auto: all"},
      OptionSpec{"reclaim_age", kNumber, "604800", "seconds a tombstone is kept", 0, 1e9},
      OptionSpec{"ring_check_interval", kNumber, "15", "accepted", 0, 1e9},
      OptionSpec{"lockup_timeout", kNumber, "1800", "accepted", 0, 1e9},
      OptionSpec{"recon_cache_path", kText, "/var/cache/swift", "folder of object.recon"},
      OptionSpec{"override_devices", kList, nullptr, "one pass over these devices alone"},
      OptionSpec{"override_partitions", kList, nullptr, "one pass over these partitions alone"},
      OptionSpec{"override_policies", kList, nullptr, "one pass over these policies alone"},
  };
}();

}  // namespace apus
