#include "framework/store/db/broker.h"

#include <apus/digest.h>
#include <apus/json.h>
#include <apus/text.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "framework/store/object/partition.h"

namespace apus {
namespace {

constexpr std::uint64_t kPendingLimit = 131072;

constexpr const char* kSyncTables = R"sql(
CREATE TABLE outgoing_sync (remote_id TEXT UNIQUE, sync_point INTEGER, updated_at TEXT DEFAULT 0);
CREATE TABLE incoming_sync (remote_id TEXT UNIQUE, sync_point INTEGER, updated_at TEXT DEFAULT 0);
CREATE TRIGGER outgoing_sync_insert AFTER INSERT ON outgoing_sync
BEGIN UPDATE outgoing_sync SET updated_at = STRFTIME('%s', 'NOW') WHERE ROWID = new.ROWID; END;
CREATE TRIGGER outgoing_sync_update AFTER UPDATE ON outgoing_sync
BEGIN UPDATE outgoing_sync SET updated_at = STRFTIME('%s', 'NOW') WHERE ROWID = new.ROWID; END;
CREATE TRIGGER incoming_sync_insert AFTER INSERT ON incoming_sync
BEGIN UPDATE incoming_sync SET updated_at = STRFTIME('%s', 'NOW') WHERE ROWID = new.ROWID; END;
CREATE TRIGGER incoming_sync_update AFTER UPDATE ON incoming_sync
BEGIN UPDATE incoming_sync SET updated_at = STRFTIME('%s', 'NOW') WHERE ROWID = new.ROWID; END;
)sql";

}  // namespace

DatabasePool::Lease::Lease(DatabasePool& pool, std::string path, std::uint64_t inode,
                           std::unique_ptr<Database> database)
    : pool_(&pool), path_(std::move(path)), inode_(inode), database_(std::move(database)) {}
DatabasePool::Lease::~Lease() {
  if (database_ != nullptr) pool_->give_back(std::move(path_), inode_, std::move(database_));
}

DatabasePool::Lease DatabasePool::open(const std::string& path) {
  struct stat info {};
  const std::uint64_t inode = ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = idle_.rbegin(); at != idle_.rend(); ++at) {
      if (at->path != path || at->inode != inode) continue;
      auto database = std::move(at->database);
      idle_.erase(std::next(at).base());
      return {*this, path, inode, std::move(database)};
    }
  }
  return {*this, path, inode, std::make_unique<Database>(path)};
}

void DatabasePool::give_back(std::string path, std::uint64_t inode,
                             std::unique_ptr<Database> database) {
  Idle oldest;
  const std::lock_guard lock(mutex_);
  if (idle_.size() >= kMaxIdle) {
    oldest = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }
  idle_.push_back({std::move(path), inode, std::move(database)});
}

DatabaseMetadata parse_metadata_column(std::string_view json) {
  DatabaseMetadata out;
  const auto value = Json::parse(json, 16U << 20U);
  if (!value || value->object() == nullptr) return out;
  for (const auto& [name, pair] : *value->object()) {
    const Json::Array* items = pair.array();
    if (items == nullptr || items->size() != 2 || (*items)[0].text() == nullptr ||
        (*items)[1].text() == nullptr)
      continue;
    out[name] = {*(*items)[0].text(), *(*items)[1].text()};
  }
  return out;
}

std::string metadata_column(const DatabaseMetadata& metadata) {
  Json::Object out;
  for (const auto& [name, value] : metadata) {
    out.emplace_back(name, Json(Json::Array{Json(value.first), Json(value.second)}));
  }
  return Json(std::move(out)).dump();
}

Broker::Broker(BrokerServices services, DatabasePlace place)
    : services_(services), place_(std::move(place)) {}
Broker::~Broker() = default;

bool Broker::exists() const {
  struct stat info {};
  return ::stat(place_.file().c_str(), &info) == 0;
}

