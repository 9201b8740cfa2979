// GET and HEAD over several nodes: which answer counts.
#include "tests/unit/proxy/fake_cluster.h"

using namespace apus;
using namespace apus::test;

TEST_CASE("one good node is enough, and its headers are the client's") {
  FakeCluster cluster;
  cluster.on[kObjectNode] = [](Request&, std::size_t) {
    Response out = object_answer("hello", "\"abc\"", "1700000000.00000");
    out.headers.set("X-Put-Timestamp", "1");
    out.headers.set("Content-Type", "text/plain;swift_bytes=9");
    return out;
  };
  Response out = cluster.ask("GET", "/v1/a/c/o", {{"Range", "bytes=0-9"}, {"Cookie", "secret"}});
  CHECK(out.status == 200);
  CHECK(body_of(out) == "hello");
  CHECK(out.headers.get("Etag") == "abc");
  CHECK(out.headers.get("Accept-Ranges") == "bytes");
  CHECK(out.headers.get("Content-Type") == "text/plain");
  CHECK_FALSE(out.headers.has("X-Put-Timestamp"));
  const auto seen = cluster.seen(kObjectNode);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].path == "/d" + std::to_string(seen[0].device) + "/7/a/c/o");
  CHECK(seen[0].headers.get("Range") == "bytes=0-9");
  CHECK(seen[0].headers.get("X-Trans-Id") == "tx-test");
  CHECK(seen[0].internal.get("X-Backend-Storage-Policy-Index") == "0");
  CHECK_FALSE(seen[0].headers.has("Cookie"));
}

TEST_CASE("a plain 404 is believed of primaries, not of handoffs") {
  FakeCluster cluster;
  cluster.on[kObjectNode] = [](Request&, std::size_t device) {
    if (device == 5) return object_answer("x", "e", "1700000000.00000");
    return error_response(404);
  };
  Response found = cluster.ask("GET", "/v1/a/c/o");
  CHECK(found.status == 200);
  CHECK(cluster.seen(kObjectNode).size() == 6);

  cluster.on[kObjectNode] = [](Request&, std::size_t) { return error_response(404); };
  CHECK(cluster.ask("GET", "/v1/a/c/o").status == 404);
}

TEST_CASE("errors of most primaries are not a 404") {
  FakeCluster cluster(OptionTexts{{"rebalance_missing_suppression_count", "0"}});
  cluster.on[kObjectNode] = [](Request&, std::size_t device) {
    return error_response(device == 0 ? 404 : 503);
  };
  CHECK(cluster.ask("GET", "/v1/a/c/o").status == 503);
  CHECK(cluster.host.log.has("Object GET returning 503 for ["));
  CHECK(cluster.host.log.has("ERROR 503  From Object Server 10.0.2."));
}

TEST_CASE("a tombstone outranks data that is older") {
  FakeCluster cluster(
      OptionTexts{{"sorting_method", "affinity"}, {"read_affinity", "r1z0=1, r2=2, r1=3"}});
  cluster.on[kObjectNode] = [](Request&, std::size_t device) {
    if (device != 0) return object_answer("old", "e", "1700000000.00000");
    Response gone = error_response(404);
    gone.internal.set("X-Backend-Timestamp", "1700000001.00000");
    return gone;
  };
  CHECK(cluster.ask("GET", "/v1/a/c/o").status == 404);
  cluster.on[kObjectNode] = [](Request&, std::size_t device) {
    if (device != 0) return object_answer("new", "e", "1700000002.00000");
    Response gone = error_response(404);
    gone.internal.set("X-Backend-Timestamp", "1700000001.00000");
    return gone;
  };
  CHECK(cluster.ask("GET", "/v1/a/c/o").status == 200);
}

TEST_CASE("X-Newest asks all and takes the newest") {
  FakeCluster cluster;
  cluster.on[kObjectNode] = [](Request&, std::size_t device) {
    if (device == 1) return object_answer("newest", "n", "1700000009.00000");
    return object_answer("older", "o", "170000000" + std::to_string(device) + ".00000");
  };
  Response out = cluster.ask("GET", "/v1/a/c/o", {{"X-Newest", "true"}});
  CHECK(body_of(out) == "newest");
  CHECK(cluster.seen(kObjectNode).size() == 6);
}

TEST_CASE("conditional answers of one node are the client's") {
  FakeCluster cluster;
  for (const int status : {304, 416}) {
    cluster.forget();
    cluster.on[kObjectNode] = [&](Request&, std::size_t) { return error_response(status); };
    CHECK(cluster.ask("GET", "/v1/a/c/o").status == status);
    CHECK(cluster.seen(kObjectNode).size() == 1);
  }
  cluster.on[kObjectNode] = [](Request&, std::size_t) { return error_response(412); };
  CHECK(cluster.ask("GET", "/v1/a/c/o").status == 412);
}

TEST_CASE("a node that fails too often is left alone until its time is over") {
  FakeCluster cluster(
      OptionTexts{{"error_suppression_limit", "2"}, {"error_suppression_interval", "60"}}, 1, 2);
  cluster.on[kObjectNode] = [](Request&, std::size_t device) -> Response {
    if (device == 0) throw std::runtime_error("disk on fire");
    return object_answer("x", "e", "1700000000.00000");
  };
  for (int i = 0; i < 3; ++i) CHECK(cluster.ask("GET", "/v1/a/c/o").status == 200);
  CHECK(
      cluster.host.log.has("ERROR with Object server 10.0.2.0:6202/d0 re: Trying to GET "
                           "/v1/a/c/o: disk on fire"));
  cluster.forget();
  CHECK(cluster.ask("GET", "/v1/a/c/o").status == 200);
  REQUIRE(cluster.seen(kObjectNode).size() == 1);
  CHECK(cluster.seen(kObjectNode)[0].device == 1);
  cluster.host.time.advance(std::chrono::seconds(61));
  cluster.forget();
  cluster.ask("GET", "/v1/a/c/o");
  CHECK(cluster.seen(kObjectNode).size() == 2);
}

