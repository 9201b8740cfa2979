// Open connections, kept between requests.
#pragma once

#include <apus/abi.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "framework/store/db/sqlite.h"

namespace apus {

/// Open connections, kept by path and given to one user at a time. Thread-safe. A connection whose
/// file was replaced or removed is not given out again. One that nobody asked for in a minute is
/// closed when another is given back, so that a removed file does not keep its space.
class APUS_API DatabasePool {
 public:
  class APUS_API Lease {
   public:
    Lease(DatabasePool& pool, std::string path, std::uint64_t inode,
          std::unique_ptr<Database> database);
    Lease(Lease&&) noexcept = default;
    ~Lease();
    Database& operator*() const { return *database_; }
    Database* operator->() const { return database_.get(); }
    void discard() { database_.reset(); }
    /// Whether the path still leads to the file that was opened.
    [[nodiscard]] bool in_place() const;

   private:
    DatabasePool* pool_;
    std::string path_;
    std::uint64_t inode_;
    std::unique_ptr<Database> database_;
  };

  /// An idle connection costs a descriptor and some 200 KiB, and up to 2 MB of cached pages while
  /// it is among those used last. Servers are asked for the same databases again and again; a
  /// daemon that goes through all of them needs none for long.
  static constexpr std::size_t kOfServer = 256, kOfDaemon = 16;
  /// Keeps at most `most_idle` connections that nobody uses.
  explicit DatabasePool(std::size_t most_idle = kOfServer) : most_idle_(most_idle) {}

  /// Throws DatabaseError when the file cannot be opened.
  Lease open(const std::string& path);

 private:
  struct Idle {
    std::string path;
    std::uint64_t inode;
    std::unique_ptr<Database> database;
    std::chrono::steady_clock::time_point since;
  };
  std::unique_ptr<Database> take_idle(const std::string& path, std::uint64_t inode);
  void give_back(std::string path, std::uint64_t inode, std::unique_ptr<Database> database);

  std::size_t most_idle_;
  std::mutex mutex_;
  std::deque<Idle> idle_;  ///< most recently used last
};

}  // namespace apus
