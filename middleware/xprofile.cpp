// xprofile: what the process spends its time on, for who holds the key: time and number of requests
// by verb and by filter, CPU and memory. Off unless the conf turns it on. Swift's filter of this
// name runs a profiler and reads files that clients name; nothing of that is here.
#include <apus/digest.h>
#include <apus/json.h>
#include <apus/plugin.h>
#include <apus/plugin_check.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"enabled", kBool, "false", "measure, and answer below `path`"},
    OptionSpec{"path", kText, "__profile__", "first piece of the path that is answered"},
    OptionSpec{.name = "admin_key",
               .type = kText,
               .fallback = nullptr,
               .help = "key that signs requests for the profile, 16 or more characters; see "
                       "doc/logs-and-metrics.md",
               .secret = true},
    OptionSpec{"profile_module", kText, nullptr, "accepted for Swift's confs"},
    OptionSpec{"log_filename_prefix", kText, nullptr,
               "accepted for Swift's confs: no file is used"},
    OptionSpec{"dump_interval", kNumber, nullptr, "accepted for Swift's confs"},
    OptionSpec{"dump_timestamp", kBool, nullptr, "accepted for Swift's confs"},
    OptionSpec{"flush_at_shutdown", kBool, nullptr, "accepted for Swift's confs"},
    OptionSpec{"unwind", kBool, nullptr, "accepted for Swift's confs"},
};

constexpr std::size_t kShortestKey = 16;
constexpr std::array<std::string_view, 11> kVerbs = {"GET",    "HEAD",  "PUT",     "POST",
                                                     "DELETE", "COPY",  "OPTIONS", "REPLICATE",
                                                     "UPDATE", "SSYNC", "other"};

void check_options(const Options& options) {
  if (!options.flag("enabled")) return;
  if (options.find("admin_key").value_or("").size() < kShortestKey)
    throw std::runtime_error("xprofile is enabled without an admin_key of 16 or more characters");
  std::string path = options.text("path");
  std::erase(path, '/');
  if (path.empty()) throw std::runtime_error("path is empty");
}

// Of the requests of one verb, until the head of their answer.
class Tally {
 public:
  void add(std::chrono::nanoseconds took, bool failed) {
    const std::int64_t time = took.count();
    ++requests_;
    time_ += time;
    if (failed) ++failures_;
    std::int64_t longest = longest_;
    while (longest < time && !longest_.compare_exchange_weak(longest, time)) {
    }
  }
  [[nodiscard]] bool empty() const { return requests_ == 0; }
  [[nodiscard]] Json json() const {
    Json out;
    out.set("requests", requests_.load());
    out.set("failures", failures_.load());
    out.set("seconds", static_cast<double>(time_) / 1e9);
    out.set("longest_seconds", static_cast<double>(longest_) / 1e9);
    return out;
  }

 private:
  std::atomic<std::int64_t> requests_ = 0;
  std::atomic<std::int64_t> failures_ = 0;
  std::atomic<std::int64_t> time_ = 0;
  std::atomic<std::int64_t> longest_ = 0;
};

