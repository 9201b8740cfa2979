#include "framework/store/db/broker.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "framework/store/object/partition.h"

namespace apus {
namespace {

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

// Swift's steps of growth: 1, 2, 5, 10, 25, 50 MB, then every 50.
int growth_step(std::uint64_t size) {
  constexpr std::uint64_t kMb = 1U << 20U;
  for (const std::uint64_t point : {1U, 2U, 5U, 10U, 25U}) {
    if (size + kMb / 2 <= point * kMb) return static_cast<int>(point * kMb);
  }
  return static_cast<int>(50 * kMb);
}

}  // namespace

BadRow::~BadRow() = default;

Broker::Broker(BrokerServices services, DatabasePlace place, std::string file)
    : services_(services), place_(std::move(place)), fixed_file_(std::move(file)) {}
Broker::~Broker() = default;

std::string Broker::file() const { return fixed_file_.empty() ? place_.file() : fixed_file_; }

bool Broker::exists() const {
  struct stat info {};
  return ::stat(file().c_str(), &info) == 0;
}

bool Broker::outlives_deletion(std::string_view /*metadata_name*/) const { return false; }

std::string Broker::new_id() const {
  return services_.entropy.uuid4() + "-" + place_.device.substr(place_.device.rfind('/') + 1);
}

DatabasePool::Lease Broker::connect() {
  const std::string chosen = file();
  try {
    return services_.connections.open(chosen);
  } catch (const DatabaseError& error) {
    if (error.damaged()) quarantine(error.what());
    look_again();
    // A sharder took it away, for there is a newer one.
    if (!error.absent() || file() == chosen) throw;
  }
  return services_.connections.open(file());
}

void Broker::with(const std::function<void(Database&)>& work) {
  auto lease = connect();
  try {
    if (!lease->is_current) {
      migrate(*lease);
      lease->is_current = true;
    }
    work(*lease);
  } catch (const DatabaseError& error) {
    lease.discard();
    // Of a file that was taken away or replaced meanwhile, the one in its place knows nothing.
    if (error.damaged() && lease.in_place()) quarantine(error.what());
    throw;
  } catch (...) {
    lease.discard();
    throw;
  }
}

void Broker::change(const std::function<void(Database&)>& work) {
  with([&](Database& database) {
    Transaction transaction(database);
    work(database);
    transaction.commit();
  });
}

void Broker::quarantine(const std::string& why) {
  if (!file().starts_with(place_.folder())) {
    services_.log.error("Malformed database " + file() + ": " + why);  // a copy on its way in
    return;
  }
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

void Broker::look_again() {}

Fd Broker::take_lock() const {
  Fd out = lock_folder(services_.disk, place_.folder(), patience_.lock);
  if (!out) throw std::system_error(errno, std::generic_category(), place_.folder() + "/.lock");
  return out;
}

bool Broker::create_file(const std::string& target, const std::function<void(Database&)>& fill,
                         const std::function<bool()>& may) {
  Disk& disk = services_.disk;
  const std::string folder = target.substr(0, target.rfind('/'));
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
  const Fd fd(disk, disk.open(fresh, O_RDONLY));
  if (!fd || disk.fsync(fd.get()) != 0)
    throw std::system_error(errno, std::generic_category(), fresh);
  const Fd lock = lock_folder(disk, folder, patience_.lock);
  if (!lock) {
    const int error = errno;
    disk.unlink(fresh);
    throw std::system_error(error, std::generic_category(), folder + "/.lock");
  }
  if (!may()) {
    disk.unlink(fresh);
    return false;
  }
  // A peer's whole database takes its name without the lock: it must not be replaced.
  int error = disk.link_fd(fd.get(), target) == 0 ? 0 : errno;
  disk.unlink(fresh);
  if (error == EEXIST) return false;
  if (error == 0) error = sync_folder(disk, folder);
  if (error != 0) throw std::system_error(error, std::generic_category(), target);
  return true;
}

DatabaseMetadata Broker::read_metadata(Database& database) const {
  const std::string sql = std::string("SELECT metadata FROM ") + stat_table();
  Statement row = database.query(sql.c_str());
  return row.step() ? parse_metadata_column(row.text(0)) : DatabaseMetadata();
}

void Broker::write_metadata(Database& database, const DatabaseMetadata& metadata) const {
  const std::string sql = std::string("UPDATE ") + stat_table() + " SET metadata = ?";
  database.query(sql.c_str()).bind(metadata_column(metadata)).step();
}

DatabaseMetadata Broker::metadata() {
  DatabaseMetadata out;
  with([&](Database& database) { out = read_metadata(database); });
  return out;
}

void Broker::touch(const Timestamp& put_timestamp) {
  with([&](Database& database) {
    const std::string sql =
        std::string("UPDATE ") + stat_table() + " SET put_timestamp = ?1 WHERE put_timestamp < ?1";
    database.query(sql.c_str()).bind(put_timestamp.internal()).step();
  });
}

void Broker::mark_deleted(const Timestamp& timestamp) {
  change([&](Database& database) {
    DatabaseMetadata all = read_metadata(database);
    const std::string when = timestamp.internal();
    for (auto& [name, value] : all) {
      if (value.second < when && !outlives_deletion(name)) value = {"", when};
    }
    write_metadata(database, all);
    const std::string sql = std::string("UPDATE ") + stat_table() +
                            " SET delete_timestamp = ?1, status = 'DELETED', "
                            "status_changed_at = ?1 WHERE delete_timestamp < ?1";
    database.query(sql.c_str()).bind(when).step();
  });
}

std::string Broker::update_metadata(const Headers& fields, const Timestamp& timestamp) {
  if (fields.empty()) return "";
  DatabaseMetadata updates;
  const std::string when = timestamp.internal();
  for (const auto& [name, value] : fields) updates[title_case(name)] = {value, when};
  std::string refusal;
  with([&](Database& database) {
    Transaction transaction(database);
    DatabaseMetadata all = read_metadata(database);
    if (!apus::merge_metadata(all, updates)) return;
    refusal = check_stored_metadata(all, services_.limits);
    if (!refusal.empty()) return;
    write_metadata(database, all);
    transaction.commit();
  });
  return refusal;
}

void Broker::merge_metadata(const DatabaseMetadata& updates) {
  if (updates.empty()) return;
  change([&](Database& database) {
    DatabaseMetadata all = read_metadata(database);
    if (apus::merge_metadata(all, updates)) write_metadata(database, all);
  });
}

void Broker::put_pending(const std::string& pickle) {
  const std::string file = pending_file();
  const auto write = [&](std::string_view records) {
    const Fd held = take_lock();
    return append_pending(services_.disk, file, records);
  };
  const std::string record = pending_record(pickle);
  const std::uint64_t size =
      services_.pending != nullptr ? services_.pending->append(file, record, write) : write(record);
  if (size > kPendingLimit) commit_pending();
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
  std::vector<std::string> bad;
  std::vector<pickle::Ref> rows = read_pending_rows(text, bad);
  std::erase_if(rows, [&](const pickle::Ref& row) {
    if (is_row(std::get<pickle::Tuple>(row->data))) return false;
    bad.emplace_back("a tuple that is no row");
    return true;
  });
  for (const std::string& record : bad) {
    services_.log.error("Invalid pending entry " + pending_file() + ": " + record.substr(0, 100));
  }
  return rows;
}

void Broker::preallocate(Database& database) const {
  struct stat info {};
  if (!services_.preallocate || ::stat(file().c_str(), &info) != 0) return;
  database.grow_by(growth_step(static_cast<std::uint64_t>(info.st_size)));
}

void Broker::commit_locked() {
  Disk& disk = services_.disk;
  const Fd pending(disk, disk.open(pending_file(), O_RDWR));
  struct stat info {};
  if (!pending) {
    if (errno == ENOENT) return;
    throw std::system_error(errno, std::generic_category(), pending_file());
  }
  if (disk.fstat(pending.get(), info) != 0)
    throw std::system_error(errno, std::generic_category(), pending_file());
  if (info.st_size == 0) return;
  const auto rows = read_pending(pending.get(), static_cast<std::uint64_t>(info.st_size));
  if (!rows.empty()) {
    change([&](Database& database) {
      preallocate(database);
      merge_pending(database, rows);
    });
  }
  if (disk.truncate(pending.get(), 0) != 0)
    throw std::system_error(errno, std::generic_category(), pending_file());
}

void Broker::commit_pending() {
  struct stat info {};
  if (!fixed_file_.empty() || patience_.leave_pending ||
      ::stat(pending_file().c_str(), &info) != 0 || info.st_size == 0)
    return;
  const Fd lock = lock_folder(services_.disk, place_.folder(), patience_.lock);
  if (!lock) {
    if (patience_.stale_ok) return;
    throw std::system_error(errno, std::generic_category(), place_.folder() + "/.lock");
  }
  try {
    look_again();
    commit_locked();
  } catch (const DatabaseError& error) {
    if (!patience_.stale_ok || !error.locked()) throw;
  }
}

}  // namespace apus
