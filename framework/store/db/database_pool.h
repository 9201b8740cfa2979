// Open connections, kept between requests.
#pragma once

#include <apus/abi.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "framework/store/db/sqlite.h"

namespace apus {

/// Open connections, kept by path and given to one user at a time. Thread-safe. A connection whose
/// file was replaced or removed is not given out again.
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

   private:
    DatabasePool* pool_;
    std::string path_;
    std::uint64_t inode_;
    std::unique_ptr<Database> database_;
  };

  /// Throws DatabaseError when the file cannot be opened.
  Lease open(const std::string& path);

 private:
  struct Idle {
    std::string path;
    std::uint64_t inode;
    std::unique_ptr<Database> database;
  };
  std::unique_ptr<Database> take_idle(const std::string& path, std::uint64_t inode);
  void give_back(std::string path, std::uint64_t inode, std::unique_ptr<Database> database);

  static constexpr std::size_t kMaxIdle = 256;
  std::mutex mutex_;
  std::vector<Idle> idle_;  ///< most recently used last
};

}  // namespace apus
