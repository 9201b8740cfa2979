#include "framework/store/db/pending_rows.h"

#include <utility>

namespace apus {

std::uint64_t PendingRows::append(const std::string& file, std::string_view record,
                                  const Write& write) {
  auto mine = std::make_shared<Batch>();
  mine->records = record;
  std::unique_lock lock(mutex_);
  Queue& queue = queues_[file];  // stays where it is while it has users
  const bool first = queue.next == nullptr;
  if (first) {
    queue.next = mine;
  } else {
    queue.next->records.append(record);
    mine = queue.next;
  }
  ++queue.users;
  std::uint64_t size = 0;
  if (first) {
    queue.free.wait(lock, [&] { return !queue.writing; });
    size = write_batch(lock, queue, *mine, write);
  } else {
    mine->written.wait(lock, [&] { return mine->done; });
  }
  if (--queue.users == 0) queues_.erase(file);
  lock.unlock();
  if (mine->error != nullptr) std::rethrow_exception(mine->error);
  return size;
}

std::uint64_t PendingRows::write_batch(std::unique_lock<std::mutex>& lock, Queue& queue,
                                       Batch& batch, const Write& write) {
  std::uint64_t size = 0;
  queue.writing = true;
  queue.next = nullptr;
  lock.unlock();
  try {
    size = write(batch.records);
  } catch (...) {
    batch.error = std::current_exception();
  }
  lock.lock();
  batch.done = true;
  queue.writing = false;
  batch.written.notify_all();
  queue.free.notify_one();
  return size;
}

}  // namespace apus
