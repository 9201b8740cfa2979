// Containers: policies, limits, owners, the way to their accounts, and what is remembered of them.
#include "tests/unit/proxy/fake_cluster.h"

using namespace apus;
using namespace apus::test;

namespace {

void two_policies(FakeCluster& cluster) {
  StoragePolicy silver;
  silver.index = 1;
  silver.name = "silver";
  silver.aliases = {"ag"};
  silver.is_default = false;
  StoragePolicy old;
  old.index = 2;
  old.name = "old";
  old.is_default = false;
  old.deprecated = true;
  cluster.host.conf.policies.push_back(silver);
  cluster.host.conf.policies.push_back(old);
}

}  // namespace

TEST_CASE("a new container has the policy that was asked for") {
  FakeCluster cluster;
  two_policies(cluster);
  CHECK(cluster.ask("PUT", "/v1/a/c", {{"X-Storage-Policy", "AG"}}, "").status == 201);
  for (const auto& one : cluster.seen(kContainerNode, "PUT")) {
    CHECK(one.internal.get("X-Backend-Storage-Policy-Index") == "1");
    CHECK_FALSE(one.internal.has("X-Backend-Storage-Policy-Default"));
  }
  cluster.forget();
  CHECK(cluster.ask("PUT", "/v1/a/c", {}, "").status == 201);
  for (const auto& one : cluster.seen(kContainerNode, "PUT"))
    CHECK(one.internal.get("X-Backend-Storage-Policy-Default") == "0");
  Response unknown = cluster.ask("PUT", "/v1/a/c", {{"X-Storage-Policy", "gold"}}, "");
  CHECK(unknown.status == 400);
  CHECK(body_of(unknown) == "Invalid X-Storage-Policy 'gold'");
  Response old = cluster.ask("PUT", "/v1/a/c", {{"X-Storage-Policy", "OLD"}}, "");
  CHECK(body_of(old) == "Storage Policy 'old' is deprecated");
  cluster.on[kContainerNode] = [](Request&, std::size_t) { return error_response(409); };
  CHECK(cluster.ask("PUT", "/v1/a/c", {{"X-Storage-Policy", "silver"}}, "").status == 409);
}

TEST_CASE("a container tells its accounts") {
  FakeCluster cluster;
  cluster.ask("PUT", "/v1/a/c", {}, "");
  std::set<std::string> hosts;
  for (const auto& one : cluster.seen(kContainerNode, "PUT")) {
    hosts.insert(std::string(one.internal.get("X-Account-Host")));
    CHECK(one.internal.get("X-Account-Partition") == "7");
  }
  CHECK(hosts == std::set<std::string>{"10.0.0.0:6200", "10.0.0.1:6200", "10.0.0.2:6200"});
  cluster.forget();
  cluster.ask("POST", "/v1/a/c");
  for (const auto& one : cluster.seen(kContainerNode, "POST"))
    CHECK_FALSE(one.internal.has("X-Account-Host"));
}

TEST_CASE("accounts that are not there: 404, or made") {
  FakeCluster strict;
  strict.on[kAccountNode] = [](Request&, std::size_t) { return error_response(404); };
  for (const char* method : {"GET", "HEAD", "PUT", "POST", "DELETE"})
    CHECK(strict.ask(method, "/v1/a/c", {}).status == 404);
  CHECK(strict.seen(kContainerNode).empty());

  FakeCluster cluster(OptionTexts{{"account_autocreate", "yes"}});
  bool made = false;
  cluster.on[kAccountNode] = [&](Request& request, std::size_t) {
    if (request.method == "PUT") made = true;
    return error_response(made ? 204 : 404);
  };
  CHECK(cluster.ask("POST", "/v1/a/c").status == 404);
  CHECK_FALSE(made);
  CHECK(cluster.ask("PUT", "/v1/a/c", {}, "").status == 201);
  CHECK(made);

  FakeCluster failing(OptionTexts{{"account_autocreate", "yes"}});
  failing.on[kAccountNode] = [&](Request& request, std::size_t) {
    return error_response(request.method == "PUT" ? 500 : 404);
  };
  CHECK(failing.ask("PUT", "/v1/a/c", {}, "").status == 503);
  CHECK(failing.host.log.has("Could not autocreate account '/a'"));
}

TEST_CASE("a limit of containers holds for new ones, outside the whitelist") {
  FakeCluster cluster(
      OptionTexts{{"max_containers_per_account", "2"}, {"max_containers_whitelist", "b, w"}});
  int status = 404;
  cluster.on[kAccountNode] = [](Request&, std::size_t) {
    Response out(204);
    out.headers.set("X-Account-Container-Count", "2");
    return out;
  };
  cluster.on[kContainerNode] = [&](Request& request, std::size_t) {
    return error_response(request.method == "HEAD" ? status : 201);
  };
  cluster.cached = false;
  Response out = cluster.ask("PUT", "/v1/a/c", {}, "");
  CHECK(out.status == 403);
  CHECK(body_of(out) == "Reached container limit of 2");
  CHECK(cluster.ask("PUT", "/v1/w/c", {}, "").status == 201);
  status = 204;
  CHECK(cluster.ask("PUT", "/v1/a/c", {}, "").status == 201);
}

