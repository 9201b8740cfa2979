#include "framework/conf/server_options.h"

namespace apus {
namespace {

using enum OptionType;

// Of every server.
constexpr OptionSpec kCommon[] = {
    {"bind_ip", kText, "0.0.0.0", "address to listen on"},
    {"bind_port", kInt, nullptr, "port to listen on; 0 takes any free one", 0, 65535, false, true},
    {"listen", kBool, "yes", "no: reached only from inside this process"},
    {"bind_timeout", kInt, "30", "seconds to try binding while the port is taken", 0, 86400},
    {"backlog", kInt, "4096", "connections the kernel queues", 1, 65535},
    {"max_clients", kInt, "10000", "open connections; further ones get 503", 1, 1000000},
    {"worker_threads", kInt, "64", "requests worked on at once", 1, 10000},
    {"client_timeout", kNumber, "60", "seconds a client may be silent inside a request", 0.001,
     86400},
    {"keepalive_timeout", kNumber, nullptr,
     "seconds an idle connection is kept; client_timeout when unset", 0, 86400},
    {"stale_worker_timeout", kNumber, "86400",
     "seconds after HUP or USR1 in which the old worker serves the connections it has", 0.001, 1e9},
    {"header_timeout", kNumber, "60", "seconds for a whole request head", 0.001, 86400},
    {"cert_file", kText, nullptr, "TLS certificate chain (PEM)"},
    {"key_file", kText, nullptr, "TLS private key (PEM)"},
    {"workers", kText, "auto", "accepted for Swift's confs; Apus serves from threads"},
    {"user", kText, "swift", "user to run as"},
    {"swift_dir", kText, "/etc/swift", "folder of swift.conf and the rings"},
    {"strict_config", kBool, "no", "unknown options are errors"},
    {"plugin_path", kList, nullptr, "more folders to look for plugins in"},
    {"log_name", kText, nullptr, "name in log lines and metrics; the app's when unset"},
    {"log_facility", kText, "LOG_LOCAL0", "syslog facility"},
    {"log_level", kText, "INFO", "DEBUG, INFO, NOTICE, WARNING, ERROR or CRITICAL"},
    {"log_address", kText, "/dev/log", "syslog's socket"},
    {"log_to", kText, "syslog", "syslog, stderr or file:PATH"},
    {"log_max_line_length", kInt, "0", "cut longer lines; 0 = never", 0, 1e9},
    {"log_udp_host", kText, nullptr, "send to a remote syslog"},
    {"log_udp_port", kInt, "514", "its port", 1, 65535},
    {"log_custom_handlers", kText, nullptr, "accepted for Swift's confs; names Python code"},
    {"log_statsd_host", kText, nullptr, "StatsD server"},
    {"log_statsd_port", kInt, "8125", "its port", 1, 65535},
    {"log_statsd_default_sample_rate", kNumber, "1", "share of events sent", 0, 1},
    {"log_statsd_sample_rate_factor", kNumber, "1", "multiplies every sample rate", 0, 1},
    {"log_statsd_metric_prefix", kText, nullptr, "goes before every name"},
    {"log_headers", kBool, "no", "log request headers"},
    {"keep_idle", kInt, "600", "TCP keep-alive idle seconds", 1, 32767},
    {"cpu_scheduling", kText, "batch",
     "batch: a thread that wakes waits for its turn; other: it may interrupt one that runs"},
    {"nice_priority", kInt, nullptr, "CPU priority, -20 (first) to 19 (last)", -20, 19},
    {"ionice_class", kText, nullptr, "IOPRIO_CLASS_RT, IOPRIO_CLASS_BE or IOPRIO_CLASS_IDLE"},
    {"ionice_priority", kInt, nullptr, "within ionice_class, 0 (first) to 7 (last)", 0, 7},
    {"expiring_objects_container_divisor", kInt, "86400", "seconds per queue container", 1, 1e9},
    {"expiring_objects_account_name", kText, "expiring_objects", "account of the queue"},
    {"eventlet_debug", kText, nullptr, "accepted for Swift's confs"},
    {"require_proxy_protocol", kBool, "no", "accepted for Swift's confs; PROXY lines are not read"},
};

// Of proxies, in [DEFAULT] for their filters and the app.
constexpr OptionSpec kProxy[] = {
    {"expose_info", kBool, "true", "answer /info"},
    {"admin_key", kText, nullptr, "key of signed /info requests", -9e18, 9e18, true},
    {"disallowed_sections", kText, "swift.auto_create_account_prefix, swift.valid_api_versions",
     "hidden from /info"},
    {"cors_allow_origin", kText, nullptr, "origins allowed everywhere"},
    {"cors_expose_headers", kText, nullptr, "headers shown to browsers"},
    {"strict_cors_mode", kBool, "true", "CORS headers only for allowed origins"},
    {"trans_id_suffix", kText, nullptr, "goes at the end of transaction ids"},
};

// Of servers with devices.
constexpr OptionSpec kStorage[] = {
    {"devices", kText, "/srv/node", "folder of the devices"},
    {"mount_check", kBool, "true", "a device must be a mount point"},
    {"disable_fallocate", kBool, "no", "do not reserve space before writing"},
    {"fallocate_reserve", kText, "1%", "free space to keep, bytes or N%"},
    {"db_preallocation", kBool, "off", "accepted for Swift's confs"},
    {"auto_create_account_prefix", kText, nullptr, "accepted for Swift's confs; set in swift.conf"},
    {"recon_cache_path", kText, "/var/cache/swift", "folder of the recon files"},
    {"servers_per_port", kInt, "0", "accepted for Swift's confs; threads serve every port", 0,
     10000},
    {"ring_ip", kText, nullptr, "this server's address in the rings; bind_ip when unset"},
    {"ring_check_interval", kNumber, "15", "seconds between looks at the rings", 0.001, 1e9},
};

// Not of a deployer.
constexpr OptionSpec kGiven[] = {
    {"here", kText, nullptr, "the conf's folder"},
    {kConfFileOption, kText, nullptr, "the conf's path"},
};

void append(std::vector<OptionSpec>& to, std::span<const OptionSpec> specs) {
  to.insert(to.end(), specs.begin(), specs.end());
}

}  // namespace

std::span<const OptionSpec> server_options() {
  static const std::vector<OptionSpec> all = [] {
    std::vector<OptionSpec> out;
    for (const std::span<const OptionSpec> part :
         {std::span<const OptionSpec>(kCommon), std::span<const OptionSpec>(kProxy),
          std::span<const OptionSpec>(kStorage), std::span<const OptionSpec>(kGiven)}) {
      append(out, part);
    }
    return out;
  }();
  return all;
}

std::vector<OptionSpec> server_options_of(bool storage) {
  std::vector<OptionSpec> out;
  append(out, kCommon);
  append(out,
         storage ? std::span<const OptionSpec>(kStorage) : std::span<const OptionSpec>(kProxy));
  return out;
}

const std::vector<std::string>& server_option_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const OptionSpec& spec : server_options()) out.emplace_back(spec.name);
    return out;
  }();
  return names;
}

}  // namespace apus
