// ratelimit: spreads writes and listings over time, by counters that all proxies share.
#include <apus/account_info.h>
#include <apus/cache.h>
#include <apus/constraints.h>
#include <apus/json.h>
#include <apus/plugin.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <stdexcept>

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"account_ratelimit", kNumber, "0",
               "PUT and DELETE of an account's containers a second; 0 = as many as come", 0, 1e9},
    OptionSpec{"max_sleep_time_seconds", kNumber, "60", "who had to wait longer gets 498", 0, 1e9},
    OptionSpec{"log_sleep_time_seconds", kNumber, "0", "longer waits are logged; 0 = none", 0, 1e9},
    OptionSpec{"clock_accuracy", kInt, "1000", "steps of the counters' clock a second", 1, 1e9},
    OptionSpec{"rate_buffer_seconds", kInt, "5", "how far back unused turns are kept", 0, 1e9},
    OptionSpec{"account_whitelist", kText, "", "accounts without limits (deprecated)"},
    OptionSpec{"account_blacklist", kText, "", "accounts that get 497 (deprecated)"},
    OptionSpec{"container_ratelimit_*", kNumber, nullptr,
               "container_ratelimit_SIZE: writes a second in containers of so many objects", 0,
               1e9},
    OptionSpec{"container_listing_ratelimit_*", kNumber, nullptr,
               "container_listing_ratelimit_SIZE: listings a second of such containers", 0, 1e9},
};

constexpr std::chrono::seconds kBlacklistSleep{1};

