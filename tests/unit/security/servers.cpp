// Attacks on servers, by the numbers under which the world knows them.
#include <doctest/doctest.h>

#include "tests/unit/proxy/fake_cluster.h"
#include "tests/unit/servers_database/fixture.h"
#include "tests/unit/servers_object/server.h"

using namespace apus;
using namespace apus::test;

namespace {

// Files of objects and tombstones; what a partition notes of its suffixes is none.
std::size_t object_files(const ObjectServer& server) {
  std::size_t out = 0;
  for (const auto& file : server.files("objects"))
    out += file.extension() == ".data" || file.extension() == ".ts" ? 1 : 0;
  return out;
}

}  // namespace

// DELETEs in the past left a tombstone each.
TEST_CASE("CVE-2013-4155: a DELETE older than what is there leaves nothing behind") {
  const ObjectServer server;
  REQUIRE(server.put(5, "x").status == 201);
  REQUIRE(object_files(server) == 1);
  for (int second = 0; second < 5; ++second) CHECK(server.remove(second).status == 409);
  CHECK(object_files(server) == 1);
  CHECK(server.get().status == 200);
  REQUIRE(server.remove(8).status == 204);
  REQUIRE(object_files(server) == 1);
  for (int second = 0; second < 8; ++second) CHECK(server.remove(second).status == 404);
  CHECK(object_files(server) == 1);
  CHECK(server.get().get("X-Backend-Timestamp") == at(8));
}

// Each request kept to the limits of metadata; all of them together did not.
TEST_CASE_FIXTURE(Servers, "CVE-2014-7960: limits of metadata hold for what many POSTs add up to") {
  const struct {
    const App& app;
    std::string path;
    std::string prefix;
  } servers[] = {{*account, "/d1/3/AUTH_b", "X-Account-Meta-"},
                 {*container, "/d1/7/AUTH_a/c", "X-Container-Meta-"}};
  for (const auto& one : servers) {
    CAPTURE(one.path);
    REQUIRE(ask(one.app, "PUT", one.path, at_time("10")).status == 201);
    // The number of items.
    int second = 11;
    for (int i = 0; i < 90; ++i) {
      Headers fields = at_time(std::to_string(second++));
      fields.set(one.prefix + "N" + std::to_string(i), "v");
      CHECK(ask(one.app, "POST", one.path, fields).status == 204);
    }
    Headers more = at_time(std::to_string(second++));
    more.set(one.prefix + "Onemore", "v");
    CHECK(ask(one.app, "POST", one.path, more).status == 400);
    CHECK_FALSE(ask(one.app, "HEAD", one.path).headers.has(one.prefix + "Onemore"));
    // One that is emptied makes room; the sum of the sizes is bounded as well.
    Headers fewer = at_time(std::to_string(second++));
    for (int i = 0; i < 60; ++i) fewer.set(one.prefix + "N" + std::to_string(i), "");
    CHECK(ask(one.app, "POST", one.path, fewer).status == 204);
    int refused = 0;
    for (int i = 0; i < 20; ++i) {
      Headers fields = at_time(std::to_string(second++));
      fields.set(one.prefix + "Big" + std::to_string(i), std::string(250, 'v'));
      refused += ask(one.app, "POST", one.path, fields).status == 400 ? 1 : 0;
    }
    CHECK(refused >= 4);
    std::size_t total = 0;
    for (const auto& [name, value] : ask(one.app, "HEAD", one.path).headers) {
      if (starts_with_name(name, one.prefix))
        total += name.size() - one.prefix.size() + value.size();
    }
    CHECK(total <= 4096);
  }
}

// A client named the servers that object servers were to tell of an object, and they did.
TEST_CASE("CVE-2026-50221: whom back ends are to tell does not come from clients") {
  const Headers evil = {{"X-Container-Host", "192.0.2.1:80"},
                        {"X-Container-Device", "evil"},
                        {"X-Container-Partition", "666"},
                        {"X-Container-Root-Db-State", "evil"},
                        {"X-Account-Host", "192.0.2.1:80"},
                        {"X-Account-Device", "evil"},
                        {"X-Account-Partition", "666"},
                        {"X-Delete-At-Host", "192.0.2.1:80"},
                        {"X-Delete-At-Device", "evil"},
                        {"X-Delete-At-Partition", "666"},
                        {"X-Delete-At-Container", "evil"},
                        {"X-Backend-Container-Path", "evil/evil"},
                        {"X-Backend-Quoted-Container-Path", "evil/evil"}};
  const std::pair<const char*, const char*> requests[] = {
      {"PUT", "/v1/a/c/o"}, {"POST", "/v1/a/c/o"}, {"DELETE", "/v1/a/c/o"}, {"GET", "/v1/a/c/o"},
      {"PUT", "/v1/a/c"},   {"POST", "/v1/a/c"},   {"DELETE", "/v1/a/c"},   {"POST", "/v1/a"}};
  for (const bool expiring : {false, true}) {
    for (const auto& asked : requests) {
      const std::string method = asked.first;
      const std::string path = asked.second;
      CAPTURE(method);
      CAPTURE(path);
      // No gatekeeper in front: the proxy alone has to hold.
      FakeCluster cluster(OptionTexts{{"account_autocreate", "yes"}});
      cluster.on[kObjectNode] = [](Request&, std::size_t) { return Response(201); };
      Headers headers = evil;
      if (expiring) headers.set("X-Delete-At", "1800000000");
      const bool body = method == "PUT" && path == "/v1/a/c/o";
      cluster.ask(method, path, headers, body ? std::optional<std::string>("x") : std::nullopt);
      std::size_t looked = 0;
      for (const Kind kind : {kAccountNode, kContainerNode, kObjectNode}) {
        for (const auto& one : cluster.seen(kind)) {
          ++looked;
          for (const Headers* fields : {&one.headers, &one.internal}) {
            for (const auto& field : *fields) {
              const std::string& value = field.second;
              CAPTURE(field.first);
              CHECK(value.find("192.0.2.1") == std::string::npos);
              CHECK(value.find("evil") == std::string::npos);
              CHECK(value != "666");
            }
          }
        }
      }
      CHECK(looked > 0);
    }
  }
}

// An object server does not take it from a client's fields either.
TEST_CASE("CVE-2026-50221: an object server tells nobody whom a client's field names") {
  const ObjectServer server;
  Request request = testing::make_request("PUT", "/", {}, "x");
  request.path = ObjectServer::kObject;
  request.internal.set("X-Timestamp", at(1));
  request.headers.set("Content-Type", "text/plain");
  request.headers.set("X-Container-Host", "10.0.0.1:6201");
  request.headers.set("X-Container-Partition", "3");
  request.headers.set("X-Container-Device", "c1");
  CHECK(server.ask(request).status == 201);
  CHECK(server.containers.calls().empty());
}
