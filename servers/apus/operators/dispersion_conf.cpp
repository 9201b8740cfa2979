#include "servers/apus/operators/dispersion_conf.h"

#include <apus/ini.h>
#include <apus/text.h>

#include <charconv>
#include <cmath>
#include <iostream>

#include "framework/conf/swift_conf_reader.h"
#include "framework/host/real_time.h"
#include "framework/ring/ring_file.h"
#include "servers/apus/formatted.h"

namespace apus {
namespace {

// The first report of a run comes early.
constexpr double kFirstReport = 2;
constexpr double kNextReport = 5;

std::int64_t whole(const ConfMap& conf, const std::string& name, std::int64_t otherwise,
                   std::int64_t least) {
  const auto at = conf.find(name);
  if (at == conf.end()) return otherwise;
  const auto value = parse_int(at->second);
  if (!value || *value < least || *value > 100000)
    throw std::runtime_error("[dispersion] " + name + " = " + at->second + ": a number from " +
                             std::to_string(least) + " is wanted");
  return *value;
}

double percent(const ConfMap& conf, const std::string& name, double otherwise) {
  const auto at = conf.find(name);
  if (at == conf.end()) return otherwise;
  const std::string_view text = trim(at->second);
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || !(out >= 0 && out <= 100))
    throw std::runtime_error("[dispersion] " + name + " = " + at->second +
                             ": a number from 0 to 100 is wanted");
  return out;
}

}  // namespace

bool DispersionConf::is_yes(std::string_view option, bool otherwise) const {
  const auto at = options.find(option);
  return at == options.end() ? otherwise : is_true(at->second);
}

DispersionConf read_dispersion_conf(const std::string& file, const std::string& policy) {
  auto sections = read_ini(file);
  if (!sections) throw std::runtime_error("Unable to read config file: " + file);
  const auto section = sections->find("dispersion");
  if (section == sections->end()) throw std::runtime_error(file + ": no section [dispersion]");
  DispersionConf out;
  out.options = section->second;
  const auto folder = out.options.find("swift_dir");
  out.swift_dir = folder == out.options.end() ? "/etc/swift" : folder->second;
  out.swift_conf = load_swift_conf(out.swift_dir);
  const StoragePolicy* named = policy.empty() ? &out.swift_conf.default_policy()
                                              : out.swift_conf.policy(std::string_view(policy));
  if (named == nullptr) throw std::runtime_error("Unable to find policy: " + policy);
  out.policy = *named;
  out.coverage = percent(out.options, "dispersion_coverage", 1);
  out.concurrency = static_cast<std::size_t>(whole(out.options, "concurrency", 25, 1));
  out.retries = static_cast<int>(whole(out.options, "retries", 5, 0));
  out.insecure = out.is_yes("keystone_api_insecure", false);
  return out;
}

std::shared_ptr<const Ring> read_ring_of(const DispersionConf& conf, const std::string& name) {
  return make_ring(read_ring(conf.swift_dir + "/" + name + ".ring.gz"));
}

std::string shown_duration(double seconds) {
  const char* unit = "s";
  for (const char* larger : {"m", "h"}) {
    if (seconds <= 60) break;
    seconds /= 60;
    unit = larger;
  }
  return formatted("%.0f", std::nearbyint(seconds)) + unit;
}

DispersionProgress::DispersionProgress(std::string doing, std::size_t all, bool quiet)
    : doing_(std::move(doing)),
      all_(all),
      quiet_(quiet),
      begun_(RealClock().now()),
      next_(begun_ + kFirstReport) {}

double DispersionProgress::seconds() const { return RealClock().now() - begun_; }

void DispersionProgress::step(int retries) {
  const std::lock_guard lock(mutex_);
  ++done_;
  retries_ += retries;
  const double now = RealClock().now();
  if (quiet_ || now < next_) return;
  next_ = now + kNextReport;
  const double part = static_cast<double>(done_) / static_cast<double>(all_);
  std::cout << "\r\x1B[K" << doing_ << ": " << done_ << " of " << all_ << ", "
            << shown_duration((now - begun_) / part - (now - begun_)) << " left, " << retries_
            << " retries" << std::flush;
}

}  // namespace apus
