// PUT of objects: which copies take the body, and what the client hears.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <thread>

#include "tests/unit/proxy/fake_cluster.h"

using namespace apus;
using namespace apus::test;

namespace {

Response created(std::string_view etag = "e") {
  Response out(201);
  out.headers.set("Etag", std::string(etag));
  return out;
}

Headers typed(Headers more = {}) {
  more.set("Content-Type", "text/plain");
  return more;
}

// A body that goes with its head, and one that waits until it is asked for.
const std::vector<std::string> kBodies = {"hello", std::string(65537, 'x')};

}  // namespace

TEST_CASE("every copy gets the body, and the client the common ETag") {
  for (const std::size_t replicas : {1U, 2U, 3U}) {
    FakeCluster cluster({}, replicas);
    cluster.on[kObjectNode] = [](Request&, std::size_t) { return created("\"abc\""); };
    const std::string body(200000, 'x');
    Response out = cluster.ask("PUT", "/v1/a/c/o", typed(), body);
    CHECK(out.status == 201);
    CHECK(out.headers.get("Etag") == "abc");
    CHECK(out.headers.get("Last-Modified") == "Tue, 14 Nov 2023 22:13:20 GMT");
    const auto seen = cluster.seen(kObjectNode);
    CHECK(seen.size() == replicas);
    for (const auto& one : seen) CHECK(one.body == body);
  }
}

TEST_CASE("a node that refuses before the body is replaced by a handoff") {
  for (const std::size_t replicas : {1U, 3U}) {
    for (const std::string& body : kBodies) {
      FakeCluster cluster({}, replicas);
      cluster.read_bodies = false;
      cluster.on[kObjectNode] = [&](Request& request, std::size_t device) {
        if (device == 0) return error_response(507);
        CHECK(read_all(request.body.get(), 100000) == body);
        return created();
      };
      CHECK(cluster.ask("PUT", "/v1/a/c/o", typed(), body).status == 201);
      CHECK(cluster.seen(kObjectNode).size() == replicas + 1);
      CHECK(cluster.host.log.has("ERROR Insufficient Storage 10.0.2.0:6202/d0"));
    }
  }
}

TEST_CASE("too few nodes are a 503") {
  for (const std::string& body : kBodies) {
    FakeCluster cluster;
    cluster.read_bodies = false;
    cluster.on[kObjectNode] = [](Request& request, std::size_t device) {
      if (device != 1) return error_response(503);
      read_all(request.body.get(), 100000);
      return created();
    };
    CHECK(cluster.ask("PUT", "/v1/a/c/o", typed(), body).status == 503);
    CHECK(cluster.host.log.has("Object PUT returning 503, 1/2 required connections"));
    CHECK(cluster.host.log.has(&body == &kBodies[0]
                                   ? "ERROR 503 Trying to PUT /a/c/o From Object Server"
                                   : "ERROR 503 Expect: 100-continue From Object Server"));
  }
}

TEST_CASE("a quorum is enough") {
  for (const std::string& body : kBodies) {
    FakeCluster cluster;
    cluster.on[kObjectNode] = [](Request&, std::size_t device) {
      return device == 0 ? error_response(500) : created();
    };
    CHECK(cluster.ask("PUT", "/v1/a/c/o", typed(), body).status == 201);
    // What went with its head can go to another node as well.
    CHECK(cluster.seen(kObjectNode).size() == (&body == &kBodies[0] ? 4 : 3));
    cluster.on[kObjectNode] = [](Request&, std::size_t device) {
      return device == 0 ? created() : error_response(500);
    };
    CHECK(cluster.ask("PUT", "/v1/a/c/o", typed(), body).status == 503);
  }
}

