// backend_ratelimit: how often each device of a storage server may be asked, by method and in all.
#include <apus/ini.h>
#include <apus/plugin.h>
#include <apus/rate_limiter.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <stdexcept>

namespace apus {
namespace {

constexpr double kMost = 1e9;
constexpr std::array kOptions = {
    OptionSpec{"requests_per_device_per_second", OptionType::kNumber, "0.0",
               "all methods together; 0 = no limit", 0, kMost},
    OptionSpec{"get_requests_per_device_per_second", OptionType::kNumber, "0.0", "GET", 0, kMost},
    OptionSpec{"head_requests_per_device_per_second", OptionType::kNumber, "0.0", "HEAD", 0, kMost},
    OptionSpec{"put_requests_per_device_per_second", OptionType::kNumber, "0.0", "PUT", 0, kMost},
    OptionSpec{"post_requests_per_device_per_second", OptionType::kNumber, "0.0", "POST", 0, kMost},
    OptionSpec{"delete_requests_per_device_per_second", OptionType::kNumber, "0.0", "DELETE", 0,
               kMost},
    OptionSpec{"update_requests_per_device_per_second", OptionType::kNumber, "0.0", "UPDATE", 0,
               kMost},
    OptionSpec{"replicate_requests_per_device_per_second", OptionType::kNumber, "0.0", "REPLICATE",
               0, kMost},
    OptionSpec{"requests_per_device_rate_buffer", OptionType::kNumber, "1.0",
               "seconds of unused allowance that may be made up for", 0, kMost},
    OptionSpec{"backend_ratelimit_conf_path", OptionType::kText, nullptr,
               "file whose [backend_ratelimit] goes before the options above; read again while "
               "running. Unset = backend-ratelimit.conf in swift_dir, when it is there"},
    OptionSpec{"config_reload_interval", OptionType::kNumber, "60.0",
               "seconds between looks at that file; 0 = never", 0, kMost},
};
// The place of a method here is its place in Limits; the last one is all methods together.
constexpr std::array<std::string_view, 8> kMethods = {"GET",    "HEAD",   "PUT",       "POST",
                                                      "DELETE", "UPDATE", "REPLICATE", ""};
constexpr std::size_t kAll = kMethods.size() - 1;

struct Limits {
  std::array<double, kMethods.size()> rates{};
  double buffer = 1;
  friend bool operator==(const Limits&, const Limits&) = default;
  [[nodiscard]] bool any() const {
    return std::any_of(rates.begin(), rates.end(), [](double rate) { return rate > 0; });
  }
};

Limits limits_of(const Options& options) {
  Limits out;
  for (std::size_t i = 0; i < kMethods.size(); ++i) {
    const std::string method = lower(kMethods[i]);
    out.rates[i] =
        options.number((method.empty() ? "" : method + "_") + "requests_per_device_per_second");
  }
  out.buffer = options.number("requests_per_device_rate_buffer");
  return out;
}

class BackendRatelimitFilter final : public Filter {
 public:
  BackendRatelimitFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        log_(args.host.logger(args.options)),
        options_(args.options),
        path_(args.options.text("backend_ratelimit_conf_path")),
        expected_(!path_.empty()),
        interval_(args.options.number("config_reload_interval")),
        last_look_(args.host.clock().now()) {
    if (path_.empty()) path_ = args.host.swift_conf().directory + "/backend-ratelimit.conf";
    limits_ = limits_of(options_);
    active_ = limits_.any();
    reload();
  }

  Response operator()(Request& request) const override {
    look_again();
    if (!active_) return next()(request);
    const auto method = std::find(kMethods.begin(), kMethods.end(), request.method);
    // "/DEVICE/PARTITION[/...]"
    const auto path = split_api_path(request.path, 2);
    if (method == kMethods.end() || method->empty() || !path || !parse_int(path->account) ||
        allowed(path->version, static_cast<std::size_t>(method - kMethods.begin()))) {
      return next()(request);
    }
    host_.metrics().increment("backend.ratelimit");
    return error_response(529, request.method == "HEAD");
  }

 private:
  using Limiters = std::array<std::optional<RateLimiter>, kMethods.size()>;

  // The device's own limit is asked first and then the method's, as Swift does.
  bool allowed(std::string_view device, std::size_t method) const {
    const std::lock_guard lock(mutex_);
    auto at = devices_.find(device);
    if (at == devices_.end()) at = devices_.emplace(std::string(device), Limiters()).first;
    const double now = host_.clock().now();
    for (const std::size_t which : {kAll, method}) {
      auto& limiter = at->second[which];
      if (!limiter) limiter.emplace(limits_.rates[which], limits_.buffer, now, true);
      if (!limiter->allows(now)) return false;
    }
    return true;
  }

  void look_again() const {
    if (interval_ <= 0) return;
    const double now = host_.clock().now();
    double last = last_look_;
    // One of the threads that find it due does it.
    if (now - last < interval_ || !last_look_.compare_exchange_strong(last, now)) return;
    reload();
  }

  void reload() const {
    try {
      const auto sections = read_ini(path_);
      if (!sections) return missing();
      const auto section = sections->find("backend_ratelimit");
      if (section == sections->end())
        throw std::runtime_error("Unable to find backend_ratelimit config section in " + path_);
      apply(section->second);
    } catch (const std::exception& error) {
      log_.warning("Invalid config file " + path_ + ", config unchanged: " + error.what());
    }
  }

  void missing() const {
    if (expected_.exchange(false))
      log_.warning("Failed to load config file, config unchanged: there is no " + path_);
  }

  // Over the filter's own options, not over what an earlier state of the file said.
  void apply(const std::map<std::string, std::string, std::less<>>& values) const {
    Options::Map merged = options_.all();
    for (const auto& [name, value] : values)
      merged.insert_or_assign(name, Options::Value{value, {path_, 0, "backend_ratelimit"}});
    const Options options(options_.name(), kOptions.data(), kOptions.size(), std::move(merged));
    for (const Options::Problem& problem : options.check()) {
      if (problem.fatal) throw std::runtime_error(problem.option + ": " + problem.message);
    }
    const Limits limits = limits_of(options);
    const bool expected = expected_.exchange(true);
    const std::lock_guard lock(mutex_);
    const bool changed = limits != limits_;
    limits_ = limits;
    active_ = limits.any();
    for (auto& [device, limiters] : devices_) {
      for (std::size_t i = 0; i < limiters.size(); ++i) {
        if (limiters[i]) limiters[i]->change(limits.rates[i], limits.buffer);
      }
    }
    if (changed) log_.info("Loaded config file " + path_ + ", config changed");
    if (!changed && !expected) log_.info("Loaded new config file " + path_ + ", config unchanged");
  }

  Host& host_;
  Logger& log_;
  Options options_;
  std::string path_;
  mutable std::atomic<bool> expected_;
  double interval_;
  mutable std::atomic<double> last_look_;
  mutable std::atomic<bool> active_{false};
  mutable std::mutex mutex_;
  mutable Limits limits_;
  mutable std::map<std::string, Limiters, std::less<>> devices_;
};

}  // namespace

APUS_EXPORT_FILTER("backend_ratelimit", "1.0", BackendRatelimitFilter, kOptions)

}  // namespace apus