TEST_CASE("names, metadata and parameters are looked at first") {
  FakeCluster cluster;
  std::string name;
  for (int i = 0; i < 257; ++i) name += "%C3%A9";
  Response long_name = cluster.ask("PUT", "/v1/a/" + name, {}, "");
  CHECK(body_of(long_name) == "Container name length of 257 longer than 256");
  CHECK(cluster.ask("PUT", "/v1/a/" + name.substr(6), {}, "").status == 201);
  Response meta =
      cluster.ask("PUT", "/v1/a/c", {{"X-Container-Meta-A", std::string(257, 'x')}}, "");
  CHECK(meta.status == 400);
  Response limit = cluster.ask("GET", "/v1/a/c?limit=10001");
  CHECK(limit.status == 412);
  CHECK(body_of(limit) == "Maximum limit is 10000");
  Response marker = cluster.ask("GET", "/v1/a/c?marker=%ff");
  CHECK(marker.status == 400);
  CHECK(body_of(marker) == "\"marker\" parameter not valid UTF-8");
  CHECK(cluster.ask("GET", "/v1/a/c?limit=x").status == 204);
}

TEST_CASE("owner's fields are dropped for others, both ways") {
  FakeCluster cluster({}, 1);
  cluster.on[kContainerNode] = [](Request& request, std::size_t) {
    Response out(request.method == "HEAD" ? 204 : 201);
    out.headers.set("X-Container-Sync-Key", "secret");
    out.headers.set("X-Container-Meta-A", "b");
    out.internal.set("X-Container-Sysmeta-Sharding", "True");
    return out;
  };
  const auto put = [&](bool owner) {
    Request request = make_request("PUT", "/v1/a/c",
                                   {{"X-Container-Read", ".r:*"},
                                    {"X-Remove-Container-Write", "x"},
                                    {"X-Versions-Location", "v"},
                                    {"X-Container-Sharding", "on"}},
                                   "");
    request.context.swift_owner = owner;
    request.context.reseller_request = owner;
    cluster.ask(request);
    return cluster.seen(kContainerNode, "PUT").back();
  };
  const auto mine = put(true);
  CHECK(mine.headers.get("X-Container-Read") == ".r:*");
  CHECK(mine.headers.has("X-Container-Write"));
  CHECK(mine.headers.get("X-Versions-Location") == "v");
  CHECK(mine.internal.get("X-Container-Sysmeta-Sharding") == "True");
  const auto other = put(false);
  CHECK_FALSE(other.headers.has("X-Container-Read"));
  CHECK_FALSE(other.internal.has("X-Container-Sysmeta-Sharding"));
  Response head = cluster.ask("HEAD", "/v1/a/c");
  CHECK_FALSE(head.headers.has("X-Container-Sync-Key"));
  CHECK_FALSE(head.headers.has("X-Container-Sharding"));
  Request reseller = make_request("HEAD", "/v1/a/c");
  reseller.context.swift_owner = true;
  reseller.context.reseller_request = true;
  Response all = cluster.ask(reseller);
  CHECK(all.headers.get("X-Container-Sync-Key") == "secret");
  CHECK(all.headers.get("X-Container-Sharding") == "True");
}

TEST_CASE("DELETE: 202 means that nobody had it") {
  FakeCluster cluster;
  for (const auto& [theirs, ours] : {std::pair{204, 204}, {202, 404}, {404, 404}, {409, 409}}) {
    const int status = theirs;
    cluster.on[kContainerNode] = [status](Request&, std::size_t) { return error_response(status); };
    CHECK(cluster.ask("DELETE", "/v1/a/c").status == ours);
  }
}

TEST_CASE("the policy has its name in answers") {
  FakeCluster cluster;
  two_policies(cluster);
  cluster.on[kContainerNode] = [](Request&, std::size_t) {
    Response out(204);
    out.internal.set("X-Backend-Storage-Policy-Index", "1");
    return out;
  };
  CHECK(cluster.ask("HEAD", "/v1/a/c").headers.get("X-Storage-Policy") == "silver");
  cluster.on[kContainerNode] = [](Request&, std::size_t) {
    Response out(204);
    out.internal.set("X-Backend-Storage-Policy-Index", "5");
    return out;
  };
  CHECK_FALSE(cluster.ask("HEAD", "/v1/a/c").headers.has("X-Storage-Policy"));
  CHECK(cluster.host.log.has("Could not translate X-Backend-Storage-Policy-Index ('5')"));
}

TEST_CASE("facts are kept under Swift's keys, and forgotten by writes") {
  FakeCluster cluster;
  cluster.ask("HEAD", "/v1/a/c");
  CHECK(cluster.host.cache().get("account/a"));
  const auto kept = cluster.host.cache().get("container/a/c");
  REQUIRE(kept);
  const auto info = parse_container_info(*kept);
  REQUIRE(info);
  CHECK(info->status == 204);
  cluster.forget();
  cluster.ask("GET", "/v1/a/c/o");
  CHECK(cluster.seen(kContainerNode).empty());
  cluster.ask("POST", "/v1/a/c");
  CHECK_FALSE(cluster.host.cache().get("container/a/c"));
  cluster.ask("HEAD", "/v1/a/c");
  cluster.ask("PUT", "/v1/a/c", {}, "");
  CHECK_FALSE(cluster.host.cache().get("container/a/c"));
  cluster.ask("POST", "/v1/a", {});
  CHECK_FALSE(cluster.host.cache().get("account/a"));
}

TEST_CASE("nothing is kept of an error, and garbage in the cache is no answer") {
  FakeCluster cluster;
  cluster.on[kContainerNode] = [](Request&, std::size_t) { return error_response(503); };
  cluster.ask("HEAD", "/v1/a/c");
  CHECK_FALSE(cluster.host.cache().get("container/a/c"));
  for (const char* garbage : {"", "[]", "{", "null", "{\"status\": {}}", "\"x\""}) {
    FakeCluster other;
    other.host.cache().set("container/a/c", garbage, std::chrono::seconds(60));
    other.host.cache().set("account/a", garbage, std::chrono::seconds(60));
    CAPTURE(garbage);
    CHECK(other.ask("GET", "/v1/a/c/o").status == 404);
  }
}
