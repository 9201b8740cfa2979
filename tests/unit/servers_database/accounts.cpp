// The account server's answers, through account.so.
#include <doctest/doctest.h>

#include "tests/unit/servers_database/fixture.h"

namespace apus::test {
namespace {

const std::string kPath = "/d1/3/AUTH_b";

Headers row(const std::string& put, const std::string& gone, const std::string& objects = "0") {
  return {{"X-Put-Timestamp", put},
          {"X-Delete-Timestamp", gone},
          {"X-Object-Count", objects},
          {"X-Bytes-Used", "9"}};
}

TEST_CASE_FIXTURE(Servers, "an account's life") {
  CHECK(ask(*account, "HEAD", kPath).status == 404);
  CHECK(ask(*account, "PUT", kPath + "/c", row("5", "0")).status == 404);
  Headers fields = at_time("10");
  fields.set("X-Account-Meta-Color", "blue");
  CHECK(ask(*account, "PUT", kPath, fields).status == 201);
  CHECK(ask(*account, "PUT", kPath, at_time("11")).status == 202);
  const Answer head = ask(*account, "HEAD", kPath);
  CHECK(head.status == 204);
  CHECK(head.headers.get("X-Account-Meta-Color") == "blue");
  CHECK(ask(*account, "PUT", kPath + "/c", row("5", "0", "2")).status == 201);
  CHECK(
      ask(*account, "GET", kPath, {}, "", "format=json").body ==
      R"([{"name": "c", "count": 2, "bytes": 9, "last_modified": "1970-01-01T00:00:05.000000"}])");
  const Answer stat = ask(*account, "HEAD", kPath);
  CHECK(stat.headers.get("X-Account-Container-Count") == "1");
  CHECK(stat.headers.get("X-Account-Storage-Policy-Policy-0-Object-Count") == "2");
  CHECK(ask(*account, "PUT", kPath + "/c", row("5", "6")).status == 204);
  CHECK(ask(*account, "GET", kPath).status == 204);
  const Answer gone = ask(*account, "DELETE", kPath, at_time("20"));
  CHECK(gone.status == 204);
  CHECK(gone.headers.get("X-Account-Status") == "Deleted");
  CHECK(ask(*account, "DELETE", kPath, at_time("21")).status == 404);
  CHECK(ask(*account, "PUT", kPath, at_time("22")).status == 403);
  CHECK(ask(*account, "POST", kPath, at_time("22")).status == 404);
  CHECK(ask(*account, "PUT", kPath + "/d", row("5", "0")).status == 404);
  Headers forced = row("5", "0");
  forced.set("X-Account-Override-Deleted", "yes");
  CHECK(ask(*account, "PUT", kPath + "/d", forced).status == 201);
}

TEST_CASE_FIXTURE(Servers, "rows that lack a field or lie") {
  ask(*account, "PUT", kPath, at_time("10"));
  for (const char* name :
       {"X-Put-Timestamp", "X-Delete-Timestamp", "X-Object-Count", "X-Bytes-Used"}) {
    Headers fields = row("5", "0");
    fields.erase(name);
    CHECK(ask(*account, "PUT", kPath + "/c", fields).status == 400);
    fields.set(name, "x");
    CHECK(ask(*account, "PUT", kPath + "/c", fields).status == 400);
  }
  CHECK(ask(*account, "PUT", "/d1/3/.auto/c", row("5", "0")).status == 201);
  CHECK(ask(*account, "GET", kPath + "/c").status == 400);
  CHECK(ask(*account, "GET", kPath, {}, "", "path=a&delimiter=-").status == 204);
}

}  // namespace
}  // namespace apus::test