std::string text_of(const char* file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// "VmRSS:\t  1234 kB" as bytes; 0 when it is not there.
std::int64_t status_bytes(const std::string& status, std::string_view name) {
  const std::size_t at = status.find("\n" + std::string(name) + ":");
  if (at == std::string::npos) return 0;
  const std::string_view rest = std::string_view(status).substr(at + name.size() + 2);
  const auto words = split_list(rest.substr(0, rest.find('\n')), ' ');
  return words.empty() ? 0 : parse_digits(trim(words.front())).value_or(0) * 1024;
}

Json process() {
  const std::string stat = text_of("/proc/self/stat");
  const std::string status = text_of("/proc/self/status");
  // The name in brackets may hold blanks.
  const auto words = split_list(stat.substr(std::min(stat.rfind(')') + 1, stat.size())), ' ');
  const auto number = [&](std::size_t field) {
    return field - 3 < words.size() ? parse_digits(trim(words[field - 3])).value_or(0) : 0;
  };
  const auto tick = static_cast<double>(::sysconf(_SC_CLK_TCK));
  Json out;
  out.set("pid", static_cast<std::int64_t>(::getpid()));
  out.set("user_seconds", static_cast<double>(number(14)) / tick);
  out.set("system_seconds", static_cast<double>(number(15)) / tick);
  out.set("threads", number(20));
  out.set("resident_bytes", status_bytes(status, "VmRSS"));
  out.set("peak_resident_bytes", status_bytes(status, "VmHWM"));
  return out;
}

// Number and time of each stage of the pipeline, from the process's own numbers.
Json filters(const std::string& numbers) {
  Json out{Json::Object{}};
  std::map<std::string, Json, std::less<>> all;
  std::string_view left = numbers;
  while (!left.empty()) {
    const std::string_view line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(line.size() + 1, left.size()));
    for (const auto& [start, name] :
         {std::pair<std::string_view, const char*>{"apus_stage_seconds_count{stage=\"", "requests"},
          {"apus_stage_seconds_sum{stage=\"", "seconds"}}) {
      const std::size_t end = line.rfind("\"} ");
      if (!line.starts_with(start) || end == std::string_view::npos || end < start.size()) continue;
      const std::string_view value = line.substr(end + 3);
      double number = 0;
      std::from_chars(value.data(), value.data() + value.size(), number);
      Json& stage = all[std::string(line.substr(start.size(), end - start.size()))];
      if (std::string_view(name) == "requests") {
        stage.set(name, static_cast<std::int64_t>(number));
      } else {
        stage.set(name, number);
      }
    }
  }
  for (auto& [name, stage] : all) out.set(name, std::move(stage));
  return out;
}

class XprofileFilter final : public Filter {
 public:
  XprofileFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        enabled_(args.options.flag("enabled")),
        key_(args.options.find("admin_key").value_or("")),
        path_(args.options.text("path")) {
    check_options(args.options);
    std::erase(path_, '/');
    path_.insert(0, "/");
  }

  Response operator()(Request& request) const override {
    if (!enabled_) return next()(request);
    if (request.path == path_ || request.path == path_ + "/") return show(request);
    const Measure measure(tally_of(request.method), host_.clock());
    Response out = next()(request);
    measure.answered(out.status);
    return out;
  }

 private:
  // Counts also what ends in an exception.
  class Measure {
   public:
    Measure(Tally& tally, Clock& clock) : tally_(tally), clock_(clock), start_(clock.steady()) {}
    Measure(const Measure&) = delete;
    Measure& operator=(const Measure&) = delete;
    ~Measure() { tally_.add(clock_.steady() - start_, failed_); }
    void answered(int status) const { failed_ = status >= 500; }

   private:
    Tally& tally_;
    Clock& clock_;
    Clock::Steady start_;
    mutable bool failed_ = true;
  };

  Tally& tally_of(std::string_view verb) const {
    const auto at = std::find(kVerbs.begin(), kVerbs.end() - 1, verb);
    return tallies_[static_cast<std::size_t>(at - kVerbs.begin())];
  }

  // As /info is signed for administrators: of verb, end and path; a signature for GET does for
  // HEAD.
  bool is_signed(const Request& request) const {
    const auto expires = parse_int(request.query.get("expires"));
    if (!expires || static_cast<double>(*expires) < host_.clock().now()) return false;
    const std::string text = "GET\n" + std::to_string(*expires) + "\n" + path_;
    return constant_time_equal(to_hex(hmac(DigestKind::kSha256, key_, text)),
                               request.query.get("signature"));
  }

  Response show(Request& request) const {
    const bool head = request.method == "HEAD";
    if (!is_signed(request)) return unauthorized_response(request);
    if (request.method != "GET" && !head) return method_not_allowed(request, "GET, HEAD");
    Json verbs{Json::Object{}};
    for (std::size_t i = 0; i < kVerbs.size(); ++i) {
      if (!tallies_[i].empty()) verbs.set(std::string(kVerbs[i]), tallies_[i].json());
    }
    Json out;
    out.set("process", process());
    out.set("verbs", std::move(verbs));
    out.set("filters", filters(host_.metrics().prometheus_text()));
    return Response(200, out.dump() + "\n", "application/json; charset=utf-8");
  }

  Host& host_;
  bool enabled_;
  std::string key_;
  std::string path_;
  mutable std::array<Tally, kVerbs.size()> tallies_;
};

}  // namespace

APUS_EXPORT_FILTER("xprofile", "1.0", XprofileFilter, kOptions)
APUS_EXPORT_CHECK(check_options)

}  // namespace apus
