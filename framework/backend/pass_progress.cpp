#include "framework/backend/pass_progress.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace apus {
namespace {

constexpr std::chrono::seconds kBetweenEntries{10};
constexpr std::chrono::milliseconds kBetweenDraws{200};
constexpr int kBarWidth = 30;

std::atomic<bool> terminal_wanted = false;
std::atomic<bool> terminal_taken = false;

void to_terminal(const std::string& text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

std::string time_left(double seconds) {
  constexpr double kStep = 60;
  const auto whole = [](double number, const char* unit) {
    return std::to_string(static_cast<std::int64_t>(std::min(number, 1e15))) + unit;
  };
  if (seconds <= kStep) return whole(seconds, "s");
  if (seconds <= kStep * kStep) return whole(seconds / kStep, "m");
  return whole(seconds / (kStep * kStep), "h");
}

std::string progress_line(std::int64_t done, std::int64_t total, double rate, double eta,
                          const std::string& unit) {
  const double share =
      total <= 0 ? 1 : std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
  const auto filled = static_cast<std::size_t>(share * kBarWidth);
  std::string bar(filled, '=');
  if (filled < kBarWidth) bar += '>';
  bar.resize(kBarWidth, ' ');
  std::array<char, 32> speed{};
  std::snprintf(speed.data(), speed.size(), "%.1f", rate);
  return "[" + bar + "] " + std::to_string(static_cast<int>(share * 100)) + "% " +
         std::to_string(done) + "/" + std::to_string(total) + " " + unit + ", " + speed.data() +
         "/s, " + time_left(eta) + " left";
}

PassProgress::PassProgress(Host& host, const ReconCache* recon, const std::string& name,
                           std::string unit, std::size_t total)
    : host_(host),
      recon_(recon),
      entry_(name + "_progress"),
      unit_(std::move(unit)),
      start_(host.clock().steady()),
      total_(static_cast<std::int64_t>(total)),
      next_show_(std::chrono::nanoseconds(kBetweenEntries).count()),
      draws_(terminal_wanted && !terminal_taken.exchange(true)) {}

PassProgress::~PassProgress() {
  Metrics& metrics = host_.metrics();
  metrics.gauge(unit_ + ".left", 0);
  metrics.gauge(unit_ + ".eta_seconds", 0);
  if (in_recon_) {
    Json nothing;
    nothing.set(entry_, Json(Json::Object{}));
    recon_->dump(nothing);
  }
  if (!draws_) return;
  to_terminal("\r\x1b[K");
  terminal_taken = false;
}

void PassProgress::draw_on_terminal() { terminal_wanted = true; }

std::int64_t PassProgress::elapsed() const {
  return std::chrono::nanoseconds(host_.clock().steady() - start_).count();
}

// True for one thread, once in a while.
bool PassProgress::is_due(std::atomic<std::int64_t>& next, std::chrono::nanoseconds between) const {
  const std::int64_t now = elapsed();
  std::int64_t due = next;
  return now >= due && next.compare_exchange_strong(due, now + between.count());
}

void PassProgress::add(std::size_t done) {
  done_ += static_cast<std::int64_t>(done);
  if (is_due(next_show_, kBetweenEntries)) show();
  if (draws_ && is_due(next_draw_, kBetweenDraws)) draw();
}

PassProgress::Numbers PassProgress::numbers() const {
  Numbers out;
  out.done = done_;
  out.total = std::max<std::int64_t>(total_, out.done);
  out.rate = static_cast<double>(out.done) * 1e9 /
             static_cast<double>(std::max<std::int64_t>(elapsed(), 1));
  if (out.rate > 0) out.eta = static_cast<double>(out.total - out.done) / out.rate;
  return out;
}

void PassProgress::show() {
  const Numbers now = numbers();
  Metrics& metrics = host_.metrics();
  metrics.gauge(unit_ + ".left", static_cast<double>(now.total - now.done));
  metrics.gauge(unit_ + ".rate", now.rate);
  metrics.gauge(unit_ + ".eta_seconds", now.eta);
  if (recon_ == nullptr || now.done == now.total) return;
  Json numbers;
  numbers.set("done", now.done);
  numbers.set("total", now.total);
  numbers.set("rate", now.rate);
  numbers.set("eta", now.eta);
  Json entry;
  entry.set(entry_, std::move(numbers));
  in_recon_ = true;
  recon_->dump(entry);
}

void PassProgress::draw() const {
  const Numbers now = numbers();
  to_terminal("\r" + progress_line(now.done, now.total, now.rate, now.eta, unit_) + "\x1b[K");
}

}  // namespace apus
