// The pending file: what Swift writes into it, garbage, and its bound.
#include <apus/digest.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include "tests/unit/db/store.h"

namespace apus::test {
namespace {

std::string pending_of(const Broker& broker) { return broker.place().file() + ".pending"; }

void append(const std::string& path, const std::string& text) {
  FILE* file = fopen(path.c_str(), "ab");
  REQUIRE(file != nullptr);
  fwrite(text.data(), 1, text.size(), file);
  fclose(file);
}

std::uint64_t size_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

TEST_CASE("a row that Swift appended is read") {
  Store store;
  auto broker = store.account();
  broker.create(at(1));
  append(pending_of(broker),
         ":gAIoWAIAAABjMXEAWBAAAAAxNzAwMDAwMDAxLjAwMDAwcQFYAQAAADBxAksFWAMAAAAxMDBxA0sASwB0cQQu");
  const auto stat = broker.info();
  CHECK(stat->hash == "5eed05dc4d12a2f5afd9449c936664c3");
  CHECK(size_of(pending_of(broker)) == 0);
}

TEST_CASE("garbage between rows is told and passed over") {
  Store store;
  auto broker = store.container();
  broker.create(at(1), 0);
  broker.put_object(object("good1", 5));
  pickle::Writer list;
  list.begin_dict();
  list.end_dict();
  pickle::Writer wrong;
  wrong.begin_tuple();
  for (int i = 0; i < 9; ++i) wrong.integer(i);
  wrong.end_tuple();
  pickle::Writer few;
  few.begin_tuple();
  few.text("o");
  few.end_tuple();
  pickle::Writer bad_time;
  bad_time.begin_tuple();
  for (const char* text : {"o", "never", "1", "t", "e", "0"}) bad_time.text(text);
  bad_time.end_tuple();
  append(pending_of(broker), std::string(":!!!:AAAA::") + std::string(3, '\0') + ":" +
                                 base64_encode(list.finish()) + ":" +
                                 base64_encode(wrong.finish()) + ":" + base64_encode(few.finish()) +
                                 ":" + base64_encode(bad_time.finish()));
  broker.put_object(object("good2", 6));
  CHECK(names(store.container(), {}) == "good1,good2,");
  CHECK(store.host.log.has("Invalid pending entry"));
  CHECK(size_of(pending_of(broker)) == 0);
}

TEST_CASE("a full pending file is merged by whoever writes to it") {
  Store store;
  auto broker = store.container();
  broker.create(at(1), 0);
  const std::string path = pending_of(broker);
  std::uint64_t largest = 0;
  for (int i = 0; i < 1500; ++i) {
    broker.put_object(object("o" + std::to_string(i), 5));
    largest = std::max(largest, size_of(path));
  }
  CHECK(largest <= kPendingLimit);
  CHECK(largest > kPendingLimit / 2);
  CHECK(broker.info()->object_count == 1500);
}

TEST_CASE("a reader that may be stale does without rows whose lock another holds") {
  Store store;
  auto broker = store.container();
  broker.create(at(1), 0);
  broker.put_object(object("o", 5));
  const Fd other(store.host.disk(),
                 store.host.disk().open(broker.place().folder() + "/.lock", O_WRONLY));
  REQUIRE(store.host.disk().flock(other.get(), LOCK_EX) == 0);
  broker.set_patience({std::chrono::milliseconds(1), true});
  CHECK(broker.info()->object_count == 0);
  broker.set_patience({std::chrono::milliseconds(1), false});
  CHECK_THROWS_AS(broker.info(), std::system_error);
  CHECK_THROWS_AS(broker.put_object(object("p", 5)), std::system_error);
}

}  // namespace
}  // namespace apus::test
