// memcache: gives the filters and the proxy behind it a cache: the memcached servers of the conf,
// or one of this process's own.
#include <apus/ini.h>
#include <apus/local_cache.h>
#include <apus/memcached.h>
#include <apus/plugin.h>
#include <apus/recent_answers.h>

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

namespace apus {
namespace {

constexpr double kMost = 1e9;
constexpr const char* kDefaultServer = "127.0.0.1:11211";
constexpr const char* kLocal = "local";
constexpr std::array kOptions = {
    OptionSpec{"memcache_servers", OptionType::kText, nullptr,
               "HOST:PORT,... (127.0.0.1:11211), or local: a cache in this process"},
    OptionSpec{"memcache_max_connections", OptionType::kText, nullptr,
               "connections per server (32)"},
    OptionSpec{"max_connections", OptionType::kText, nullptr, "its older name"},
    OptionSpec{"connect_timeout", OptionType::kNumber, "0.3", "seconds", 0.001, kMost},
    OptionSpec{"pool_timeout", OptionType::kNumber, "1.0", "seconds to wait for a free connection",
               0, kMost},
    OptionSpec{"io_timeout", OptionType::kNumber, "2.0", "seconds for an answer", 0.001, kMost},
    OptionSpec{"tries", OptionType::kInt, "3", "servers asked for one key", 1, 1000},
    OptionSpec{"error_suppression_interval", OptionType::kNumber, "60.0",
               "seconds in which errors are counted, and a server rests", 0, kMost},
    OptionSpec{"error_suppression_limit", OptionType::kNumber, "10",
               "more errors than this rest a server", 0, kMost},
    OptionSpec{"item_size_warning_threshold", OptionType::kInt, "-1",
               "bytes from which a value is logged", -1, kMost},
    OptionSpec{"reuse_time", OptionType::kNumber, "0.01",
               "seconds in which a server's answer serves other requests too; 0: each asks", 0, 60},
    OptionSpec{"tls_enabled", OptionType::kBool, "false",
               "TLS to the servers: not built in, refused"},
    OptionSpec{"tls_cafile", OptionType::kText, nullptr, "with tls_enabled"},
    OptionSpec{"tls_certfile", OptionType::kText, nullptr, "with tls_enabled"},
    OptionSpec{"tls_keyfile", OptionType::kText, nullptr, "with tls_enabled"},
};

using Section = std::map<std::string, std::string, std::less<>>;

// [memcache] of memcache.conf: what the filter's own section does not say.
Section base_options(const Host& host) {
  const auto sections = read_ini(host.swift_conf().directory + "/memcache.conf");
  if (!sections) return {};
  const auto memcache = sections->find("memcache");
  return memcache == sections->end() ? Section() : memcache->second;
}

// The filter's options over those of memcache.conf, checked by the same table.
Options merged(const PluginArgs& args, const std::string& path) {
  Options::Map values = args.options.all();
  for (const auto& [name, value] : base_options(args.host))
    values.try_emplace(name, Options::Value{value, {path, 0, "memcache"}});
  Options out("memcache", kOptions.data(), kOptions.size(), std::move(values));
  for (const Options::Problem& problem : out.check()) {
    if (problem.fatal)
      throw std::runtime_error(path + ": " + problem.option + ": " + problem.message);
  }
  return out;
}

// The first that is a positive number; Swift takes others for unset.
int connections(const Options& options) {
  for (const char* name : {"memcache_max_connections", "max_connections"}) {
    const auto value = parse_int(options.find(name).value_or(""));
    if (value && *value > 0) return static_cast<int>(std::min<std::int64_t>(*value, 10000));
  }
  return MemcachedConf().max_connections;
}

std::unique_ptr<Cache> make_cache(const PluginArgs& args) {
  const Options options = merged(args, args.host.swift_conf().directory + "/memcache.conf");
  MemcachedConf conf;
  conf.servers = split_list(options.text("memcache_servers"));
  if (conf.servers == std::vector<std::string>{kLocal}) return make_local_cache(args.host.clock());
  // Swift's own default: proxies of both kinds with the same conf know each other's tokens.
  if (conf.servers.empty()) conf.servers.emplace_back(kDefaultServer);
  if (options.flag("tls_enabled")) {
    throw std::runtime_error(
        "tls_enabled: TLS to memcached is not built in; set it to no, or lead the connections "
        "through a TLS tunnel on this machine");
  }
  conf.connect_timeout = options.seconds("connect_timeout");
  conf.pool_timeout = options.seconds("pool_timeout");
  conf.io_timeout = options.seconds("io_timeout");
  conf.tries = static_cast<int>(options.integer("tries"));
  conf.max_connections = connections(options);
  conf.error_suppression_interval = options.number("error_suppression_interval");
  conf.error_suppression_limit = options.number("error_suppression_limit");
  conf.item_size_warning_threshold = options.integer("item_size_warning_threshold");
  auto servers =
      make_memcached_cache(std::move(conf), args.host.clock(), args.host.logger(args.options));
  const auto reuse = options.seconds("reuse_time");
  if (reuse.count() == 0) return servers;
  return make_recent_answers(std::move(servers), args.host.clock(), reuse);
}

class MemcacheFilter final : public Filter {
 public:
  MemcacheFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)), cache_(make_cache(args)) {}

  Response operator()(Request& request) const override {
    request.context.cache = cache_.get();
    next().foresee(request, request.context.foreseen);
    return next()(request);
  }

 private:
  std::unique_ptr<Cache> cache_;
};

}  // namespace

APUS_EXPORT_FILTER("memcache", "1.0", MemcacheFilter, kOptions)

}  // namespace apus
