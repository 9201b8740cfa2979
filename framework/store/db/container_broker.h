// Container databases.
#pragma once

#include <apus/timestamp.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "framework/store/db/broker.h"
#include "framework/store/db/listing.h"
#include "framework/store/db/object_row.h"
#include "framework/store/db/shard_range.h"

namespace apus {

/// What the database files of a container say about its sharding.
enum class ShardingState : std::uint8_t { kNotFound, kUnsharded, kSharding, kSharded, kCollapsed };
/// "not_found", "unsharded", "sharding", "sharded", "collapsed".
APUS_API std::string_view sharding_state_name(ShardingState state);

struct ContainerStat {
  std::string account;
  std::string container;
  std::string created_at;
  std::string put_timestamp;
  std::string delete_timestamp;
  std::string status;
  std::string status_changed_at;
  std::int64_t object_count =
      0;  ///< of the retiring file while sharding, of the shards when sharded
  std::int64_t bytes_used = 0;
  std::string reported_put_timestamp;
  std::string reported_delete_timestamp;
  std::int64_t reported_object_count = 0;
  std::int64_t reported_bytes_used = 0;
  std::string hash;
  std::string id;
  std::int64_t sync_point1 = -1;
  std::int64_t sync_point2 = -1;
  std::int64_t policy = 0;
  std::string metadata;  ///< the column's JSON
  ShardingState state = ShardingState::kUnsharded;

  /// A container without objects whose deletion is newer than its creation.
  [[nodiscard]] APUS_API bool deleted() const;
};

/// Which shard ranges a reader asks for. Markers are exclusive bounds, empty = none.
struct ShardQuery {
  std::string marker;
  std::string end_marker;
  std::string includes;  ///< only the range that holds this name; the markers do not count then
  bool reverse = false;
  bool include_deleted = false;
  bool include_own = false;
  bool only_own = false;
  bool fill_gaps = false;         ///< a copy of the own range covers what is missing at the end
  std::set<std::int64_t> states;  ///< empty = all
};

/// A stretch of names whose rows are read: after < name <= upto, an empty text is open.
struct RowQuery {
  std::string after;
  std::string upto;
  std::int64_t since_row = -1;  ///< only rows with a larger ROWID
  std::int64_t limit = 10000;   ///< some more come when one name has rows in several policies
};

/// A shard range that a scan found.
struct FoundRange {
  std::int64_t index = 0;
  std::string lower;
  std::string upper;
  std::int64_t object_count = 0;
};

class APUS_API ContainerBroker final : public Broker {
 public:
  /// Without names they are read from the database.
  ContainerBroker(BrokerServices services, DatabasePlace place, std::string account,
                  std::string container, std::string file = "");

  /// The last of the database files; HASH.db when there is none.
  [[nodiscard]] std::string file() const override;
  [[nodiscard]] bool exists() const override;
  /// All files of the container by ascending epoch, looked for on the disk once an object, and
  /// again when pending rows are merged.
  [[nodiscard]] const std::vector<std::string>& files() const;
  void forget_files() { files_.reset(); }

  /// Makes the database, as HASH_EPOCH.db when `epoch` is set. False when it was there.
  bool create(const Timestamp& put_timestamp, std::int64_t policy, const std::string& epoch = "");
  /// Nothing when there is no database.
  std::optional<ContainerStat> info();
  /// Whether it counts as deleted; true when there is none. Pending rows are merged only when the
  /// answer hangs on them.
  [[nodiscard]] bool gone();
  /// No objects in any policy, in any file, in any shard.
  [[nodiscard]] bool empty();
  /// Another policy; status_changed_at becomes `timestamp` unless it is later.
  void set_policy(std::int64_t policy, const Timestamp& timestamp);
  void set_status_changed_at(const Timestamp& timestamp);
  void set_sync_points(std::int64_t point1, std::int64_t point2);
  /// What the account servers were told.
  void set_reported(const ContainerStat& told);

  void put_object(const ObjectRow& row);
  /// From the retiring file while sharding.
  void list(const ListingQuery& query, std::int64_t policy, const ListingSink& sink);
  void merge_objects(std::vector<ObjectRow> rows, const SyncPoint& source = {});
  void merge_rows(std::string_view json, const std::string& source) override;
  [[nodiscard]] Json replication_info() override;
  [[nodiscard]] bool reclaimable(const Timestamp& age) override;

  // Rows in another policy than the container's.
  [[nodiscard]] bool has_several_policies();
  /// Up to `count` of them behind ROWID `start`, tombstones too, each with its ROWID.
  [[nodiscard]] std::vector<std::pair<std::int64_t, ObjectRow>> misplaced_since(std::int64_t start,
                                                                                std::int64_t count);
  /// How far they were queued for the reconciler.
  [[nodiscard]] std::int64_t reconciler_sync_point();
  void set_reconciler_sync_point(std::int64_t point);

