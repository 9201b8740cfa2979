// POST and DELETE over several nodes: quorums, stand-ins, overrides.
#include "tests/unit/proxy/fake_cluster.h"

using namespace apus;
using namespace apus::test;

namespace {

// Device i answers statuses[i]; the others 404.
FakeCluster::Answer statuses(std::vector<int> by_device) {
  return [by_device](Request&, std::size_t device) {
    return error_response(device < by_device.size() ? by_device[device] : 404);
  };
}

}  // namespace

TEST_CASE("DELETE: a quorum decides, then 404 counts as 204") {
  const std::vector<std::pair<std::vector<int>, int>> cases = {
      {{204, 204, 404}, 204}, {{204, 404, 404}, 404}, {{404, 404, 404}, 404},
      {{204, 503, 404}, 204}, {{409, 409, 204}, 409}, {{409, 204, 204}, 204},
      {{204, 409, 404}, 409},
  };
  for (const auto& one : cases) {
    FakeCluster cluster({}, 3, 3);
    cluster.on[kObjectNode] = statuses(one.first);
    CAPTURE(one.first[0]);
    CAPTURE(one.first[1]);
    CAPTURE(one.first[2]);
    CHECK(cluster.ask("DELETE", "/v1/a/c/o").status == one.second);
  }
}

TEST_CASE("a node that fails is stood in for") {
  FakeCluster cluster;
  cluster.on[kObjectNode] = [](Request&, std::size_t device) {
    return error_response(device == 1 ? 503 : 204);
  };
  CHECK(cluster.ask("DELETE", "/v1/a/c/o").status == 204);
  CHECK(cluster.seen(kObjectNode).size() == 4);
  CHECK(cluster.host.log.has("ERROR 503 Trying to DELETE /a/c/o From Object Server 10.0.2.1"));
}

TEST_CASE("nobody well is a 503 that names the answers") {
  FakeCluster cluster;
  cluster.on[kObjectNode] = statuses({500, 500, 500, 500, 500, 500});
  Response out = cluster.ask("POST", "/v1/a/c/o");
  CHECK(out.status == 503);
  CHECK(cluster.host.log.has("Object POST returning 503 for [503, 503, 503]"));
  CHECK(cluster.seen(kObjectNode).size() == 6);
}

TEST_CASE("POST: what most say") {
  const std::vector<std::pair<std::vector<int>, int>> cases = {{{202, 202, 404}, 202},
                                                               {{404, 404, 202}, 404},
                                                               {{202, 404, 503}, 404},
                                                               {{409, 409, 202}, 409}};
  for (const auto& [answers, expected] : cases) {
    FakeCluster cluster({}, 3, 4);
    cluster.on[kObjectNode] = statuses(answers);
    CHECK(cluster.ask("POST", "/v1/a/c/o").status == expected);
  }
}

TEST_CASE("an answer's body and fields are the chosen one's, its type is Swift's") {
  FakeCluster cluster({}, 1);
  cluster.on[kObjectNode] = [](Request&, std::size_t) {
    Response out(409, "newer there", "text/plain");
    out.headers.set("X-Put-Timestamp", "1");
    return out;
  };
  Response out = cluster.ask("POST", "/v1/a/c/o");
  CHECK(out.status == 409);
  CHECK(out.headers.get("Content-Type") == "text/html; charset=UTF-8");
  CHECK_FALSE(out.headers.has("X-Put-Timestamp"));
  CHECK(body_of(out) == "newer there");
}

TEST_CASE("writes need their container") {
  FakeCluster cluster;
  cluster.on[kContainerNode] = [](Request&, std::size_t) { return error_response(404); };
  for (const char* method : {"PUT", "POST", "DELETE"})
    CHECK(cluster.ask(method, "/v1/a/c/o", {}, "x").status == 404);
  CHECK(cluster.seen(kObjectNode).empty());
}

TEST_CASE("a lying answer body is as good as no answer") {
  FakeCluster cluster({}, 1, 2);
  cluster.on[kObjectNode] = [](Request&, std::size_t device) {
    Response out = error_response(202);
    if (device == 0) {
      out.body = std::make_unique<PieceSource>("half", 0, BodyError::Kind::kIo);
      out.content_length = 100;
    }
    return out;
  };
  CHECK(cluster.ask("POST", "/v1/a/c/o").status == 202);
  CHECK(cluster.seen(kObjectNode).size() == 2);
}

TEST_CASE("the replication network is used when asked for") {
  FakeCluster cluster({}, 1);
  Request request = make_request("DELETE", "/v1/a/c/o");
  request.internal.set("X-Backend-Use-Replication-Network", "true");
  cluster.on[kObjectNode] = statuses({204});
  CHECK(cluster.ask(request).status == 204);
}

TEST_CASE("a moment comes from servers, not from clients") {
  FakeCluster cluster({}, 1);
  cluster.on[kObjectNode] = statuses({204});
  cluster.ask("DELETE", "/v1/a/c/o", {{"X-Timestamp", "1"}});
  CHECK(cluster.seen(kObjectNode).back().headers.get("X-Timestamp") == "1700000000.00000");
  Request request = make_request("DELETE", "/v1/a/c/o");
  request.internal.set("X-Timestamp", "1600000000.00001");
  cluster.ask(request);
  CHECK(cluster.seen(kObjectNode).back().headers.get("X-Timestamp") == "1600000000.00001");
  Request bad = make_request("DELETE", "/v1/a/c/o");
  bad.internal.set("X-Timestamp", "soon");
  Response out = cluster.ask(bad);
  CHECK(out.status == 400);
  CHECK(body_of(out) == "X-Timestamp should be a UNIX timestamp float value; was 'soon'");
}
