#include "framework/store/db/database_pool.h"

#include <sys/stat.h>

#include <vector>

namespace apus {
namespace {

constexpr std::chrono::minutes kLongIdle{1};
constexpr std::size_t kWarm = 16;         // idle ones that keep their cached pages
constexpr std::size_t kClosedAtOnce = 2;  // more than the one that came back, so that they run out

std::uint64_t inode_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

}  // namespace

DatabasePool::Lease::Lease(DatabasePool& pool, std::string path, std::uint64_t inode,
                           std::unique_ptr<Database> database)
    : pool_(&pool), path_(std::move(path)), inode_(inode), database_(std::move(database)) {}
bool DatabasePool::Lease::in_place() const { return inode_of(path_) == inode_; }
DatabasePool::Lease::~Lease() {
  if (database_ != nullptr) pool_->give_back(std::move(path_), inode_, std::move(database_));
}

std::unique_ptr<Database> DatabasePool::take_idle(const std::string& path, std::uint64_t inode) {
  std::vector<Idle> stale;  // closed after the mutex is free: closing is I/O
  const std::lock_guard lock(mutex_);
  for (std::size_t i = idle_.size(); i-- > 0;) {
    if (idle_[i].path != path) continue;
    Idle found = std::move(idle_[i]);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
    if (found.inode == inode) return std::move(found.database);
    stale.push_back(std::move(found));
  }
  return nullptr;
}

DatabasePool::Lease DatabasePool::open(const std::string& path) {
  const std::uint64_t inode = inode_of(path);
  auto database = take_idle(path, inode);
  if (database == nullptr) database = std::make_unique<Database>(path);
  return {*this, path, inode, std::move(database)};
}

void DatabasePool::give_back(std::string path, std::uint64_t inode,
                             std::unique_ptr<Database> database) {
  const auto now = std::chrono::steady_clock::now();
  std::vector<Idle> oldest;  // closed after the mutex is free
  const std::lock_guard lock(mutex_);
  idle_.push_back({std::move(path), inode, std::move(database), now});
  if (idle_.size() > kWarm) idle_[idle_.size() - 1 - kWarm].database->release_memory();
  while (oldest.size() < kClosedAtOnce && !idle_.empty() &&
         (idle_.size() > most_idle_ || now - idle_.front().since > kLongIdle)) {
    oldest.push_back(std::move(idle_.front()));
    idle_.pop_front();
  }
}

}  // namespace apus
