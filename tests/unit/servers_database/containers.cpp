// The container server's answers, through container.so.
#include <doctest/doctest.h>

#include "tests/unit/servers_database/fixture.h"

namespace apus::test {
namespace {

const std::string kContainerPath = "/d1/7/AUTH_a/c";

Headers object_fields(const std::string& when, const std::string& size = "5") {
  return {{"X-Timestamp", when}, {"X-Size", size}, {"X-Content-Type", "t/p"}, {"X-Etag", "e"}};
}

TEST_CASE_FIXTURE(Servers, "a container's life") {
  CHECK(ask(*container, "HEAD", kContainerPath).status == 404);
  CHECK(ask(*container, "PUT", kContainerPath).status == 400);
  Answer made = ask(*container, "PUT", kContainerPath, at_time("10"));
  CHECK(made.status == 201);
  CHECK(made.internal.get("X-Backend-Storage-Policy-Index") == "0");
  CHECK(ask(*container, "PUT", kContainerPath, at_time("11")).status == 202);
  const Answer head = ask(*container, "HEAD", kContainerPath);
  CHECK(head.status == 204);
  CHECK(head.headers.get("X-Put-Timestamp") == "0000000011.00000");
  CHECK(head.internal.get("X-Backend-Sharding-State") == "unsharded");
  CHECK(ask(*container, "DELETE", kContainerPath, at_time("5")).status == 409);
  CHECK(ask(*container, "PUT", kContainerPath + "/o", object_fields("12")).status == 201);
  CHECK(ask(*container, "DELETE", kContainerPath, at_time("13")).status == 409);
  CHECK(ask(*container, "DELETE", kContainerPath + "/o", at_time("14")).status == 204);
  CHECK(ask(*container, "DELETE", kContainerPath, at_time("15")).status == 204);
  CHECK(ask(*container, "DELETE", kContainerPath, at_time("16")).status == 404);
  const Answer gone = ask(*container, "GET", kContainerPath);
  CHECK(gone.status == 404);
  CHECK(gone.internal.get("X-Backend-Delete-Timestamp") == "0000000016.00000");
  CHECK(ask(*container, "POST", kContainerPath, at_time("17")).status == 404);
  CHECK(ask(*container, "PUT", kContainerPath, at_time("15.5")).status == 409);
  CHECK(ask(*container, "PUT", kContainerPath, at_time("18")).status == 201);
}

TEST_CASE_FIXTURE(Servers, "policies") {
  Headers silver = at_time("10");
  silver.set("X-Backend-Storage-Policy-Index", "1");
  CHECK(ask(*container, "PUT", kContainerPath, silver).status == 201);
  Headers gold = at_time("11");
  gold.set("X-Backend-Storage-Policy-Index", "0");
  const Answer refused = ask(*container, "PUT", kContainerPath, gold);
  CHECK(refused.status == 409);
  CHECK(refused.internal.get("X-Backend-Storage-Policy-Index") == "1");
  gold.set("X-Backend-Storage-Policy-Index", "9");
  CHECK(ask(*container, "PUT", kContainerPath, gold).body ==
        "Invalid X-Backend-Storage-Policy-Index 9");
  Headers by_default = at_time("12");
  by_default.set("X-Backend-Storage-Policy-Default", "1");
  CHECK(ask(*container, "PUT", "/d1/7/AUTH_a/d", by_default)
            .internal.get("X-Backend-Storage-Policy-Index") == "1");
}

TEST_CASE_FIXTURE(Servers, "account servers are told, and their 404 is passed on") {
  Headers fields = at_time("10");
  fields.set("X-Account-Host", "127.0.0.1:1,127.0.0.1:2");
  fields.set("X-Account-Device", "d1,d2");
  fields.set("X-Account-Partition", "3");
  CHECK(ask(*container, "PUT", kContainerPath, fields).status == 201);
  REQUIRE(transport.calls.size() == 2);
  const Request& told = transport.calls[1].request;
  CHECK(told.path == "/d2/3/AUTH_a/c");
  CHECK(told.headers.get("X-Put-Timestamp") == "0000000010.00000");
  CHECK(told.headers.get("X-Delete-Timestamp") == "0");
  transport.status = 404;
  fields.set("X-Timestamp", "11");
  CHECK(ask(*container, "PUT", kContainerPath, fields).status == 404);
  transport.status = 0;
  fields.set("X-Timestamp", "12");
  CHECK(ask(*container, "PUT", kContainerPath, fields).status == 202);
  CHECK(host.log.has("Account update failed"));
  fields.set("X-Account-Device", "d1");
  fields.set("X-Timestamp", "13");
  CHECK(ask(*container, "PUT", kContainerPath, fields).status == 400);
}

TEST_CASE_FIXTURE(Servers, "listings in three forms") {
  ask(*container, "PUT", kContainerPath, at_time("10"));
  CHECK(ask(*container, "GET", kContainerPath).status == 204);
  for (const char* name : {"/a", "/b/x", "/b/y"})
    ask(*container, "PUT", kContainerPath + name, object_fields("12"));
  CHECK(ask(*container, "GET", kContainerPath, {}, "", "delimiter=/").body == "a\nb/\n");
  CHECK(ask(*container, "GET", kContainerPath, {}, "", "limit=1&format=json").body ==
        R"([{"bytes": 5, "hash": "e", "name": "a", "content_type": "t/p", )"
        R"("last_modified": "1970-01-01T00:00:12.000000"}])");
  const Answer xml =
      ask(*container, "GET", kContainerPath, {{"Accept", "text/xml"}}, "", "prefix=b/&limit=1");
  CHECK(xml.headers.get("Content-Type") == "text/xml; charset=utf-8");
  CHECK(xml.body.find("<name>b/x</name>") != std::string::npos);
  CHECK(ask(*container, "GET", kContainerPath, {{"Accept", "image/png"}}).status == 406);
  CHECK(ask(*container, "GET", kContainerPath, {{"Accept", "*"}}).status == 400);
  CHECK(ask(*container, "GET", kContainerPath, {}, "", "limit=10001").status == 412);
  CHECK(ask(*container, "GET", kContainerPath, {}, "", "marker=%ff").status == 400);
}

TEST_CASE_FIXTURE(Servers, "rows for accounts that servers make for themselves") {
  CHECK(ask(*container, "PUT", "/d1/7/.expiring/1/o", object_fields("12")).status == 201);
  CHECK(ask(*container, "PUT", "/d1/7/.shards_a/1/o", object_fields("12")).status == 404);
  Headers forced = object_fields("12");
  forced.set("X-Backend-Auto-Create", "false");
  CHECK(ask(*container, "PUT", "/d1/7/.other/1/o", forced).status == 404);
  for (const char* missing : {"X-Size", "X-Content-Type", "X-Etag"}) {
    Headers fields = object_fields("12");
    fields.erase(missing);
    CHECK(ask(*container, "PUT", "/d1/7/.expiring/1/o", fields).status == 400);
  }
  CHECK(ask(*container, "PUT", "/d1/7/.expiring/1/o", object_fields("12", "many")).status == 400);
}

TEST_CASE_FIXTURE(Servers, "UPDATE merges rows at once") {
  ask(*container, "PUT", kContainerPath, at_time("10"));
  const std::string rows =
      R"([{"name":"o","created_at":"11","size":3,"content_type":"t","etag":"e","deleted":0}])";
  CHECK(ask(*container, "UPDATE", kContainerPath, at_time("12"), rows).status == 202);
  CHECK(ask(*container, "GET", kContainerPath).body == "o\n");
  for (const char* bad : {"{", "7", "[7]", R"([{"name":"o"}])"})
    CHECK(ask(*container, "UPDATE", kContainerPath, at_time("12"), bad).status == 400);
}

TEST_CASE_FIXTURE(Servers, "shard ranges are stored, listed and redirect to") {
  Headers fields = at_time("20");
  fields.set("X-Backend-Record-Type", "shard");
  fields.set("X-Backend-Auto-Create", "true");
  fields.set("X-Backend-Storage-Policy-Index", "0");
  const std::string ranges =
      R"([{"name":".shards_AUTH_a/c-1","timestamp":"19","lower":"","upper":"m","object_count":1,)"
      R"("bytes_used":2,"meta_timestamp":"19","deleted":0,"state":"active","state_timestamp":"19",)"
      R"("epoch":null}])";
  CHECK(ask(*container, "PUT", kContainerPath, fields, ranges).status == 201);
  CHECK(ask(*container, "PUT", kContainerPath, fields, "[{}]").status == 400);
  CHECK(ask(*container, "PUT", kContainerPath, fields, "nonsense").status == 400);
  Headers ask_shards = {{"X-Backend-Record-Type", "shard"}};
  const Answer listed =
      ask(*container, "GET", kContainerPath, ask_shards, "", "format=json&states=listing");
  const auto dicts = Json::parse(listed.body);
  REQUIRE(dicts.has_value());
  REQUIRE(dicts->array()->size() == 2);
  CHECK(*(*dicts->array())[0].find("timestamp")->text() == "0000000019.00000");
  CHECK(*(*dicts->array())[1].find("lower")->text() == "m");
  CHECK(ask(*container, "GET", kContainerPath, ask_shards, "", "states=bad").body == "Bad state");
  Headers row = object_fields("21");
  row.set("X-Backend-Accept-Redirect", "true");
  const Answer moved = ask(*container, "PUT", kContainerPath + "/a", row);
  CHECK(moved.status == 301);
  CHECK(moved.headers.get("Location") == "/.shards_AUTH_a/c-1/a");
  CHECK(ask(*container, "PUT", kContainerPath + "/z", row).status == 201);
}

TEST_CASE_FIXTURE(Servers, "sync targets are judged and linked") {
  ask(*container, "PUT", kContainerPath, at_time("10"));
  const auto post = [&](const std::string& to, const std::string& when) {
    Headers fields = at_time(when);
    fields.set("X-Container-Sync-To", to);
    fields.set("X-Container-Sync-Key", "k");
    return ask(*container, "POST", kContainerPath, fields).status;
  };
  for (const char* bad : {"ftp://127.0.0.1/a", "http://127.0.0.1", "http://elsewhere/v1/a/c",
                          "http://127.0.0.1/a?b", "//realm", "//r/c/a/c"})
    CHECK(post(bad, "11") == 400);
  CHECK_FALSE(std::filesystem::exists(tree.path() / "d1/sync_containers"));
  CHECK(post("http://127.0.0.1:80/v1/a/c", "12") == 204);
  CHECK(std::filesystem::exists(tree.path() / "d1/sync_containers/7"));
  CHECK(post("", "13") == 204);
  CHECK_FALSE(std::filesystem::exists(tree.path() / "d1/sync_containers"));
}

TEST_CASE_FIXTURE(Servers, "paths, verbs and devices that are not there") {
  CHECK(ask(*container, "PATCH", kContainerPath).status == 405);
  CHECK(ask(*container, "OPTIONS", kContainerPath).headers.get("Allow") ==
        "DELETE, GET, HEAD, OPTIONS, POST, PUT, REPLICATE, UPDATE");
  CHECK(ask(*container, "GET", "/d1/7/a").status == 400);
  CHECK(ask(*container, "GET", "/d1/../a/c").body == "Invalid partition: ..");
  CHECK(ask(*container, "GET", "/../7/a/c").body == "Invalid device: ..");
  CHECK(ask(*container, "GET", "/d9/7/a/c").status == 507);
  CHECK(ask(*container, "GET", "/d1/7/a/\xff").status == 412);
  CHECK(ask(*container, "POST", kContainerPath + "/o", at_time("1")).status == 400);
}

}  // namespace
}  // namespace apus::test
