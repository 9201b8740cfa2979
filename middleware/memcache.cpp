// memcache: gives the filters and the proxy behind it a cache. Without servers it is this process's
// own.
#include <apus/local_cache.h>
#include <apus/plugin.h>

#include <array>
#include <stdexcept>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"memcache_servers", OptionType::kText, nullptr,
               "HOST:PORT,...; unset = a cache in this process"},
};

class MemcacheFilter final : public Filter {
 public:
  MemcacheFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)), cache_(make_local_cache(args.host.clock())) {
    if (args.options.find("memcache_servers")) {
      throw std::runtime_error(
          "memcache_servers: this build has the cache of one process only; remove the line");
    }
  }

  Response operator()(Request& request) const override {
    request.context.cache = cache_.get();
    return next()(request);
  }

 private:
  std::unique_ptr<Cache> cache_;
};

}  // namespace

APUS_EXPORT_FILTER("memcache", "1.0", MemcacheFilter, kOptions)

}  // namespace apus
