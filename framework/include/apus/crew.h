// Several pieces of one request's work at once, with a bound on the threads of all requests.
#pragma once

#include <apus/abi.h>

#include <cstddef>
#include <functional>
#include <semaphore>

namespace apus {

/// Lends helper threads for a moment; none lives while there is nothing to do. Thread-safe.
class APUS_API Crew {
 public:
  /// At most this many helpers at any time, for all calls together.
  explicit Crew(std::size_t helpers);
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew() = default;

  /// Calls work(i) once for each i below `count`, up to `width` of them at once: by the calling
  /// thread and by helpers, as many as are free. Returns when all calls did. The first exception
  /// keeps what was not begun from beginning and is thrown on.
  void each(std::size_t count, std::size_t width,
            const std::function<void(std::size_t)>& work) const;

 private:
  mutable std::counting_semaphore<> free_;
};

}  // namespace apus