  // Sharding.
  [[nodiscard]] ShardingState state();
  [[nodiscard]] std::vector<ShardRange> shard_ranges(const ShardQuery& query = {});
  void merge_shard_ranges(std::vector<ShardRange> ranges);
  /// The container's own range; a default one over all names when none is stored.
  [[nodiscard]] ShardRange own_shard_range();
  /// Not a shard of another container.
  [[nodiscard]] bool is_root();
  /// Sharding has begun (or is done) and there are ranges.
  [[nodiscard]] bool sharding_initiated();
  /// "account/container"
  [[nodiscard]] const std::string& path();
  /// The same of the container that this is a shard of; its own when it is none.
  [[nodiscard]] std::string root_path();
  /// The own range as it is stored; nothing when it is not.
  [[nodiscard]] std::optional<ShardRange> stored_own_range();
  /// `own` with the present numbers of the container.
  [[nodiscard]] ShardRange measured(ShardRange own);

  // What a sharder does.
  /// The epoch in the current file's name; empty without one.
  [[nodiscard]] std::string file_epoch() const;
  /// The retiring file while sharding, else the only one. It does not look at pending rows.
  [[nodiscard]] ContainerBroker oldest() const;
  /// Makes the fresh file of the own range's epoch, with all of the present one but its rows. False
  /// when it has no epoch or the container is not unsharded; the log tells.
  bool set_sharding_state();
  /// Lets the retiring file go, unless its newest row is no longer `max_row`: then rows came that
  /// were not cleaved. False when it stays; the log tells.
  bool set_sharded_state(std::int64_t max_row);
  /// Rows of all policies by name, tombstones too.
  [[nodiscard]] std::vector<ObjectRow> rows_between(const RowQuery& query);
  /// Removes rows with after < name <= upto, a bounded number at once, up to ROWID `max_row`.
  void remove_rows(const std::string& after, const std::string& upto, std::int64_t max_row);
  [[nodiscard]] std::int64_t tombstone_count();
  /// Looks for bounds that have `shard_size` objects between them, behind those that `existing` (in
  /// order) has, at most `limit` (-1 = all). A last range of fewer than `minimum_size` is part of
  /// the one before. `last` is set when the end of the container is reached. Nothing is stored.
  [[nodiscard]] std::vector<FoundRange> find_shard_ranges(std::int64_t shard_size,
                                                          std::int64_t minimum_size,
                                                          std::int64_t limit,
                                                          const std::vector<ShardRange>& existing,
                                                          bool& last);
  /// Value and timestamp of X-Container-Sysmeta-Shard-NAME; empty texts when it is not set.
  [[nodiscard]] std::pair<std::string, std::string> sharding_sysmeta(const std::string& name);
  void set_sharding_sysmeta(const std::string& name, const std::string& value);

 private:
  void migrate(Database& database) override;
  void merge_pending(Database& database, const std::vector<pickle::Ref>& rows) override;
  [[nodiscard]] bool is_row(const pickle::Tuple& tuple) const override;
  [[nodiscard]] const char* stat_table() const override { return "container_info"; }
  [[nodiscard]] const char* row_table() const override { return "object"; }
  [[nodiscard]] const char* reclaim_column() const override { return "created_at"; }
  [[nodiscard]] bool is_deleted(Database& database) override;
  [[nodiscard]] bool outlives_deletion(std::string_view metadata_name) const override;
  void on_new_id(Database& database) override;
  void on_reclaim(Database& database, const Timestamp& sync_age) override;
  void look_again() override { forget_files(); }
  [[nodiscard]] std::string file_of_epoch(const std::string& epoch) const;
  static void insert_range(Database& database, const ShardRange& range);
  void fill_fresh(Database& database, const ContainerStat& stat);
  [[nodiscard]] std::optional<std::string> name_at(const std::string& after, std::int64_t distance);
  [[nodiscard]] std::optional<ContainerStat> own_info();
  void add_shard_stats(ContainerStat& stat);
  /// Runs `work` on the retiring file. False: there is none, or a sharder took it away before it
  /// could be opened.
  bool on_retiring(const std::function<void(ContainerBroker&)>& work);
  [[nodiscard]] bool own_file_is_empty();
  [[nodiscard]] std::vector<ShardRange> stored_shard_ranges(const ShardQuery& query);
  void append_filler(const ShardQuery& query, const std::string& marker,
                     const std::string& end_marker, std::vector<ShardRange>& ranges);
  /// A broker of one file of the container.
  [[nodiscard]] ContainerBroker of_file(const std::string& file) const;

  std::string account_;
  std::string container_;
  std::string path_;
  mutable std::optional<std::vector<std::string>> files_;
};

}  // namespace apus
