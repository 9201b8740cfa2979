#include "framework/store/db/pending_rows.h"

#include <utility>

namespace apus {

std::uint64_t PendingRows::append(const std::string& file, std::string_view record,
                                  const Write& write) {
  std::unique_lock lock(mutex_);
  Queue& queue = queues_[file];  // stays where it is while it has users
  ++queue.users;
  const bool first = queue.next == nullptr;
  if (first) queue.next = std::make_shared<Batch>();
  const std::shared_ptr<Batch> mine = queue.next;
  mine->records.append(record);
  std::uint64_t size = 0;
  if (first) {
    queue.free.wait(lock, [&] { return !queue.writing; });
    write_batch(lock, queue, *mine, [&] { size = write(mine->records); });
  } else {
    mine->written.wait(lock, [&] { return mine->done; });
  }
  if (--queue.users == 0) queues_.erase(file);
  lock.unlock();
  if (mine->error != nullptr) std::rethrow_exception(mine->error);
  return size;
}

void PendingRows::write_batch(std::unique_lock<std::mutex>& lock, Queue& queue, Batch& batch,
                              const std::function<void()>& write) {
  queue.writing = true;
  queue.next = nullptr;
  lock.unlock();
  try {
    write();
  } catch (...) {
    batch.error = std::current_exception();
  }
  lock.lock();
  batch.done = true;
  queue.writing = false;
  batch.written.notify_all();
  queue.free.notify_one();
}

}  // namespace apus
