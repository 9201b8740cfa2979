// Rows: how they merge, what they add up to, and the vectors that Swift gives.
#include <doctest/doctest.h>

#include "tests/unit/db/store.h"

namespace apus::test {
namespace {

ObjectRow step(const std::optional<ObjectRow>& stored, ObjectRow incoming) {
  return merge_rows(stored, std::move(incoming)).value_or(stored.value_or(ObjectRow()));
}

TEST_CASE("an object's row takes from each report what is newer in it") {
  std::optional<ObjectRow> row = step({}, object("o", 10, 5, "t/a"));
  CHECK(row->created_at == "0000000010.00000");
  ObjectRow post = object("o", 10, 5, "t/b");
  post.content_type_timestamp = at(20).internal();
  row = step(row, post);
  CHECK(row->created_at == "0000000010.00000+f4240+0");
  CHECK(row->content_type == "t/b");
  row = step(row, object("o", 15, 5, "t/c;swift_bytes=99"));
  CHECK(row->created_at == "0000000015.00000+7a120+0");
  CHECK(row->content_type == "t/b;swift_bytes=99");
  ObjectRow gone = object("o", 17, 0, "application/deleted");
  gone.deleted = true;
  gone.etag = "noetag";
  row = step(row, gone);
  CHECK(row->created_at == "0000000017.00000+493e0+0");
  CHECK(row->content_type == "t/b");
  CHECK(row->deleted);
  CHECK_FALSE(merge_rows(row, object("o", 16)).has_value());
}

TEST_CASE("the hash of a container's rows is Swift's") {
  Store store;
  auto broker = store.container();
  REQUIRE(broker.create(at(1), 0));
  CHECK_FALSE(broker.create(at(1), 0));
  ObjectRow second = object(
      "o\xc3\xa9"
      "2",
      1700000004);
  second.content_type_timestamp = "1700000014.00000";
  second.meta_timestamp = "1700000024.00000";
  second.created_at = "1700000004.00000_0000000000000003";
  broker.merge_objects({object("o1", 1700000003), second});
  const auto rows = broker.rows_since(-1, 10);
  REQUIRE(rows.size() == 2);
  CHECK(*rows[1].find("created_at")->text() == "1700000004.00000_3+f4240+f4240");
  broker.put_object(object("o1", 1700000002));  // older: nothing changes
  CHECK(broker.info()->object_count == 2);
  CHECK(broker.max_row() == 2);
}

std::string by_policy(const ContainerBroker& broker) {
  Database database(broker.file());
  Statement row = database.query("SELECT * FROM policy_stat ORDER BY 1");
  std::string out;
  while (row.step()) {
    for (int i = 0; i < 3; ++i) out += std::to_string(row.integer(i)) + ",";
  }
  return out;
}

std::string rows_of(const ContainerBroker& broker) {
  Database database(broker.file());
  Statement row = database.query(
      "SELECT name, created_at, size, content_type, etag, deleted, storage_policy_index "
      "FROM object ORDER BY name, storage_policy_index");
  std::string out;
  while (row.step()) {
    for (int i = 0; i < 7; ++i) out.append(row.text(i)).append(",");
  }
  return out;
}

TEST_CASE("many rows at once leave the totals and the hash that one after the other leave") {
  Store store;
  auto at_once = store.container("many");
  auto singly = store.container("single");
  REQUIRE(at_once.create(at(1), 0));
  REQUIRE(singly.create(at(1), 0));
  // New ones, then some that are newer, older, deleted, of another policy, twice in one batch.
  for (int round = 0; round < 4; ++round) {
    std::vector<ObjectRow> rows;
    for (int i = 0; i < (round == 3 ? 60 : 300); ++i) {
      ObjectRow row = object("o" + std::to_string(i % (250 + round)), 10 + (i * 7 + round * 5) % 13,
                             (i * 31 + round) % 1000);
      row.deleted = (i + round) % 5 == 0;
      row.policy = i % 11 == 0 ? 1 : 0;
      rows.push_back(std::move(row));
    }
    at_once.merge_objects(rows, {"peer", round});
    for (const ObjectRow& row : rows) singly.merge_objects({row});
    const auto one = at_once.info();
    const auto other = singly.info();
    REQUIRE(one);
    REQUIRE(other);
    CHECK(one->hash == other->hash);
    CHECK(one->object_count == other->object_count);
    CHECK(one->bytes_used == other->bytes_used);
    CHECK(one->object_count > 0);
    CHECK(by_policy(at_once) == by_policy(singly));
    CHECK(rows_of(at_once) == rows_of(singly));
  }
  CHECK(at_once.sync_point("peer") == 3);
  // Triggers work again.
  at_once.merge_objects({object("last", 50, 7)});
  singly.merge_objects({object("last", 50, 7)});
  CHECK(at_once.info()->hash == singly.info()->hash);
}

TEST_CASE("the hash of an account's rows is Swift's") {
  Store store;
  auto broker = store.account();
  REQUIRE(broker.create(at(1)));
  broker.put_container({"c1", "1700000001.00000", "0", 5, 100, false, 1});
  const auto stat = broker.info();
  REQUIRE(stat);
  CHECK(stat->hash == "5eed05dc4d12a2f5afd9449c936664c3");
  CHECK(stat->container_count == 1);
  CHECK(stat->bytes_used == 100);
  REQUIRE(stat->policies.size() == 1);
  CHECK(stat->policies[0].policy == 1);
  broker.put_container({"c1", "0", "1700000002.00000", 0, 0, true, 1});
  CHECK(broker.info()->container_count == 0);
  CHECK(*broker.rows_since(-1, 5)[0].find("put_timestamp")->text() == "1700000001.00000");
}

TEST_CASE("content types are split as Swift splits them") {
  CHECK(split_type("t/p; charset=x; swift_bytes=9").type == "t/p;charset=x");
  CHECK(split_type("t/p; charset=x; swift_bytes=9").swift_bytes == "9");
  CHECK(split_type("t/q;a=\"b;c\";d=e").type == "t/q;a=\"b;c\";d=e");
  CHECK(split_type("x;;= ;a").type == "x;a=");
  CHECK(split_type("").type.empty());
  CHECK_FALSE(split_type("t/p").swift_bytes.has_value());
}

TEST_CASE("rows from outside are refused when a field is missing or of another type") {
  const auto parse = [](const std::string& text) {
    return read_object_rows("[" + text + "]").has_value();
  };
  const auto good = read_object_rows(
      R"([{"name":"o","created_at":"1.00000","size":"7","content_type":null,"etag":"e","deleted":0},)"
      R"({"x":{"name":[7]},"deleted":true,"size":8,"name":"p","created_at":"2","etag":"f","ROWID":9,)"
      R"("content_type":"t","storage_policy_index":3,"ctype_timestamp":"4","meta_timestamp":"5"}])");
  REQUIRE(good);
  REQUIRE(good->rows.size() == 2);
  CHECK(good->rows[0].size == 7);
  CHECK(good->rows[0].content_type.empty());
  CHECK(good->rows[0].etag == "e");
  CHECK_FALSE(good->rows[0].deleted);
  CHECK(good->rows[1].name == "p");
  CHECK(good->rows[1].deleted);
  CHECK(good->rows[1].policy == 3);
  CHECK(good->rows[1].content_type_timestamp == "4");
  CHECK(good->rows[1].meta_timestamp == "5");
  CHECK(good->last_number == 9);
  CHECK(read_object_rows("[]")->rows.empty());
  for (const char* text : {"", "7", "{}", "[7]", "[[]]", "[[7]]", "[[\"x\"]]", "{\"a\":[7]}",
                           "{\"a\":{}}", "[\"o\"]", "[null]", "[{}] x"}) {
    CAPTURE(text);
    CHECK_FALSE(read_object_rows(text));
  }
  const std::string fits = R"("name":"o","created_at":"1","size":7,"etag":"e","deleted":0)";
  CHECK(parse("{" + fits + "}"));
  for (const char* more : {R"("name":null)", R"("name":["o"])", R"("size":null)", R"("size":1.5)",
                           R"("size":{})", R"("deleted":"x")", R"("etag":7)", R"("etag":true)",
                           R"("storage_policy_index":null)", R"("meta_timestamp":"never")"}) {
    CAPTURE(more);
    CHECK_FALSE(parse("{" + fits + "," + more + "}"));
  }
  CHECK_FALSE(parse(R"({"name":"o"})"));
  CHECK_FALSE(
      parse(R"({"name":7,"created_at":"1","size":7,"content_type":"","etag":"","deleted":0})"));
  CHECK_FALSE(
      parse(R"({"name":"o","created_at":"x","size":7,"content_type":"","etag":"","deleted":0})"));
  CHECK_FALSE(ContainerRow::from_json(*Json::parse(R"({"name":"c"})")));
  Store store;
  auto broker = store.container();
  broker.create(at(1), 0);
  CHECK_THROWS_AS(broker.merge_rows(R"([{"name":"o"}])", "peer"), BadRow);
  CHECK_THROWS_AS(broker.merge_rows("[{" + fits + "}]", "peer"), BadRow);  // no ROWID
  CHECK_THROWS_AS(broker.merge_rows("{}", "peer"), BadRow);
  CHECK(broker.max_row() == -1);
  CHECK(broker.sync_point("peer") == -1);
}

}  // namespace
}  // namespace apus::test
