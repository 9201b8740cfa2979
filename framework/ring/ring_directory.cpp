#include "framework/ring/ring_directory.h"

#include <system_error>

#include "framework/ring/ring_file.h"

namespace apus {
namespace {

constexpr std::chrono::seconds kCheckEvery{15};

}  // namespace

RingFolder::RingFolder(std::filesystem::path folder, Clock& clock)
    : folder_(std::move(folder)), clock_(clock) {}

RingFolder::~RingFolder() {
  for (auto& [name, entry] : entries_) {
    if (entry.loader.joinable()) entry.loader.join();
  }
}

std::shared_ptr<const Ring> RingFolder::object(int policy_index) {
  static const std::string kFirst = "object";
  return ring(policy_index == 0 ? kFirst : "object-" + std::to_string(policy_index));
}

std::filesystem::path RingFolder::path_of(const std::string& name) const {
  return folder_ / (name + ".ring.gz");
}

std::shared_ptr<const Ring> RingFolder::ring(const std::string& name) {
  std::unique_lock lock(mutex_);
  Entry& entry = entries_[name];
  if (entry.ring == nullptr) {
    loaded_.wait(lock, [&] { return !entry.loading; });
    if (entry.ring != nullptr) return entry.ring;
    entry.loading = true;
    lock.unlock();
    load(name, entry);
    lock.lock();
    return entry.ring;
  }
  const Clock::Steady now = clock_.steady();
  if (entry.loading || now - entry.checked < kCheckEvery) return entry.ring;
  entry.checked = now;
  entry.loading = true;
  std::shared_ptr<const Ring> current = entry.ring;
  lock.unlock();
  look_for_change(name, entry);
  return current;
}

// With `entry.loading` set, which it takes back. Throws when the file does not load.
void RingFolder::load(const std::string& name, Entry& entry) {
  std::shared_ptr<const Ring> fresh;
  std::exception_ptr failure;
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(path_of(name), error);
  try {
    fresh = make_ring(read_ring(path_of(name).string()));
  } catch (...) {
    failure = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    entry.loading = false;
    if (fresh != nullptr) {
      entry.ring = fresh;
      entry.changed = changed;
      entry.checked = clock_.steady();
    }
    loaded_.notify_all();
  }
  if (failure) std::rethrow_exception(failure);
}

void RingFolder::look_for_change(const std::string& name, Entry& entry) {
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(path_of(name), error);
  const std::lock_guard lock(mutex_);
  if (error || changed == entry.changed) {
    entry.loading = false;
    return;
  }
  if (entry.loader.joinable()) entry.loader.join();
  try {
    entry.loader = std::thread([this, name, &entry] {
      try {
        load(name, entry);
      } catch (const std::exception&) {
        // The old ring stays; the next look finds the file as it is then.
      }
    });
  } catch (const std::system_error&) {
    entry.loading = false;  // no thread to be had now
  }
}

}  // namespace apus
