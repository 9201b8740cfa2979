// Rows that many threads have for one pending file at a time: written with one turn of its lock.
#pragma once

#include <apus/abi.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace apus {

/// Records that come while a file is being written to wait, and are then written together by the
/// first of those who wait. Thread-safe. No lock of its own is held while `write` runs.
class APUS_API PendingRows {
 public:
  /// Writes all the records it is given, or throws and has written none; the file's new size.
  using Write = std::function<std::uint64_t(std::string_view records)>;

  /// Returns, or throws what `write` threw, once `record` is in the file or will never be. The
  /// file's new size for the one thread that wrote; 0 for those whose records it wrote too. It may
  /// take as long as two writes: the one under way and that of `record`, by whoever came first.
  std::uint64_t append(const std::string& file, std::string_view record, const Write& write);

 private:
  struct Batch {
    std::string records;
    bool done = false;
    std::exception_ptr error;
    std::condition_variable written;
  };
  struct Queue {
    bool writing = false;
    std::shared_ptr<Batch> next;  // not yet being written
    int users = 0;
    std::condition_variable free;  // the first of `next` waits for it
  };

  static std::uint64_t write_batch(std::unique_lock<std::mutex>& lock, Queue& queue, Batch& batch,
                                   const Write& write);

  std::mutex mutex_;
  std::unordered_map<std::string, Queue> queues_;
};

}  // namespace apus