TEST_CASE("507 limits a node at once") {
  FakeCluster cluster({}, 1, 2);
  cluster.on[kObjectNode] = [](Request&, std::size_t device) {
    if (device == 0) return error_response(507);
    return object_answer("x", "e", "1700000000.00000");
  };
  cluster.ask("GET", "/v1/a/c/o");
  CHECK(cluster.host.log.has("ERROR Insufficient Storage 10.0.2.0:6202/d0"));
  cluster.forget();
  cluster.ask("GET", "/v1/a/c/o");
  CHECK(cluster.seen(kObjectNode).size() == 1);
}

TEST_CASE("request_node_count bounds the nodes that are tried") {
  FakeCluster cluster(OptionTexts{{"request_node_count", "4"}});
  cluster.on[kObjectNode] = [](Request&, std::size_t) { return error_response(500); };
  CHECK(cluster.ask("GET", "/v1/a/c/o").status == 503);
  CHECK(cluster.seen(kObjectNode).size() == 4);
}

TEST_CASE("read_affinity decides who is asked first") {
  FakeCluster cluster(
      OptionTexts{{"sorting_method", "affinity"}, {"read_affinity", "r2=1, r1z2=2"}});
  cluster.on[kObjectNode] = [](Request&, std::size_t) { return error_response(404); };
  cluster.ask("GET", "/v1/a/c/o");
  const auto seen = cluster.seen(kObjectNode);
  REQUIRE(seen.size() == 6);
  CHECK(seen[0].device == 1);
  CHECK(seen[1].device == 2);
  CHECK(seen[2].device == 0);
}

TEST_CASE("a policy's own section decides over the app's") {
  FakeCluster cluster(
      {{"policy:0:sorting_method", "affinity"}, {"policy:0:read_affinity", "r2=1"}});
  cluster.on[kObjectNode] = [](Request&, std::size_t) {
    return object_answer("x", "e", "1700000000.00000");
  };
  for (int i = 0; i < 5; ++i) cluster.ask("GET", "/v1/a/c/o");
  for (const auto& one : cluster.seen(kObjectNode)) CHECK(one.device == 1);
}

TEST_CASE("concurrent_gets still gives one answer") {
  FakeCluster cluster(OptionTexts{{"concurrent_gets", "on"}, {"concurrency_timeout", "0"}});
  cluster.on[kObjectNode] = [](Request&, std::size_t device) {
    if (device != 2) return error_response(404);
    return object_answer("x", "e", "1700000000.00000");
  };
  Response out = cluster.ask("GET", "/v1/a/c/o");
  CHECK(out.status == 200);
  CHECK(body_of(out) == "x");
}

TEST_CASE("a database that was never put is not there") {
  FakeCluster cluster;
  cluster.cached = false;
  cluster.on[kContainerNode] = [](Request&, std::size_t) {
    Response out(204);
    out.headers.set("X-Put-Timestamp", "0000000000.00000");
    return out;
  };
  CHECK(cluster.ask("HEAD", "/v1/a/c").status == 404);
}

TEST_CASE("an object of a container that is not known is still looked for, in policy 0") {
  FakeCluster cluster;
  cluster.on[kContainerNode] = [](Request&, std::size_t) { return error_response(404); };
  CHECK(cluster.ask("GET", "/v1/a/c/o").status == 404);
  CHECK(cluster.seen(kObjectNode).size() == 6);
}

TEST_CASE("a container that cannot be asked is a 503, and so is an unknown policy") {
  FakeCluster cluster;
  cluster.on[kContainerNode] = [](Request&, std::size_t) { return error_response(500); };
  CHECK(cluster.ask("GET", "/v1/a/c/o").status == 503);
  cluster.on[kContainerNode] = [](Request&, std::size_t) {
    Response out(204);
    out.internal.set("X-Backend-Storage-Policy-Index", "7");
    return out;
  };
  Response out = cluster.ask("GET", "/v1/a/c/o");
  CHECK(out.status == 503);
  CHECK(body_of(out) == "Unknown Storage Policy");
}

TEST_CASE("trap: objects of an erasure coded policy are neither stored whole nor read") {
  FakeCluster cluster;
  StoragePolicy coded;
  coded.index = 2;
  coded.name = "gold";
  coded.is_default = false;
  coded.type = "erasure_coding";
  cluster.host.conf.policies.push_back(coded);
  cluster.on[kContainerNode] = [](Request&, std::size_t) {
    Response out(204);
    out.internal.set("X-Backend-Storage-Policy-Index", "2");
    return out;
  };
  for (const char* method : {"GET", "HEAD", "PUT", "POST", "DELETE"}) {
    Response out = cluster.ask(method, "/v1/a/c/o");
    CHECK(out.status == 501);
    if (std::string_view(method) == "HEAD") continue;
    CHECK(body_of(out).find("'gold' with index 2 is of type erasure_coding") != std::string::npos);
  }
  CHECK(cluster.seen(kObjectNode).empty());
  CHECK(cluster.host.log.text().find("'gold' with index 2") != std::string::npos);
}
