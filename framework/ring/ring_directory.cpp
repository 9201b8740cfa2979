#include "framework/ring/ring_directory.h"

#include "framework/ring/ring_file.h"

namespace apus {
namespace {

constexpr std::chrono::seconds kCheckEvery{15};

}  // namespace

RingFolder::RingFolder(std::filesystem::path folder, Clock& clock)
    : folder_(std::move(folder)), clock_(clock) {}
RingFolder::~RingFolder() = default;

std::shared_ptr<const Ring> RingFolder::object(int policy_index) {
  static const std::string kFirst = "object";
  return ring(policy_index == 0 ? kFirst : "object-" + std::to_string(policy_index));
}

std::shared_ptr<const Ring> RingFolder::ring(const std::string& name) {
  const Clock::Steady now = clock_.steady();
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[name];
    if (entry.ring != nullptr && (entry.loading || now - entry.checked < kCheckEvery))
      return entry.ring;
    entry.loading = true;
  }
  const std::filesystem::path path = folder_ / (name + ".ring.gz");
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(path, error);
  std::shared_ptr<const Ring> fresh;
  std::exception_ptr failure;
  bool same = false;
  {
    const std::lock_guard lock(mutex_);
    same = entries_[name].ring != nullptr && (error || entries_[name].changed == changed);
  }
  if (!same) {
    try {
      fresh = make_ring(read_ring(path.string()));
    } catch (...) {
      failure = std::current_exception();
    }
  }
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[name];
  entry.loading = false;
  entry.checked = now;
  if (fresh != nullptr) {
    entry.ring = fresh;
    entry.changed = changed;
  }
  if (entry.ring == nullptr) std::rethrow_exception(failure);
  return entry.ring;
}

}  // namespace apus
