#include "plugins/object-replicator/progress.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace apus {
namespace {

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  char out[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(out, sizeof out, format, arguments);
  va_end(arguments);
  return out;
}

}  // namespace

Progress::Progress(Host& host, Logger& log, const ReconCache* recon,
                   std::chrono::milliseconds between_lines, std::size_t jobs)
    : host_(host),
      log_(log),
      between_lines_(between_lines),
      jobs_(jobs),
      pass_(host, recon, "object_replication", "partitions", jobs),
      start_(host.clock().steady()),
      next_line_(start_ + between_lines) {
  times_.reserve(jobs);
}

double Progress::seconds() const {
  return std::chrono::duration<double>(host_.clock().steady() - start_).count();
}

std::int64_t Progress::handoffs_left() const {
  const std::lock_guard lock(mutex_);
  return handoffs_left_;
}

ReplicationStats Progress::sum() const {
  ReplicationStats out;
  for (const auto& [device, stats] : devices_) out += stats;
  return out;
}

ReplicationStats Progress::total() const {
  const std::lock_guard lock(mutex_);
  return sum();
}

ReplicationStats Progress::of(const std::string& device) const {
  const std::lock_guard lock(mutex_);
  const auto at = devices_.find(device);
  return at == devices_.end() ? ReplicationStats() : at->second;
}

void Progress::add_away(const std::string& device, const JobList::Found& found) {
  const std::lock_guard lock(mutex_);
  devices_[device].add_failures(found.nodes);
}

void Progress::add(const PartitionJob& job, const JobResult& result, Clock::Steady begin) {
  pass_.add();
  const std::lock_guard lock(mutex_);
  devices_[job.own->device] += result.stats;
  handoffs_left_ += result.handoff_left ? 1 : 0;
  const Clock::Steady now = host_.clock().steady();
  times_.push_back(std::chrono::duration<double>(now - begin).count());
  if (now >= next_line_) write();
}

void Progress::line(bool last) {
  const std::lock_guard lock(mutex_);
  if (last || host_.clock().steady() >= next_line_) write();
}

void Progress::write() {
  next_line_ = host_.clock().steady() + between_lines_;
  const ReplicationStats stats = sum();
  const double elapsed = std::max(seconds(), 1e-6);
  if (stats.attempted <= told_) {
    log_.info(text("Nothing replicated for %f seconds.", elapsed));
    return;
  }
  told_ = stats.attempted;
  const auto done = static_cast<double>(stats.attempted);
  const double rate = done / elapsed;
  const double share = done / static_cast<double>(std::max<std::size_t>(jobs_, 1));
  log_.info(text("%lld/%zu (%.2f%%) partitions replicated in %.2fs (%.2f/sec, %s remaining)",
                 static_cast<long long>(stats.attempted), jobs_, share * 100, elapsed, rate,
                 time_left(std::max(0.0, elapsed / share - elapsed)).c_str()));
  log_.info(text("%lld successes, %lld failures", static_cast<long long>(stats.success),
                 static_cast<long long>(stats.failure)));
  if (stats.suffix_count == 0) return;
  const auto checked = static_cast<double>(stats.suffix_count);
  log_.info(text("%lld suffixes checked - %.2f%% hashed, %.2f%% synced",
                 static_cast<long long>(stats.suffix_count),
                 static_cast<double>(stats.suffix_hash) * 100 / checked,
                 static_cast<double>(stats.suffix_sync) * 100 / checked));
  std::sort(times_.begin(), times_.end());
  log_.info(text("Partition times: max %.4fs, min %.4fs, med %.4fs", times_.back(), times_.front(),
                 times_[times_.size() / 2]));
}

}  // namespace apus
