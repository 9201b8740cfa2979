// Damaged databases: moved to quarantine whole, never deleted, and never a crash.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/db/store.h"

namespace apus::test {
namespace {

namespace fs = std::filesystem;

void overwrite(const std::string& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

std::string slurp(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

fs::path quarantined(Store& store, const Broker& broker) {
  return store.tree.path() / "d1/quarantined" / broker.place().directory / broker.place().hash;
}

TEST_CASE("a file that is no database goes to quarantine, its pending rows with it") {
  Store store;
  auto broker = store.container();
  broker.create(at(1), 0);
  broker.put_object(object("o", 5));
  overwrite(broker.place().file(), std::string(5000, 'x'));
  Store fresh;  // no connection that remembers the file
  ContainerBroker reader({store.host.disk(), store.host.clock(), store.host.entropy(),
                          store.host.logger(Options()), fresh.pool, store.host.conf.constraints},
                         broker.place(), "a", "c");
  CHECK_THROWS_AS(reader.info(), DatabaseError);
  const fs::path folder = quarantined(store, broker);
  CHECK(fs::exists(folder / (broker.place().hash + ".db")));
  CHECK(fs::exists(folder / (broker.place().hash + ".db.pending")));
  CHECK_FALSE(fs::exists(broker.place().folder()));
  CHECK(store.host.log.has("Quarantined"));
  reader.forget_files();
  CHECK_FALSE(reader.info().has_value());

  SUBCASE("a second one of the same name finds a place too") {
    auto again = store.container();
    REQUIRE(again.create(at(2), 0));
    overwrite(again.place().file(), "");
    overwrite(again.place().file(), std::string(4096, '\1'));
    CHECK_THROWS_AS(again.info(), DatabaseError);
    std::size_t folders = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder.parent_path()))
      ++folders;
    CHECK(folders == 2);
  }
}

TEST_CASE("what fails in a file that was replaced is not held against the one in its place") {
  Store store;
  auto broker = store.container();
  broker.create(at(1), 0);
  broker.put_object(object("o", 5));
  const std::string file = broker.place().file();
  const std::string copy = file + ".copy";
  const auto fail = [] { throw DatabaseError("disk I/O error", SQLITE_IOERR); };
  SUBCASE("replaced") {
    CHECK_THROWS_AS(broker.locked([&] {
      fs::copy_file(file, copy);
      fs::rename(copy, file);
      fail();
    }),
                    DatabaseError);
    CHECK_FALSE(fs::exists(quarantined(store, broker)));
    CHECK(broker.info().has_value());
  }
  SUBCASE("the same") {
    CHECK_THROWS_AS(broker.locked(fail), DatabaseError);
    CHECK(fs::exists(quarantined(store, broker)));
  }
}

TEST_CASE("a database cut short or scribbled over never ends the process") {
  Store made;
  auto broker = made.container();
  broker.create(at(1), 0);
  for (int i = 0; i < 300; ++i) broker.merge_objects({object("o" + std::to_string(i), 5)});
  const std::string whole = slurp(broker.place().file());
  for (std::size_t round = 0; round < 60; ++round) {
    Store store;
    auto victim = store.container();
    fs::create_directories(victim.place().folder());
    std::string bytes = whole;
    if (round % 2 == 0) {
      bytes.resize(whole.size() * round / 60);
    } else {
      for (std::size_t i = 0; i < 200; ++i)
        bytes[(round * 7919 + i * 104729) % bytes.size()] = static_cast<char>(round * 31 + i);
    }
    overwrite(victim.place().file(), bytes);
    try {
      (void)victim.info();
      (void)victim.rows_since(-1, 1000);
      (void)names(store.container(), {});
      (void)victim.shard_ranges();
      victim.merge_objects({object("new", 9)});
    } catch (const DatabaseError&) {
      CHECK(store.host.log.lines().size() <= 3);
    }
  }
}

TEST_CASE("a database without its info row goes to quarantine") {
  Store store;
  auto broker = store.account();
  broker.create(at(1));
  Database(broker.place().file()).run("DELETE FROM account_stat");
  CHECK_FALSE(broker.info().has_value());
  CHECK(fs::exists(quarantined(store, broker)));
}

TEST_CASE("a copy that came by rsync and is broken does not take the tmp folder along") {
  Store store;
  const std::string landed = store.tree.write("d1/tmp/some-id", std::string(5000, 'x')).string();
  store.tree.write("d1/tmp/other", "y");
  ContainerBroker broker(store.services(), store.place("containers", std::string(32, 'a')), "", "",
                         landed);
  CHECK_THROWS_AS(broker.take_new_id("peer"), DatabaseError);
  CHECK(fs::exists(landed));
  CHECK(fs::exists(store.tree.path() / "d1/tmp/other"));
}

}  // namespace
}  // namespace apus::test
