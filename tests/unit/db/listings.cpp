// Listings by name: markers, prefixes, delimiters, pseudo directories, either direction.
#include <doctest/doctest.h>

#include "tests/unit/db/store.h"

namespace apus::test {
namespace {

struct Filled : Store {
  Filled() {
    auto broker = container();
    broker.create(at(1), 0);
    std::vector<ObjectRow> rows;
    for (const char* name : {"Z", "a", "a x", "a/", "a/b", "a/b/c", "a/c", "b/", "b//c", "b0",
                             "z\xc3\xa9", "\xf0\x9f\x98\x80"})
      rows.push_back(object(name, 5));
    rows.push_back(object(std::string("\0hidden", 7), 5));
    broker.merge_objects(rows);
  }
  std::string get(const ListingQuery& query) { return names(container(), query); }
};

ListingQuery with(const std::string& delimiter, const std::string& prefix = "",
                  const std::string& marker = "") {
  ListingQuery out;
  out.delimiter = delimiter;
  out.prefix = prefix;
  out.marker = marker;
  return out;
}

TEST_CASE_FIXTURE(Filled, "delimiters fold names into folders") {
  CHECK(get(with("/")) == "Z,a,a x,a/,b/,b0,z\xc3\xa9,\xf0\x9f\x98\x80,");
  CHECK(get(with("/", "a/")) == "a/,a/b,a/b/,a/c,");
  CHECK(get(with("/", "", "a/")) == "b/,b0,z\xc3\xa9,\xf0\x9f\x98\x80,");
  ListingQuery back = with("/");
  back.reverse = true;
  CHECK(get(back) == "\xf0\x9f\x98\x80,z\xc3\xa9,b0,b/,a/,a x,a,Z,");
  CHECK(get(with("//")) == "Z,a,a x,a/,a/b,a/b/c,a/c,b/,b//,b0,z\xc3\xa9,\xf0\x9f\x98\x80,");
}

TEST_CASE_FIXTURE(Filled, "a path lists one level of a pseudo directory") {
  ListingQuery query;
  query.path = "";
  CHECK(get(query) == "Z,a,a x,a/,b/,z\xc3\xa9,\xf0\x9f\x98\x80,");
  query.path = "a";
  CHECK(get(query) == "a/b,a/c,");
  query.path = "a///";
  CHECK(get(query) == "a/b,a/c,");
  query.limit = 1;
  CHECK(get(query) == "a/b,");
  query.limit = 2;
  CHECK(get(query) == "a/b,a/c,");
}

TEST_CASE_FIXTURE(Filled, "limits, markers and reserved names") {
  ListingQuery query;
  query.limit = 0;
  CHECK(get(query).empty());
  query.limit = 2;
  query.marker = "a/b";
  CHECK(get(query) == "a/b/c,a/c,");
  query.end_marker = "a/c";
  CHECK(get(query) == "a/b/c,");
  ListingQuery all;
  all.allow_reserved = true;
  all.limit = 1;
  CHECK(get(all) == std::string("\0hidden,", 8));
}

TEST_CASE("the name behind all that start with a text") {
  CHECK(name_after("a") == "b");
  CHECK(name_after("\x7f") == "\xc2\x80");
  CHECK(name_after("a\xc3\xbf") == "a\xc4\x80");
  CHECK(name_after("") == "");
}

TEST_CASE("swift_bytes shows as the size and not in the type") {
  Store store;
  auto broker = store.container();
  broker.create(at(1), 0);
  broker.merge_objects({object("o", 5, 3, "t/p; charset=x; swift_bytes=9"), object("p", 6, 4)});
  const auto entries = listed(store.container(), {});
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].bytes == 9);
  CHECK(entries[0].content_type == "t/p;charset=x");
  CHECK(entries[1].bytes == 4);
  CHECK(entries[1].last_modified == "1970-01-01T00:00:06.000000");
  CHECK(broker.info()->bytes_used == 7);
}

}  // namespace
}  // namespace apus::test