std::string Broker::new_id() const {
  return services_.entropy.uuid4() + "-" + place_.device.substr(place_.device.rfind('/') + 1);
}

void Broker::with(const std::function<void(Database&)>& work) {
  auto lease = services_.connections.open(place_.file());
  try {
    work(*lease);
  } catch (const DatabaseError& error) {
    lease.discard();
    if (error.damaged()) quarantine(error.what());
    throw;
  } catch (...) {
    lease.discard();
    throw;
  }
}

void Broker::quarantine(const std::string& why) {
  const std::string target_folder = place_.device + "/quarantined/" + place_.directory;
  make_folders(services_.disk, target_folder, false);
  std::string target = target_folder + "/" + place_.hash;
  if (services_.disk.rename(place_.folder(), target) != 0) {
    target += "-" + services_.entropy.hex(16);
    if (services_.disk.rename(place_.folder(), target) != 0) target = "nowhere";
  }
  services_.log.error("Quarantined " + place_.folder() + " to " + target +
                      " due to malformed database: " + why);
}

bool Broker::create_file(const std::function<void(Database&)>& fill) {
  Disk& disk = services_.disk;
  const std::string folder = place_.folder();
  if (const int error = make_folders(disk, folder, true))
    throw std::system_error(error, std::generic_category(), folder);
  const std::string fresh = folder + "/" + services_.entropy.hex(8) + ".tmp";
  try {
    Database database(fresh, true);
    Transaction transaction(database);
    database.run(kSyncTables);
    fill(database);
    transaction.commit();
  } catch (...) {
    disk.unlink(fresh);
    throw;
  }
  {
    const Fd fd(disk, disk.open(fresh, O_RDONLY));
    if (!fd || disk.fsync(fd.get()) != 0)
      throw std::system_error(errno, std::generic_category(), fresh);
  }
  const Fd lock = lock_folder(disk, folder, std::chrono::seconds(10));
  if (!lock) throw std::system_error(errno, std::generic_category(), folder + "/.lock");
  if (exists()) {
    disk.unlink(fresh);
    return false;
  }
  if (disk.rename(fresh, place_.file()) != 0)
    throw std::system_error(errno, std::generic_category(), place_.file());
  if (const int error = sync_folder(disk, folder))
    throw std::system_error(error, std::generic_category(), folder);
  return true;
}

DatabaseMetadata Broker::read_metadata(Database& database) const {
  const std::string sql = std::string("SELECT metadata FROM ") + stat_table();
  Statement row = database.query(sql.c_str());
  return row.step() ? parse_metadata_column(row.text(0)) : DatabaseMetadata();
}

DatabaseMetadata Broker::metadata() {
  DatabaseMetadata out;
  with([&](Database& database) { out = read_metadata(database); });
  return out;
}

void Broker::touch(const Timestamp& put_timestamp) {
  with([&](Database& database) {
    const std::string sql =
        std::string("UPDATE ") + stat_table() + " SET put_timestamp = max(put_timestamp, ?)";
    database.query(sql.c_str()).bind(put_timestamp.internal()).step();
  });
}

void Broker::mark_deleted(const Timestamp& timestamp) {
  with([&](Database& database) {
    Transaction transaction(database);
    DatabaseMetadata all = read_metadata(database);
    const std::string when = timestamp.internal();
    for (auto& [name, value] : all) {
      if (value.second < when) value = {"", when};
    }
    const std::string sql = std::string("UPDATE ") + stat_table() +
                            " SET metadata = ?, delete_timestamp = ?, status = 'DELETED', "
                            "status_changed_at = ? WHERE delete_timestamp < ?";
    database.query(sql.c_str()).bind(metadata_column(all)).bind(when).bind(when).bind(when).step();
    transaction.commit();
  });
}