double read_number(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Rates by container size, straight lines between the sizes named.
class Rates {
 public:
  Rates(const Options& options, std::string_view prefix) {
    for (const auto& [name, value] : options.family(prefix)) {
      const auto size = parse_int(std::string_view(name).substr(prefix.size()));
      if (!size) throw std::runtime_error(name + ": a number of objects must end the name");
      points_.emplace_back(*size, read_number(value.text));
    }
    std::sort(points_.begin(), points_.end());
  }

  // Requests a second; 0 = no limit.
  double at(std::int64_t size) const {
    const auto above = std::find_if(points_.begin(), points_.end(),
                                    [&](const auto& point) { return size < point.first; });
    if (size == 0 || above == points_.begin()) return 0;
    const auto& [from, rate] = *(above - 1);
    if (above == points_.end()) return rate;
    const double slope = (above->second - rate) / static_cast<double>(above->first - from);
    return static_cast<double>(size - from) * slope + rate;
  }

  Json describe() const {
    Json::Array out;
    for (const auto& [size, rate] : points_) out.push_back(Json::Array{Json(size), Json(rate)});
    return out;
  }

 private:
  std::vector<std::pair<std::int64_t, double>> points_;
};

struct Limit {
  std::string key;
  double rate;
};

bool is_one_of(std::string_view method, std::initializer_list<std::string_view> methods) {
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

class RatelimitFilter final : public Filter {
 public:
  RatelimitFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        log_(args.host.logger(args.options)),
        account_rate_(args.options.number("account_ratelimit")),
        max_sleep_(args.options.number("max_sleep_time_seconds")),
        log_sleep_(args.options.number("log_sleep_time_seconds")),
        accuracy_(args.options.integer("clock_accuracy")),
        buffer_(args.options.integer("rate_buffer_seconds")),
        white_(split_list(args.options.text("account_whitelist"))),
        black_(split_list(args.options.text("account_blacklist"))),
        writes_(args.options, "container_ratelimit_"),
        listings_(args.options, "container_listing_ratelimit_") {
    for (const auto& [list, name] : {std::pair(&white_, "WHITELIST"), {&black_, "BLACKLIST"}}) {
      if (list->empty()) continue;
      log_.warning("Option account_" + lower(name) +
                   " is deprecated. POST `X-Account-Sysmeta-Global-Write-Ratelimit: " + name +
                   "` to the accounts instead.");
    }
    Json section;
    section.set("account_ratelimit", account_rate_);
    section.set("max_sleep_time_seconds", max_sleep_);
    section.set("container_ratelimits", writes_.describe());
    section.set("container_listing_ratelimits", listings_.describe());
    host_.info().set("ratelimit", section.dump());
  }

  Response operator()(Request& request) const override {
    if (request.context.cache == nullptr) {
      log_.warning("Warning: Cannot ratelimit without a memcached client",
                   request.context.trans_id);
      return next()(request);
    }
    const std::string path_text = request.path;
    const auto path = split_api_path(path_text, 2);
    if (!path || request.context.ratelimit_handled ||
        !is_valid_api_version(path->version, host_.swift_conf().constraints))
      return next()(request);
    request.context.ratelimit_handled = true;
    if (auto refusal = judge(request, *path)) return std::move(*refusal);
    return next()(request);
  }

 private:
  static bool has(const std::vector<std::string>& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  }

  std::optional<Response> judge(Request& request, const ApiPath& path) const {
    const auto account = get_account_info(request, next(), path.account, "RL");
    const std::string global(field_of(account->sysmeta, "global-write-ratelimit"));
    if (has(white_, path.account) || global == "WHITELIST") return std::nullopt;
    if (has(black_, path.account) || global == "BLACKLIST") {
      log_.error("Returning 497 because of blacklisting: " + std::string(path.account),
                 request.context.trans_id);
      host_.clock().sleep(kBlacklistSleep);
      return answer(request, 497, "Blacklisted", "Your account has been blacklisted");
    }
    for (const Limit& limit : limits(request, path, global)) {
      if (auto refusal = wait(request, limit)) return refusal;
    }
    return std::nullopt;
  }

  static Response answer(const Request& request, int status, std::string reason, std::string text) {
    Response out(status, std::move(text), "text/html; charset=UTF-8");
    if (request.method == "HEAD") out = error_response(status, true);
    out.reason = std::move(reason);
    return out;
  }

  // In the order in which they are asked.
  std::vector<Limit> limits(Request& request, const ApiPath& path,
                            const std::string& global) const {
    std::vector<Limit> out;
    const std::string account(path.account);
    const std::string container = account + "/" + std::string(path.container);
    const bool of_container = !path.container.empty() && path.object.empty();
    const bool writes = is_one_of(request.method, {"PUT", "DELETE", "POST", "COPY"});
    if (account_rate_ > 0 && of_container && is_one_of(request.method, {"PUT", "DELETE"}))
      out.push_back({"ratelimit/" + account, account_rate_});
    if (!path.object.empty() && writes)
      add(out, "ratelimit/" + container, writes_.at(size_of(request, path)));
    if (of_container && request.method == "GET")
      add(out, "ratelimit_listing/" + container, listings_.at(size_of(request, path)));
    if (writes) add(out, "ratelimit/global-write/" + account, read_number(global));
    return out;
  }

  static void add(std::vector<Limit>& to, std::string key, double rate) {
    if (rate > 0) to.push_back({std::move(key), rate});
  }

  std::int64_t size_of(Request& request, const ApiPath& path) const {
    return get_container_info(request, next(), path.account, path.container, "RL")->object_count;
  }

  // Takes a turn and sleeps until it comes; 498 when that is too far away.
  std::optional<Response> wait(const Request& request, const Limit& limit) const {
    const double steps = take_turn(*request.context.cache, limit);
    const auto accuracy = static_cast<double>(accuracy_);
    if (steps < 0) {
      std::array<char, 32> text;
      std::snprintf(text.data(), text.size(), "%.2f", -steps / accuracy);
      log_.error("Returning 498 for " + request.method + " to " + request.path +
                     ". Ratelimit (Max Sleep) Max Sleep Time Exceeded: " + text.data(),
                 request.context.trans_id);
      return answer(request, 498, "Rate Limited", "Slow down");
    }
    const double seconds = steps / accuracy;
    if (log_sleep_ > 0 && seconds > log_sleep_)
      log_.warning("Ratelimit sleep log: " + std::to_string(seconds) + " for " + request.path,
                   request.context.trans_id);
    if (seconds > 0) host_.clock().sleep(std::chrono::nanoseconds(std::llround(seconds * 1e9)));
    return std::nullopt;
  }

  // The counter holds the moment up to which turns are given, in steps since 1970. Returns the
  // steps to sleep, negative when they are too many.
  double take_turn(Cache& cache, const Limit& limit) const {
    const auto accuracy = static_cast<double>(accuracy_);
    const std::int64_t now = std::llrint(host_.clock().now() * accuracy);
    const std::int64_t turn = std::llrint(accuracy / limit.rate);
    const auto given = cache.increment(limit.key, turn, std::chrono::seconds(0));
    if (!given) return 0;
    std::int64_t sleep = 0;
    if (now - *given > buffer_ * accuracy_) {
      cache.set(limit.key, std::to_string(now + turn), std::chrono::seconds(0));
    } else {
      sleep = std::max<std::int64_t>(*given - now - turn, 0);
    }
    if (max_sleep_ * accuracy - static_cast<double>(sleep) <= accuracy * 0.01) {
      cache.increment(limit.key, -turn, std::chrono::seconds(0));
      return -std::max(static_cast<double>(sleep), 1.0);
    }
    return static_cast<double>(sleep);
  }

  Host& host_;
  Logger& log_;
  double account_rate_;
  double max_sleep_;
  double log_sleep_;
  std::int64_t accuracy_;
  std::int64_t buffer_;
  std::vector<std::string> white_;
  std::vector<std::string> black_;
  Rates writes_;
  Rates listings_;
};

}  // namespace

APUS_EXPORT_FILTER("ratelimit", "1.0", RatelimitFilter, kOptions)

}  // namespace apus
