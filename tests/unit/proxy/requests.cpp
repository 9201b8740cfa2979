// What is looked at before any back end: paths, methods, hosts, users.
#include "tests/unit/proxy/fake_cluster.h"

using namespace apus;
using namespace apus::test;

TEST_CASE("paths are cut as Swift's proxy cuts them") {
  FakeCluster cluster;
  const std::vector<std::pair<std::string, int>> cases = {
      {"/", 404},        {"//", 404},      {"//a", 404},       {"/v1", 412},
      {"/v1/", 412},     {"/v1//c", 412},  {"/v1//c/o", 412},  {"/v1/a//o", 412},
      {"/v9/a", 400},    {"/v9", 412},     {"/v1.0/a", 204},   {"/v1/a/", 204},
      {"/v1/a/c/", 204}, {"/v1/%ff", 412}, {"/v1/a/c%00", 412}};
  for (const auto& one : cases) {
    CAPTURE(one.first);
    CHECK(cluster.ask("HEAD", one.first).status == one.second);
  }
  Response bad = cluster.ask("GET", "/v1");
  CHECK(body_of(bad) == "Bad URL");
  Response text = cluster.ask("GET", "/v1/%ff");
  CHECK(body_of(text) == "Invalid UTF8 or contains NULL");
  CHECK(text.headers.get("Content-Type") == "text/html; charset=UTF-8");
}

TEST_CASE("names with NUL are for those who may, and must fit together") {
  FakeCluster cluster;
  const auto ask = [&](std::string_view target) {
    Request request = make_request("GET", target);
    request.context.allow_reserved_names = true;
    return cluster.ask(request).status;
  };
  CHECK(ask("/v1/a/%00c") == 204);
  CHECK(ask("/v1/a/c%00") == 400);
  CHECK(ask("/v1/a/%00c/o") == 400);
  CHECK(ask("/v1/a/c/%00o") == 400);
  CHECK(ask("/v1/a/%00c/%00o") == 404);
}

TEST_CASE("methods that are not there are told") {
  FakeCluster cluster;
  for (const char* target : {"/v1/a", "/v1/a/c", "/v1/a/c/o"}) {
    for (const char* method : {"PATCH", "UPDATE", "REPLICATE", "COPY", "get"}) {
      Response out = cluster.ask(method, target);
      CAPTURE(method);
      CHECK(out.status == 405);
      CHECK(out.headers.get("Allow").find("OPTIONS") != std::string_view::npos);
    }
  }
  CHECK(cluster.ask("PUT", "/v1/a").status == 405);
  CHECK(cluster.ask("DELETE", "/v1/a").status == 405);
  CHECK(cluster.ask("POST", "/info").status == 405);
}

TEST_CASE("UPDATE of a container is for servers") {
  FakeCluster cluster;
  cluster.on[kContainerNode] = [](Request&, std::size_t) { return error_response(202); };
  Request request = make_request("UPDATE", "/v1/a/c", {}, "[1]");
  request.internal.set("X-Backend-Allow-Private-Methods", "true");
  request.internal.set("X-Backend-Storage-Policy-Index", "0");
  CHECK(cluster.ask(request).status == 202);
  const auto seen = cluster.seen(kContainerNode, "UPDATE");
  REQUIRE(seen.size() == 3);
  for (const auto& one : seen) CHECK(one.body == "[1]");
  Request client = make_request("UPDATE", "/v1/a/c", {{"X-Backend-Allow-Private-Methods", "true"}});
  CHECK(cluster.ask(client).status == 405);
}

TEST_CASE("hosts may be denied") {
  FakeCluster cluster(OptionTexts{{"deny_host_headers", "evil.example, other"}});
  Response out = cluster.ask("GET", "/v1/a", {{"Host", "evil.example:80"}});
  CHECK(out.status == 403);
  CHECK(body_of(out) == "Invalid host header");
  CHECK(cluster.ask("GET", "/v1/a", {{"Host", "good.example"}}).status == 204);
}