std::string Broker::update_metadata(const Headers& fields, const Timestamp& timestamp,
                                    std::string_view kind) {
  if (fields.empty()) return "";
  std::string refusal;
  with([&](Database& database) {
    Transaction transaction(database);
    DatabaseMetadata all = read_metadata(database);
    const std::string when = timestamp.internal();
    for (const auto& [name, value] : fields) {
      auto& old = all[name];
      if (old.second.empty() || when > old.second) old = {value, when};
    }
    const std::string prefix = "X-" + std::string(kind) + "-Meta-";
    std::int64_t count = 0;
    std::int64_t size = 0;
    for (const auto& [name, value] : all) {
      if (!starts_with_name(name, prefix) || value.first.empty()) continue;
      ++count;
      size += static_cast<std::int64_t>(name.size() - prefix.size() + value.first.size());
    }
    if (count > services_.limits.max_meta_count) {
      refusal = "Too many metadata items; max " + std::to_string(services_.limits.max_meta_count);
    } else if (size > services_.limits.max_meta_overall_size) {
      refusal =
          "Total metadata too large; max " + std::to_string(services_.limits.max_meta_overall_size);
    } else {
      const std::string update = std::string("UPDATE ") + stat_table() + " SET metadata = ?";
      database.query(update.c_str()).bind(metadata_column(all)).step();
      transaction.commit();
    }
  });
  return refusal;
}

void Broker::put_pending(const std::string& pickle, std::chrono::milliseconds patience) {
  Disk& disk = services_.disk;
  const std::string record = ":" + base64_encode(pickle);
  {
    const Fd lock = lock_folder(disk, place_.folder(), patience);
    if (!lock) throw std::system_error(errno, std::generic_category(), place_.folder() + "/.lock");
    const Fd file(disk, disk.open(pending_file(), O_WRONLY | O_CREAT | O_APPEND, 0644));
    struct stat info {};
    if (!file || disk.fstat(file.get(), info) != 0)
      throw std::system_error(errno, std::generic_category(), pending_file());
    const auto before = static_cast<std::uint64_t>(info.st_size);
    const ssize_t count = disk.write(file.get(), record);
    if (count != static_cast<ssize_t>(record.size())) {
      const int error = count < 0 ? errno : ENOSPC;
      disk.truncate(file.get(), before);  // half a record would swallow the next one
      throw std::system_error(error, std::generic_category(), pending_file());
    }
    if (before + record.size() <= kPendingLimit) return;
  }
  commit_pending(patience);
}

std::vector<pickle::Ref> Broker::read_pending(int fd, std::uint64_t size) {
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t count = services_.disk.pread(fd, std::span(text).subspan(have), have);
    if (count <= 0) break;
    have += static_cast<std::size_t>(count);
  }
  text.resize(have);
  std::vector<pickle::Ref> rows;
  for (const std::string& record : split_list(text, ':')) {
    const auto raw = base64_decode(record);
    pickle::Ref row = raw ? pickle::parse(*raw) : nullptr;
    if (row != nullptr && std::holds_alternative<pickle::Tuple>(row->data)) {
      rows.push_back(std::move(row));
    } else {
      services_.log.error("Invalid pending entry " + pending_file() + ": " + record.substr(0, 100));
    }
  }
  return rows;
}

bool Broker::commit_pending(std::chrono::milliseconds patience) {
  Disk& disk = services_.disk;
  struct stat info {};
  if (::stat(pending_file().c_str(), &info) != 0 || info.st_size == 0) return true;
  const Fd lock = lock_folder(disk, place_.folder(), patience);
  if (!lock) return false;
  const Fd file(disk, disk.open(pending_file(), O_RDWR));
  if (!file || disk.fstat(file.get(), info) != 0) return errno == ENOENT;
  if (info.st_size == 0) return true;
  const auto rows = read_pending(file.get(), static_cast<std::uint64_t>(info.st_size));
  with([&](Database& database) {
    Transaction transaction(database);
    merge(database, rows);
    transaction.commit();
  });
  disk.truncate(file.get(), 0);
  return true;
}

}  // namespace apus
