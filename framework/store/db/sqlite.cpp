#include "framework/store/db/sqlite.h"

#include <sqlite3.h>

#include "framework/store/db/row_hash.h"

namespace apus {
namespace {

constexpr int kBusyMilliseconds = 25000;

std::string_view value_text(sqlite3_value* value) {
  if (sqlite3_value_type(value) == SQLITE_NULL) return "None";
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

// chexor(old, name, timestamp): old XOR MD5("name-timestamp"), 32 hex digits.
void chexor(sqlite3_context* context, int /*count*/, sqlite3_value** values) {
  auto hash = RowHash::parse(value_text(values[0]));
  if (!hash) {
    sqlite3_result_error(context, "chexor: the hash is not 32 hex digits", -1);
    return;
  }
  hash->mix(value_text(values[1]), value_text(values[2]));
  const std::string hex = hash->hex();
  sqlite3_result_text(context, hex.data(), static_cast<int>(hex.size()), SQLITE_TRANSIENT);
}

// A view without data is an empty text, not null.
void bind_text(sqlite3_stmt* statement, int place, std::string_view text,
               sqlite3_destructor_type keep) {
  sqlite3_bind_text64(statement, place, text.data() != nullptr ? text.data() : "", text.size(),
                      keep, SQLITE_UTF8);
}

[[noreturn]] void fail(sqlite3* handle, int code) {
  throw DatabaseError(handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code), code);
}

}  // namespace

DatabaseError::DatabaseError(const std::string& what, int code)
    : std::runtime_error(what), code_(code) {}
DatabaseError::~DatabaseError() = default;
bool DatabaseError::damaged() const {
  const int kind = code_ & 0xFF;
  return kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB || kind == SQLITE_IOERR;
}
bool DatabaseError::locked() const {
  return (code_ & 0xFF) == SQLITE_BUSY || (code_ & 0xFF) == SQLITE_LOCKED;
}
bool DatabaseError::absent() const { return (code_ & 0xFF) == SQLITE_CANTOPEN; }

Statement::Statement(sqlite3_stmt* statement) : statement_(statement) {}
Statement::~Statement() { restart(); }

void Statement::restart() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  bound_ = 0;
}

Statement& Statement::bind(std::string_view text) {
  bind_text(statement_, ++bound_, text, SQLITE_TRANSIENT);
  return *this;
}
Statement& Statement::bind_kept(std::string_view text) {
  bind_text(statement_, ++bound_, text, SQLITE_STATIC);
  return *this;
}
Statement& Statement::bind(std::int64_t value) {
  sqlite3_bind_int64(statement_, ++bound_, value);
  return *this;
}

Statement& Statement::bind(std::nullptr_t) {
  sqlite3_bind_null(statement_, ++bound_);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail(sqlite3_db_handle(statement_), code);
  return false;
}

std::string_view Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}
std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

Statement::Kind Statement::kind(int column) const {
  const int type = sqlite3_column_type(statement_, column);
  if (type == SQLITE_NULL) return Kind::kNull;
  return type == SQLITE_INTEGER ? Kind::kInteger : Kind::kText;
}

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
void Database::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Database::Database(const std::string& path, bool create) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  handle_.reset(raw);
  if (code != SQLITE_OK) fail(raw, code);
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  sqlite3_create_function(raw, "chexor", 3, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, chexor,
                          nullptr, nullptr);
  run(create ? "PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = MEMORY"
             : "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = "
               "DELETE");
}
Database::~Database() { statements_.clear(); }

void Database::run(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(handle_.get(), code);
}

Statement Database::query(const char* sql) {
  auto found = statements_.find(std::string_view(sql));
  if (found == statements_.end()) {
    sqlite3_stmt* raw = nullptr;
    const int code =
        sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    if (code != SQLITE_OK) fail(handle_.get(), code);
    found = statements_.emplace(sql, std::unique_ptr<sqlite3_stmt, Finalize>(raw)).first;
  }
  return Statement(found->second.get());
}

std::int64_t Database::changes() const { return sqlite3_changes64(handle_.get()); }

std::set<std::string, std::less<>> Database::columns() {
  std::set<std::string, std::less<>> out;
  Statement rows = query(
      "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p "
      "WHERE m.type IN ('table', 'view')");
  while (rows.step()) {
    std::string table(rows.text(0));
    table += '.';
    out.insert(table + std::string(rows.text(1)));
    out.insert(std::move(table));
  }
  return out;
}

void Database::release_memory() { sqlite3_db_release_memory(handle_.get()); }

void Database::use_triggers(bool on) {
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_ENABLE_TRIGGER, on ? 1 : 0, nullptr);
}

void Database::grow_by(int bytes) {
  sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_CHUNK_SIZE, &bytes);
}

Transaction::Transaction(Database& database, bool write) : database_(database) {
  database_.run(write ? "BEGIN IMMEDIATE" : "BEGIN");
}
Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const DatabaseError&) {
    // The connection is broken anyway; SQLite rolls back from the journal at the next open.
  }
}
void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace apus
