// A thin owner of SQLite's handles.
#pragma once

#include <apus/abi.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace apus {

/// What SQLite refused. `damaged` when the file is no database or a broken one.
class APUS_API DatabaseError : public std::runtime_error {
 public:
  DatabaseError(const std::string& what, int code);
  ~DatabaseError() override;
  [[nodiscard]] bool damaged() const;
  [[nodiscard]] bool locked() const;
  /// There is no such file, or it cannot be opened.
  [[nodiscard]] bool absent() const;

 private:
  int code_;
};

/// One prepared statement in use; reset when it goes. Texts may hold NUL.
class APUS_API Statement {
 public:
  explicit Statement(sqlite3_stmt* statement);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  Statement& bind(std::string_view text);
  /// Without a copy: the text stays as it is until this goes.
  Statement& bind_kept(std::string_view text);
  Statement& bind(std::int64_t value);
  Statement& bind(std::nullptr_t);
  /// True when there is a row.
  bool step();
  /// Back before the first row, with nothing bound.
  void restart();
  /// Views live until the next step.
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  enum class Kind : std::uint8_t { kNull, kInteger, kText };  ///< fractions and blobs are texts
  [[nodiscard]] Kind kind(int column) const;

 private:
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

/// One connection with Swift's settings and its chexor function. One thread at a time.
class APUS_API Database {
 public:
  /// Opens an existing file (or ":memory:"). Throws DatabaseError.
  explicit Database(const std::string& path, bool create = false);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// Runs one or more statements without results.
  void run(const char* sql);
  /// The statement is prepared once a connection and kept.
  Statement query(const char* sql);
  [[nodiscard]] std::int64_t changes() const;
  /// Every "table.column" of tables and views, and "table." for the table itself.
  [[nodiscard]] std::set<std::string, std::less<>> columns();
  /// Gives back what memory it can: the pages it has cached.
  void release_memory();
  /// Off: no trigger runs. A change makes every statement be prepared again.
  void use_triggers(bool on);
  /// The file grows in steps of that many bytes from now on.
  void grow_by(int bytes);

  bool is_current = false;  ///< the schema was looked at and is the present one

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3, Close> handle_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>, std::less<>> statements_;
};

/// A transaction that is rolled back unless `commit` was called.
class APUS_API Transaction {
 public:
  explicit Transaction(Database& database, bool write = true);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace apus