TEST_CASE("who may without an ACL is asked once, others again with it") {
  FakeCluster cluster;
  cluster.cached = false;
  cluster.on[kContainerNode] = [](Request&, std::size_t) {
    Response out(204);
    out.headers.set("X-Container-Read", "readers");
    out.headers.set("X-Container-Write", "writers");
    out.headers.set("X-Container-Sync-Key", "sesame");
    return out;
  };
  std::vector<std::string> acls;
  std::string sync_key;
  const auto ask = [&](const char* method, const char* target, bool owner) {
    acls.clear();
    Request request = make_request(method, target);
    request.content_length = 0;
    request.context.authorize = [&, owner](Request& asked) -> std::optional<Response> {
      acls.push_back(asked.context.acl);
      sync_key = asked.context.sync_key;
      if (owner) return std::nullopt;
      return error_response(403);
    };
    const int status = cluster.ask(request).status;
    CHECK(request.context.authorize);
    return status;
  };
  CHECK(ask("GET", "/v1/a/c/o", true) == 404);
  CHECK(acls == std::vector<std::string>{""});
  CHECK(ask("GET", "/v1/a/c/o", false) == 403);
  CHECK(acls == std::vector<std::string>{"", "readers"});
  CHECK(ask("PUT", "/v1/a/c/o", false) == 403);
  CHECK(acls == std::vector<std::string>{"", "writers"});
  CHECK(ask("POST", "/v1/a/c/o", false) == 403);
  CHECK(ask("DELETE", "/v1/a/c/o", false) == 403);
  CHECK(acls == std::vector<std::string>{"", "writers"});
  // The container's twin writes with its key, and does nothing else.
  for (const char* method : {"PUT", "DELETE", "GET", "HEAD", "POST"}) {
    CHECK(ask(method, "/v1/a/c/o", false) == 403);
    const std::string_view told = method;
    CHECK(sync_key == (told == "PUT" || told == "DELETE" ? "sesame" : ""));
  }
  CHECK(ask("GET", "/v1/a/c", false) == 403);
  CHECK(acls == std::vector<std::string>{"", "readers"});
  for (const char* method : {"PUT", "POST", "DELETE", "OPTIONS"}) {
    CHECK(ask(method, "/v1/a/c", false) == 403);
    CHECK(acls.size() == 1);
  }
  CHECK(ask("GET", "/v1/a", false) == 403);
  CHECK(acls.size() == 1);
}

TEST_CASE("what a client says in servers' names does not count") {
  FakeCluster cluster;
  cluster.ask("GET", "/v1/a/c/o",
              {{"X-Backend-Storage-Policy-Index", "9"}, {"X-Backend-Replication", "true"}});
  for (const auto& one : cluster.seen(kObjectNode)) {
    CHECK(one.internal.get("X-Backend-Storage-Policy-Index") == "0");
    CHECK_FALSE(one.internal.has("X-Backend-Replication"));
    CHECK_FALSE(one.headers.has("X-Backend-Replication"));
  }
}

TEST_CASE("wrong options stop the proxy with a reason") {
  const std::vector<std::pair<OptionTexts, std::string>> cases = {
      {{{"sorting_method", "alphabet"}}, "Invalid sorting_method value: 'alphabet'"},
      {{{"read_affinity", "r1=x"}}, "Invalid read_affinity value: 'r1=x'"},
      {{{"write_affinity", "r1=1"}}, "Invalid write_affinity value"},
      {{{"request_node_count", "2 + replicas"}}, "Invalid request_node_count value"},
      {{{"write_affinity_node_count", "many"}}, "Invalid write_affinity_node_count value"},
      {{{"policy:one:sorting_method", "shuffle"}}, "must refer to policy index: 'one'"},
      {{{"policy:4:sorting_method", "shuffle"}}, "No policy found for override config, index: 4"},
      {{{"policy:0:read_affinity", "z1"}}, "for policy 0 (Policy-0)"}};
  for (const auto& one : cases) {
    FakeCluster cluster(one.first);
    CAPTURE(one.second);
    CHECK_THROWS_WITH_AS(cluster.proxy(), doctest::Contains(one.second.c_str()),
                         std::runtime_error);
  }
  FakeCluster quiet(OptionTexts{{"read_affinity", "r1=1"}});
  quiet.proxy();
  CHECK(
      quiet.host.log.has("sorting_method is set to 'shuffle', not 'affinity'; (default) "
                         "read_affinity setting will have no effect."));
}