TEST_CASE("a copy that others did not wait for is no error of its node") {
  std::latch asked(1);
  std::latch may_answer(1);
  std::latch asked_again(1);
  std::atomic<bool> slow = true;
  FakeCluster cluster({{"post_quorum_timeout", "0"}, {"error_suppression_limit", "0"}});
  cluster.on[kObjectNode] = [&](Request&, std::size_t device) {
    if (slow && device == 0) {
      asked.count_down();
      may_answer.wait();
    } else if (slow) {
      asked.wait();
    } else if (device == 0) {
      asked_again.count_down();
    } else {  // else two are enough before the third is asked at all; five seconds at most
      for (int i = 0; i < 500 && !asked_again.try_wait(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return created();
  };
  CHECK(cluster.ask("PUT", "/v1/a/c/o", typed(), "hello").status == 201);
  CHECK_FALSE(cluster.host.log.has("final status"));
  cluster.forget();
  slow = false;
  may_answer.count_down();
  CHECK(cluster.ask("PUT", "/v1/a/c/o", typed(), "hello").status == 201);
  cluster.transport.settle();
  const auto seen = cluster.seen(kObjectNode, "PUT");
  CHECK(std::any_of(seen.begin(), seen.end(), [](const auto& one) { return one.device == 0; }));
}

TEST_CASE("one that has something newer makes it 202, one that has it at all 412") {
  for (const std::size_t replicas : {1U, 3U}) {
    FakeCluster cluster({}, replicas);
    cluster.read_bodies = false;
    int refusal = 409;
    cluster.on[kObjectNode] = [&](Request& request, std::size_t device) {
      if (device == 0) return error_response(refusal);
      read_all(request.body.get(), 100);
      return created();
    };
    Response newer = cluster.ask("PUT", "/v1/a/c/o", typed(), "hello");
    CHECK(newer.status == 202);
    CHECK(body_of(newer) ==
          "<html><h1>Accepted</h1><p>The request is accepted for processing.</p></html>");
    refusal = 412;
    CHECK(cluster.ask("PUT", "/v1/a/c/o", typed({{"If-None-Match", "*"}}), "hello").status == 412);
  }
}

TEST_CASE("copies with different ETags are no success") {
  FakeCluster cluster;
  cluster.on[kObjectNode] = [](Request&, std::size_t device) {
    return created("e" + std::to_string(device));
  };
  CHECK(cluster.ask("PUT", "/v1/a/c/o", typed(), "hello").status == 500);
  CHECK(cluster.host.log.has("Object servers returned 3 mismatched etags"));
}

TEST_CASE("what all refuse is refused: 422") {
  for (const std::size_t replicas : {1U, 3U}) {
    FakeCluster cluster({}, replicas);
    cluster.on[kObjectNode] = [](Request&, std::size_t) { return error_response(422); };
    CHECK(cluster.ask("PUT", "/v1/a/c/o", typed({{"Etag", "bad"}}), "hello").status == 422);
  }
}

TEST_CASE("a client's body that fails is told by its kind") {
  for (const std::size_t replicas : {1U, 3U}) {
    FakeCluster cluster({}, replicas);
    cluster.host.conf.constraints.max_file_size = 1000;
    cluster.on[kObjectNode] = [](Request&, std::size_t) { return created(); };
    const auto put = [&](std::unique_ptr<Source> body, std::optional<std::uint64_t> length) {
      Request request = make_request("PUT", "/v1/a/c/o", typed());
      request.body = std::move(body);
      request.content_length = length;
      request.chunked = !length;
      return cluster.ask(request).status;
    };
    CHECK(put(std::make_unique<PieceSource>("abc", 0, BodyError::Kind::kTimeout), 9) == 408);
    CHECK(put(std::make_unique<PieceSource>("abc", 0, BodyError::Kind::kDisconnect), 9) == 499);
    CHECK(put(std::make_unique<PieceSource>(std::string(1001, 'x')), std::nullopt) == 413);
    CHECK(put(std::make_unique<PieceSource>(std::string(1000, 'x')), std::nullopt) == 201);
    CHECK(put(std::make_unique<PieceSource>(std::string(1001, 'x')), 1001) == 413);
  }
}

TEST_CASE("footers are asked for once, after the body, and reach every copy") {
  for (const std::size_t replicas : {1U, 3U}) {
    FakeCluster cluster({}, replicas);
    std::mutex mutex;
    std::vector<std::string> got;
    cluster.on[kObjectNode] = [&](Request& request, std::size_t) {
      Headers footers;
      request.context.update_footers(footers);
      const std::lock_guard lock(mutex);
      got.emplace_back(footers.get("X-Object-Sysmeta-Sum"));
      return created();
    };
    int asked = 0;
    Request request = make_request("PUT", "/v1/a/c/o", typed(), "hello");
    request.context.update_footers = [&](Headers& to) {
      ++asked;
      to.set("X-Object-Sysmeta-Sum", "17");
    };
    CHECK(cluster.ask(request).status == 201);
    CHECK(asked == 1);
    CHECK(got == std::vector<std::string>(replicas, "17"));
  }
}

TEST_CASE("write_affinity writes to local nodes first") {
  FakeCluster cluster(
      OptionTexts{{"write_affinity", "r2"}, {"write_affinity_node_count", "2 * replicas"}}, 3, 8);
  cluster.on[kObjectNode] = [](Request&, std::size_t) { return created(); };
  CHECK(cluster.ask("PUT", "/v1/a/c/o", typed(), "hello").status == 201);
  for (const auto& one : cluster.seen(kObjectNode)) CHECK(one.device % 2 == 1);

  cluster.forget();
  cluster.on[kObjectNode] = [](Request&, std::size_t) { return error_response(204); };
  CHECK(cluster.ask("DELETE", "/v1/a/c/o").status == 204);
  // Three primaries, and local handoffs for the two of them that are not local.
  CHECK(cluster.seen(kObjectNode).size() == 5);
}

TEST_CASE("a PUT must fit the rules before it is sent") {
  FakeCluster cluster;
  cluster.on[kObjectNode] = [](Request&, std::size_t) { return created(); };
  const auto put = [&](Headers headers, std::string_view target = "/v1/a/c/o") {
    Response out = cluster.ask("PUT", target, std::move(headers), "hello");
    return std::to_string(out.status) + " " + body_of(out);
  };
  CHECK(put(typed({{"If-None-Match", "abc"}})) == "400 If-None-Match only supports *");
  CHECK(put({{"Content-Type", "text/plain; swift_bytes=3"}}) ==
        "400 Invalid Content-Type, swift_* is not a valid parameter name.");
  CHECK(put(typed({{"X-Delete-At", "x"}})) == "400 Non-integer X-Delete-At");
  CHECK(put(typed({{"X-Delete-At", "12"}})) == "400 X-Delete-At in past");
  CHECK(put(typed({{"X-Object-Meta-", "x"}})) == "400 Metadata name cannot be empty");
  std::string name;
  for (int i = 0; i < 1025; ++i) name += "%C3%A9";
  CHECK(put(typed(), "/v1/a/c/" + name) == "400 Object name length of 1025 longer than 1024");
  CHECK(put(typed(), "/v1/a/c/" + name.substr(6)).starts_with("201"));
  CHECK(cluster.seen(kObjectNode).size() == 3);
}

TEST_CASE("an object without a type gets one by its name") {
  FakeCluster cluster({}, 1);
  cluster.on[kObjectNode] = [](Request&, std::size_t) { return created(); };
  const auto type_of = [&](std::string_view target, Headers headers = {}) {
    cluster.forget();
    cluster.ask("PUT", target, std::move(headers), "hello");
    return std::string(cluster.seen(kObjectNode).at(0).headers.get("Content-Type"));
  };
  CHECK(type_of("/v1/a/c/o.html") == "text/html");
  CHECK(type_of("/v1/a/c/o.JPG") == "image/jpeg");
  CHECK(type_of("/v1/a/c/o.tgz") == "application/x-tar");
  CHECK(type_of("/v1/a/c/.hidden") == "application/octet-stream");
  CHECK(type_of("/v1/a/c/o.nothing") == "application/octet-stream");
  CHECK(type_of("/v1/a/c/o.html", {{"Content-Type", "a/b"}}) == "a/b");
  CHECK(type_of("/v1/a/c/o.html", {{"Content-Type", "a/b"}, {"X-Detect-Content-Type", "yes"}}) ==
        "text/html");
}

TEST_CASE("requests to object servers name the containers to be told") {
  FakeCluster cluster;
  cluster.host.conf.constraints.auto_create_account_prefix = ".";
  cluster.on[kObjectNode] = [](Request&, std::size_t) { return created(); };
  cluster.ring(kObjectNode).next_part_power_ = 5;
  Request request = make_request("PUT", "/v1/a/c/o",
                                 typed({{"X-Delete-At", "1800000000"},
                                        {"X-Object-Meta-A", "b"},
                                        {"X-Extra", "kept for allowed_headers"},
                                        {"X-Auth-Token", "secret"},
                                        {"X-Container-Host", "9.9.9.9:1"}}),
                                 "hello");
  request.internal.set("X-Object-Sysmeta-S", "t");
  CHECK(cluster.ask(request).status == 201);
  const auto seen = cluster.seen(kObjectNode);
  REQUIRE(seen.size() == 3);
  std::set<std::string> hosts;
  std::set<std::string> queues;
  int cleaners = 0;
  for (const auto& one : seen) {
    hosts.insert(std::string(one.internal.get("X-Container-Host")));
    queues.insert(std::string(one.internal.get("X-Delete-At-Host")));
    CHECK(one.internal.get("X-Container-Partition") == "7");
    CHECK(one.internal.get("X-Backend-Next-Part-Power") == "5");
    CHECK(one.internal.get("X-Object-Sysmeta-S") == "t");
    // 1800000000 less its remainder by a day, less a number below 100 that the name decides.
    const auto container = parse_int(one.internal.get("X-Delete-At-Container"));
    REQUIRE(container);
    CHECK(*container <= 1799971200);
    CHECK(*container > 1799971100);
    CHECK(one.headers.get("X-Delete-At") == "1800000000");
    CHECK(one.headers.get("X-Object-Meta-A") == "b");
    CHECK(one.headers.has("X-Extra"));
    CHECK_FALSE(one.headers.has("X-Auth-Token"));
    CHECK_FALSE(one.headers.has("X-Container-Host"));
    cleaners += one.internal.get("X-Backend-Clean-Expiring-Object-Queue") == "t" ? 1 : 0;
  }
  CHECK(hosts == std::set<std::string>{"10.0.1.0:6201", "10.0.1.1:6201", "10.0.1.2:6201"});
  CHECK(queues.size() == 3);
  CHECK(cleaners == 2);
}

TEST_CASE("enough containers are told however many copies there are") {
  FakeCluster cluster({}, 1);
  cluster.on[kObjectNode] = [](Request&, std::size_t) { return created(); };
  cluster.ask("PUT", "/v1/a/c/o", typed(), "hello");
  CHECK(cluster.seen(kObjectNode).at(0).internal.get("X-Container-Host") == "10.0.1.0:6201");
}
