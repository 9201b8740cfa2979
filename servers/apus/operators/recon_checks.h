// The checks of `apus recon`, each one question to all hosts and its lines on stdout.
#pragma once

#include "servers/apus/operators/recon_scout.h"

namespace apus {

// What daemons left in recon_cache_path.
void check_async(const ReconOptions& options);
void check_drive_audit(const ReconOptions& options);
void check_replication(const ReconOptions& options);
void check_reconstruction(const ReconOptions& options);
void check_updater(const ReconOptions& options);
void check_auditor(const ReconOptions& options);  ///< of databases
void check_object_auditor(const ReconOptions& options);
void check_expirer(const ReconOptions& options);
void check_sharding(const ReconOptions& options);

// What machines and servers are like.
void check_unmounted(const ReconOptions& options);
void check_load(const ReconOptions& options);
void check_quarantine(const ReconOptions& options);
void check_sockets(const ReconOptions& options);
void check_server_type(const ReconOptions& options);
void check_time(const ReconOptions& options, double jitter);
void check_versions(const ReconOptions& options);

// Files that all nodes have alike. Throws std::runtime_error when one is not to be had here.
void check_ring_md5(const ReconOptions& options);
void check_swift_conf_md5(const ReconOptions& options);

struct DiskUsage {
  int top = 0;
  int lowest = 0;
  bool human_readable = false;
};
void check_disk_usage(const ReconOptions& options, const DiskUsage& usage);

}  // namespace apus
