// What account and container databases share: their place, life, metadata, pending rows and the
// points up to which their peers know them.
#pragma once

#include <apus/disk.h>
#include <apus/headers.h>
#include <apus/host.h>
#include <apus/json.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/store/db/database_metadata.h"
#include "framework/store/db/database_pool.h"
#include "framework/store/db/pending_file.h"
#include "framework/store/db/pending_rows.h"

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

/// What every broker is made with. Outlives them.
struct BrokerServices {
  Disk& disk;
  Clock& clock;
  Entropy& entropy;
  Logger& log;
  DatabasePool& connections;
  const Constraints& limits;
  bool preallocate = false;        ///< db_preallocation
  PendingRows* pending = nullptr;  ///< for who has many threads; null: each row by itself
};

/// How long to wait for the folder's lock, and whether a reader may do without the pending rows.
struct Patience {
  std::chrono::milliseconds lock{10000};
  bool stale_ok = false;
  bool leave_pending = false;  ///< pending rows stay where they are
};

/// How far a peer's rows are known.
struct SyncPoint {
  std::string remote_id;
  std::int64_t point = -1;
};

/// Rows on their way to a peer: a JSON list, each an object of its columns.
struct RowsText {
  std::string json;
  std::int64_t last = -1;  ///< ROWID of the last row; -1 = there are none
};

/// A row from outside that lacks a field or has one of another type.
class APUS_API BadRow : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ~BadRow() override;
};

/// One database on the disk. A light object made for a request; all state is on the disk. Throws
/// DatabaseError and std::system_error; a damaged database is moved to quarantine first. Databases
/// of older Swifts are brought to the present schema when they are first used.
class APUS_API Broker {
 public:
  /// With `file` set, that file instead of the current one at `place`: no pending rows are read.
  Broker(BrokerServices services, DatabasePlace place, std::string file = "");
  virtual ~Broker();

  void set_patience(Patience patience) { patience_ = patience; }
  [[nodiscard]] const DatabasePlace& place() const { return place_; }
  /// The current file, whether it exists or not.
  [[nodiscard]] virtual std::string file() const;
  [[nodiscard]] virtual bool exists() const;

  /// Sets fields at `timestamp`: larger timestamps win. Returns Swift's 400 text when the limits
  /// are passed, and changes nothing then; else empty.
  std::string update_metadata(const Headers& fields, const Timestamp& timestamp);
  /// The same for what a peer has, without limits.
  void merge_metadata(const DatabaseMetadata& updates);
  [[nodiscard]] DatabaseMetadata metadata();
  /// Sets put_timestamp to the larger of the two.
  void touch(const Timestamp& put_timestamp);
  /// Clears the metadata that is older and marks the database deleted, unless it was later.
  void mark_deleted(const Timestamp& timestamp);

  /// Appends a row to the pending file; merges all of it when that is full. Survives kill -9.
  void put_pending(const std::string& pickle);
  /// Merges pending rows. A reader that may be stale goes on without them when the lock or the
  /// database is not to be had in time; anyone else gets the exception.
  void commit_pending();

  /// The highest ROWID ever given in the table of rows (or another), -1 when none was.
  [[nodiscard]] std::int64_t max_row(const char* table = nullptr);
  [[nodiscard]] std::int64_t sync_point(const std::string& remote_id, bool incoming = true);
  [[nodiscard]] std::vector<SyncPoint> sync_points(bool incoming = true);
  /// Points only advance.
  void merge_sync_points(const std::vector<SyncPoint>& points, bool incoming = true);
  /// A copy that came by rsync gets an id of its own, and knows all of `remote_id`'s rows.
  void take_new_id(const std::string& remote_id);
  /// The oldest creation, the newest put and delete.
  void merge_timestamps(const std::string& created_at, const std::string& put_timestamp,
                        const std::string& delete_timestamp);
  /// Up to `count` rows after ROWID `start`, tombstones too.
  [[nodiscard]] RowsText rows_text(std::int64_t start, std::int64_t count);
  /// The same as a tree.
  [[nodiscard]] Json::Array rows_since(std::int64_t start, std::int64_t count);
  /// Merges such rows, a JSON list; with `source` set, that peer's point advances. Throws BadRow.
  virtual void merge_rows(std::string_view json, const std::string& source) = 0;
  /// What peers compare: all of the info row, count, metadata as text, max_row. Null when the
  /// database has no info row.
  [[nodiscard]] virtual Json replication_info() = 0;
  /// Drops tombstones and emptied metadata older than `age`, sync points older than `sync_age`.
  void reclaim(const Timestamp& age, const Timestamp& sync_age);
  void quarantine(const std::string& why);
  /// Empty, and deleted before `age`: the whole database may go.
  [[nodiscard]] virtual bool reclaimable(const Timestamp& age) = 0;
  /// Runs `work` while no other connection can write.
  void locked(const std::function<void()>& work);

 protected:
  /// Runs `work` on a connection; a damaged database is quarantined, and the error goes on.
  void with(const std::function<void(Database&)>& work);
  /// As `with`, in one write transaction.
  void change(const std::function<void(Database&)>& work);
  /// Makes a new database file with the sync tables and what `fill` adds, durable, unless `may`
  /// (asked under the folder's lock, when all is written) forbids it. False when it did.
  bool create_file(const std::string& target, const std::function<void(Database&)>& fill,
                   const std::function<bool()>& may);
  /// Called under the folder's lock, before pending rows go to the current file.
  virtual void look_again();
  /// The folder's lock, as writers of pending rows take it. Throws std::system_error.
  [[nodiscard]] Fd take_lock() const;
  /// Merges what pending files hold; rows for which `is_row` holds.
  virtual void merge_pending(Database& database, const std::vector<pickle::Ref>& rows) = 0;
  [[nodiscard]] virtual bool is_row(const pickle::Tuple& tuple) const = 0;
  virtual void migrate(Database& database) = 0;
  [[nodiscard]] virtual const char* stat_table() const = 0;
  [[nodiscard]] virtual const char* row_table() const = 0;
  /// The column whose age makes a tombstone old.
  [[nodiscard]] virtual const char* reclaim_column() const = 0;
  [[nodiscard]] virtual bool is_deleted(Database& database) = 0;
  [[nodiscard]] virtual bool outlives_deletion(std::string_view metadata_name) const;
  /// More to be done in the transactions of take_new_id and reclaim.
  virtual void on_new_id(Database& database);
  virtual void on_reclaim(Database& database, const Timestamp& sync_age);
  static void advance_sync_point(Database& database, const SyncPoint& point, bool incoming);
  [[nodiscard]] std::string new_id() const;

  BrokerServices services_;
  DatabasePlace place_;
  std::string fixed_file_;

 private:
  DatabasePool::Lease connect();
  [[nodiscard]] DatabaseMetadata read_metadata(Database& database) const;
  void write_metadata(Database& database, const DatabaseMetadata& metadata) const;
  [[nodiscard]] std::string pending_file() const { return place_.file() + ".pending"; }
  [[nodiscard]] std::vector<pickle::Ref> read_pending(int fd, std::uint64_t size);
  void commit_locked();
  void reclaim_rows(const Timestamp& age);
  void preallocate(Database& database) const;

  Patience patience_;
};

}  // namespace apus
