// What account and container databases share: their place, life, metadata, pending rows.
#pragma once

#include <apus/disk.h>
#include <apus/headers.h>
#include <apus/host.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "framework/pickle/pickle.h"
#include "framework/store/db/sqlite.h"

namespace apus {

/// Where one database lies.
struct DatabasePlace {
  std::string device;     ///< folder of the device
  std::string directory;  ///< "accounts" or "containers"
  std::string partition;
  std::string hash;  ///< 32 hex digits

  [[nodiscard]] std::string folder() const {
    return device + "/" + directory + "/" + partition + "/" + hash.substr(29) + "/" + hash;
  }
  [[nodiscard]] std::string file() const { return folder() + "/" + hash + ".db"; }
};

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
  void give_back(std::string path, std::uint64_t inode, std::unique_ptr<Database> database);

  static constexpr std::size_t kMaxIdle = 256;
  std::mutex mutex_;
  std::vector<Idle> idle_;  ///< most recently used last
};

/// Headers with the moment each was set: the metadata column.
using DatabaseMetadata = std::map<std::string, std::pair<std::string, std::string>, std::less<>>;

APUS_API DatabaseMetadata parse_metadata_column(std::string_view json);
APUS_API std::string metadata_column(const DatabaseMetadata& metadata);

/// What every broker is made with. Outlives them.
struct BrokerServices {
  Disk& disk;
  Clock& clock;
  Entropy& entropy;
  Logger& log;
  DatabasePool& connections;
  const Constraints& limits;
};

/// One database on the disk. A light object made for a request; all state is on the disk.
class APUS_API Broker {
 public:
  Broker(BrokerServices services, DatabasePlace place);
  virtual ~Broker();

  [[nodiscard]] bool exists() const;
  /// Applies metadata set at `timestamp`: larger timestamps win. Returns Swift's 400 text when the
  /// limits are passed, and changes nothing then; else empty.
  std::string update_metadata(const Headers& fields, const Timestamp& timestamp,
                              std::string_view kind);
  [[nodiscard]] DatabaseMetadata metadata();
  /// Sets put_timestamp to the larger of the two.
  void touch(const Timestamp& put_timestamp);
  /// Clears the metadata that is older and marks the database deleted, unless it was later.
  void mark_deleted(const Timestamp& timestamp);

  /// Appends a row to the pending file; merges all of it when that is full. Survives kill -9.
  void put_pending(const std::string& pickle, std::chrono::milliseconds patience);
  /// Merges pending rows. False when the lock was not to be had in time (the rows stay).
  bool commit_pending(std::chrono::milliseconds patience);

 protected:
  /// Runs `work` on a connection; a damaged database is quarantined, and the error goes on.
  void with(const std::function<void(Database&)>& work);
  /// Makes a new database file with the sync tables and what `fill` adds, durable, unless it is
  /// there by then. False when it was.
  bool create_file(const std::function<void(Database&)>& fill);
  virtual void merge(Database& database, const std::vector<pickle::Ref>& rows) = 0;
  [[nodiscard]] virtual const char* stat_table() const = 0;
  [[nodiscard]] std::string new_id() const;
  void quarantine(const std::string& why);

  BrokerServices services_;
  DatabasePlace place_;

 private:
  [[nodiscard]] DatabaseMetadata read_metadata(Database& database) const;
  [[nodiscard]] std::string pending_file() const { return place_.file() + ".pending"; }
  [[nodiscard]] std::vector<pickle::Ref> read_pending(int fd, std::uint64_t size);
};

}  // namespace apus
