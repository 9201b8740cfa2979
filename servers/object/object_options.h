// The options of [app:object-server].
#pragma once

#include <apus/options.h>

#include <array>

namespace apus {

using enum OptionType;

inline constexpr std::array kObjectOptions = {
    OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
    OptionSpec{"disable_fallocate", kBool, "no", "do not reserve space before writing"},
    OptionSpec{"fallocate_reserve", kText, "1%", "free space to keep, bytes or N%"},
    OptionSpec{"disk_chunk_size", kInt, "65536", "bytes a read from the disk takes", 1, 1 << 26},
    OptionSpec{"network_chunk_size", kInt, "65536", "bytes a read from the network takes", 1,
               1 << 26},
    OptionSpec{"mb_per_sync", kInt, "512", "MiB between flushes of a large upload", 0, 1e6},
    OptionSpec{"node_timeout", kNumber, "3", "seconds a container server may take", 0.001, 86400},
    OptionSpec{"conn_timeout", kNumber, "0.5", "seconds to connect to it", 0.001, 86400},
    OptionSpec{"container_update_timeout", kNumber, "1", "seconds an update may hold up the answer",
               0.001, 86400},
    OptionSpec{"reclaim_age", kNumber, "604800", "seconds a tombstone is kept", 0, 1e9},
    OptionSpec{"allowed_headers", kText,
               "Content-Disposition, Content-Encoding, X-Delete-At, X-Object-Manifest, "
               "X-Static-Large-Object, "
               "Cache-Control, Content-Language, Expires, X-Robots-Tag",
               "request headers kept with an object"},
    OptionSpec{"auto_create_account_prefix", kText, nullptr,
               "start of the expirer's account; default swift.conf's"},
    OptionSpec{"expiring_objects_account_name", kText, "expiring_objects",
               "the expirer's account, behind the prefix"},
    OptionSpec{"expiring_objects_container_divisor", kInt, "86400",
               "seconds that one container of the expirer's queue spans", 101, 1e9},
    OptionSpec{"etag_validate_pct", kNumber, "100",
               "percent of whole reads of objects over 64 KiB that are checked against their MD5",
               0, 100},
    OptionSpec{"known_objects", kInt, "4096",
               "objects read lately that are kept in memory, those up to 4 KiB with their bytes, "
               "for as long as their folder and file are unchanged",
               0, 1e7},
    OptionSpec{"slow", kNumber, "0", "least seconds a PUT or DELETE takes", 0, 86400},
    OptionSpec{"max_upload_time", kNumber, "86400", "seconds an upload may take", 1, 1e9},
    OptionSpec{"log_requests", kBool, "true", "a line for every request"},
    OptionSpec{"replication_server", kText, nullptr, "false: no REPLICATE and no SSYNC"},
    OptionSpec{"replication_concurrency", kInt, "4", "SSYNC requests at once, 0 without limit", 0,
               1e6},
    OptionSpec{"replication_concurrency_per_device", kInt, "1",
               "SSYNC requests at once on one device, 0 without limit", 0, 1e6},
    OptionSpec{"replication_lock_timeout", kInt, "15", "seconds SSYNC waits for its locks", 0,
               86400},
    OptionSpec{"replication_failure_threshold", kInt, "100", "failed parts that may end an SSYNC",
               0, 1e9},
    OptionSpec{"replication_failure_ratio", kNumber, "1.0", "failures for each success that end it",
               0, 1e9},
    OptionSpec{
        "keep_cache_size", kInt, nullptr,
        "objects of that many bytes and more leave the page cache when they were read; unset: "
        "the kernel decides",
        0, 9e18},
    OptionSpec{"keep_cache_private", kBool, "false",
               "keep in the page cache also what was read with a token in the request"},
    OptionSpec{"keep_cache_slo_manifest", kBool, "false",
               "keep the manifests of static large objects, with a token or without"},
    OptionSpec{"splice", kBool, "no", "accepted; Apus uses sendfile"},
};

}  // namespace apus
