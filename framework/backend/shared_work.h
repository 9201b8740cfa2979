// Work that a daemon shares: among its own threads, and with other processes of its kind.
#pragma once

#include <apus/abi.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace apus {

/// Which of `divisor` processes (1 or more) has what a digest of hex digits stands for: the digest
/// as a number, modulo the divisor, as Swift's daemons count.
APUS_API std::int64_t share_of(std::string_view hex_digest, std::int64_t divisor);

/// Threads that take tasks from one that finds them. `work` is called by all of them at once and
/// must not throw.
template <typename Task>
class TaskWorkers {
 public:
  TaskWorkers(std::size_t count, const std::function<void(const Task&)>& work) {
    for (std::size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this, work] {
        while (auto task = next()) work(*task);
      });
    }
  }
  TaskWorkers(const TaskWorkers&) = delete;
  TaskWorkers& operator=(const TaskWorkers&) = delete;
  /// Returns when all tasks are done.
  ~TaskWorkers() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    threads_.clear();
  }
  /// Waits while each thread has one task before it.
  void give(Task task) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return tasks_.size() < threads_.size(); });
    tasks_.push_back(std::move(task));
    lock.unlock();
    changed_.notify_all();
  }

 private:
  std::optional<Task> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ || !tasks_.empty(); });
    if (tasks_.empty()) return std::nullopt;
    Task out = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return out;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  bool ended_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace apus
