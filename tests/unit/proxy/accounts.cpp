// Accounts: listings of those that are not there, ACLs, management, creation on first use.
#include "tests/unit/proxy/fake_cluster.h"

using namespace apus;
using namespace apus::test;

TEST_CASE("an account nobody wrote to looks empty where accounts make themselves") {
  FakeCluster cluster(OptionTexts{{"account_autocreate", "yes"}});
  cluster.on[kAccountNode] = [](Request&, std::size_t) { return error_response(404); };
  Response list = cluster.ask("GET", "/v1/a");
  CHECK(list.status == 200);
  CHECK(body_of(list) == "[]");
  CHECK(list.headers.get("X-Account-Container-Count") == "0");
  CHECK(list.headers.get("Content-Type") == "application/json; charset=utf-8");
  CHECK(cluster.ask("HEAD", "/v1/a").status == 204);

  FakeCluster strict;
  strict.on[kAccountNode] = cluster.on[kAccountNode];
  CHECK(strict.ask("GET", "/v1/a").status == 404);
}

TEST_CASE("a deleted account is gone") {
  FakeCluster cluster(OptionTexts{{"account_autocreate", "yes"}});
  cluster.on[kAccountNode] = [](Request&, std::size_t) {
    Response out = error_response(404);
    out.headers.set("X-Account-Status", "Deleted");
    return out;
  };
  CHECK(cluster.ask("GET", "/v1/a").status == 410);
}

TEST_CASE("listings are asked for as JSON") {
  FakeCluster cluster;
  cluster.ask("GET", "/v1/a?format=xml&limit=3");
  const auto seen = cluster.seen(kAccountNode, "GET");
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].query.get("format") == "json");
  CHECK(seen[0].query.get("limit") == "3");
}

TEST_CASE("the ACL and other owner's fields are the owner's") {
  FakeCluster cluster({}, 1);
  cluster.on[kAccountNode] = [](Request&, std::size_t) {
    Response out(204);
    out.internal.set("X-Account-Sysmeta-Core-Access-Control",
                     R"({"read-write": ["u"], "admin": ["b"]})");
    out.headers.set("X-Account-Meta-Temp-Url-Key", "secret");
    out.headers.set("X-Account-Meta-Color", "blue");
    return out;
  };
  Request owner = make_request("HEAD", "/v1/a");
  owner.context.swift_owner = true;
  Response seen = cluster.ask(owner);
  CHECK(seen.headers.get("X-Account-Access-Control") == R"({"admin":["b"],"read-write":["u"]})");
  CHECK(seen.headers.get("X-Account-Meta-Temp-Url-Key") == "secret");
  Response other = cluster.ask("HEAD", "/v1/a");
  CHECK_FALSE(other.headers.has("X-Account-Access-Control"));
  CHECK_FALSE(other.headers.has("X-Account-Meta-Temp-Url-Key"));
  CHECK(other.headers.get("X-Account-Meta-Color") == "blue");
}

TEST_CASE("management: PUT and DELETE where allowed") {
  FakeCluster cluster(OptionTexts{{"allow_account_management", "yes"}});
  cluster.on[kAccountNode] = [](Request& request, std::size_t) {
    return error_response(request.method == "PUT" ? 201 : 204);
  };
  CHECK(cluster.ask("PUT", "/v1/a", {{"X-Account-Meta-A", "b"}}, "").status == 201);
  CHECK(cluster.seen(kAccountNode, "PUT").size() == 3);
  CHECK(cluster.seen(kAccountNode, "PUT")[0].headers.get("X-Account-Meta-A") == "b");
  CHECK(cluster.ask("DELETE", "/v1/a").status == 204);
  CHECK(cluster.ask("DELETE", "/v1/a?bulk-delete").status == 400);
  const std::string name(257, 'a');
  Response out = cluster.ask("PUT", "/v1/" + name, {}, "");
  CHECK(body_of(out) == "Account name length of 257 longer than 256");
  CHECK(cluster.ask("PUT", "/v1/." + name, {}, "").status == 201);
}

TEST_CASE("POST makes the account on first use") {
  FakeCluster cluster(OptionTexts{{"account_autocreate", "yes"}});
  bool made = false;
  cluster.on[kAccountNode] = [&](Request& request, std::size_t) {
    if (request.method == "PUT") made = true;
    return error_response(request.method == "PUT" ? 201 : made ? 204 : 404);
  };
  CHECK(cluster.ask("POST", "/v1/a", {{"X-Account-Meta-A", "b"}, {"X-Remove-Account-Meta-C", "x"}})
            .status == 204);
  CHECK(cluster.host.log.has("autocreate account '/a'"));
  const auto posts = cluster.seen(kAccountNode, "POST");
  CHECK(posts.back().headers.get("X-Account-Meta-A") == "b");
  CHECK(posts.back().headers.has("X-Account-Meta-C"));
  CHECK(posts.back().headers.get("X-Account-Meta-C").empty());

  Response bad = cluster.ask("POST", "/v1/a", {{"X-Account-Meta-", "b"}});
  CHECK(bad.status == 400);
  CHECK(body_of(bad) == "Metadata name cannot be empty");
}
