// Sharded containers: listings put together from shards, rows sent to the right one.
#include "tests/unit/proxy/fake_cluster.h"

using namespace apus;
using namespace apus::test;

namespace {

Json row(const std::string& name) {
  return Json::Object{{"name", name}, {"bytes", 3}, {"hash", "h"}};
}

Json range(const std::string& container, const std::string& lower, const std::string& upper) {
  return Json::Object{
      {"name", ".shards_a/" + container}, {"lower", lower}, {"upper", upper}, {"state", 60}};
}

Response rows(Json::Array all, const char* type) {
  Response out(200, Json(std::move(all)).dump(), "application/json; charset=utf-8");
  out.internal.set("X-Backend-Record-Type", type);
  out.internal.set("X-Backend-Storage-Policy-Index", "0");
  out.internal.set("X-Backend-Sharding-State", "sharded");
  for (const char* name : {"X-Backend-Timestamp", "X-Backend-Put-Timestamp",
                           "X-Backend-Delete-Timestamp", "X-Backend-Status-Changed-At"}) {
    out.internal.set(name, "1700000000.00000");
  }
  out.headers.set("X-Container-Object-Count", "99");
  out.headers.set("X-Container-Bytes-Used", "999");
  return out;
}

// The root "c" has shards one (..m], two (m..]; each lists what it has past the marker.
FakeCluster::Answer sharded(std::map<std::string, std::vector<std::string>> names) {
  return [names](Request& request, std::size_t) {
    if (request.method == "HEAD") {
      Response out = rows({}, "object");
      out.status = 204;
      out.body.reset();
      out.content_length = 0;
      return out;
    }
    const std::string container = request.path.substr(request.path.rfind('/') + 1);
    const bool objects = request.internal.get("X-Backend-Record-Type") == "object";
    if (container == "c" && !objects) {
      Response out = rows({range("one", "", "m"), range("two", "m", "")}, "shard");
      if (request.internal.get("X-Backend-Override-Shard-Name-Filter") == "sharded")
        out.internal.set("X-Backend-Override-Shard-Name-Filter", "true");
      return out;
    }
    Json::Array found;
    const auto at = names.find(container);
    const std::string marker(request.query.get("marker"));
    const std::string end(request.query.get("end_marker"));
    const auto limit = parse_digits(request.query.get("limit")).value_or(10000);
    if (at != names.end()) {
      for (const std::string& name : at->second) {
        if (name > marker && (end.empty() || name < end) &&
            static_cast<std::int64_t>(found.size()) < limit) {
          found.push_back(row(name));
        }
      }
    }
    return rows(std::move(found), "object");
  };
}

std::vector<std::string> names_in(Response& response) {
  std::vector<std::string> out;
  const auto json = Json::parse(body_of(response));
  REQUIRE(json);
  for (const Json& one : *json->array()) out.push_back(*one.find("name")->text());
  return out;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a listing goes through the shards in order") {
  FakeCluster cluster({}, 1);
  cluster.on[kContainerNode] = sharded({{"one", {"a", "b"}}, {"two", {"n", "z"}}});
  Response all = cluster.ask("GET", "/v1/a/c");
  CHECK(all.status == 200);
  CHECK(names_in(all) == Names{"a", "b", "n", "z"});
  CHECK(all.headers.get("X-Container-Object-Count") == "4");
  CHECK(all.headers.get("X-Container-Bytes-Used") == "12");
  CHECK(all.headers.get("X-Storage-Policy") == "Policy-0");
  Response some = cluster.ask("GET", "/v1/a/c?limit=3");
  CHECK(names_in(some) == Names{"a", "b", "n"});
  Response rest = cluster.ask("GET", "/v1/a/c?marker=b&end_marker=z");
  CHECK(names_in(rest) == Names{"n"});
  cluster.forget();
  Response prefixed = cluster.ask("GET", "/v1/a/c?prefix=n");
  for (const auto& one : cluster.seen(kContainerNode))
    CHECK(one.path.find("/one") == std::string::npos);
}

TEST_CASE("the shards are remembered under Swift's key") {
  FakeCluster cluster({}, 1);
  cluster.on[kContainerNode] = sharded({{"one", {"a"}}, {"two", {"n"}}});
  cluster.ask("GET", "/v1/a/c");
  const auto kept = cluster.host.cache().get("shard-listing/a/c");
  REQUIRE(kept);
  CHECK(Json::parse(*kept)->array()->size() == 2);
  cluster.forget();
  Response again = cluster.ask("GET", "/v1/a/c");
  CHECK(names_in(again) == Names{"a", "n"});
  for (const auto& one : cluster.seen(kContainerNode, "GET"))
    CHECK(one.path.find("/a/c") == std::string::npos);
  cluster.ask("POST", "/v1/a/c");
  CHECK_FALSE(cluster.host.cache().get("shard-listing/a/c"));
}

TEST_CASE("a shard that points back is asked for its objects") {
  FakeCluster cluster({}, 1);
  cluster.on[kContainerNode] = [](Request& request, std::size_t) {
    if (request.internal.get("X-Backend-Record-Type") == "object")
      return rows({row("q")}, "object");
    return rows({Json::Object{{"name", "a/c"}, {"lower", ""}, {"upper", ""}}}, "shard");
  };
  Response out = cluster.ask("GET", "/v1/a/c");
  CHECK(names_in(out) == Names{"q"});
}

TEST_CASE("a listing with a hole is no listing") {
  FakeCluster cluster({}, 1, 1);
  auto good = sharded({{"one", {"a"}}, {"two", {"n"}}});
  const auto answer_two_with = [&](std::function<Response()> two) {
    cluster.on[kContainerNode] = [=](Request& request, std::size_t device) {
      return request.path.ends_with("/two") ? two() : good(request, device);
    };
    return cluster.ask("GET", "/v1/a/c").status;
  };
  CHECK(answer_two_with([] { return error_response(404); }) == 503);
  CHECK(answer_two_with([] { return Response(200, "not json"); }) == 503);
  CHECK(answer_two_with([] {
          Response out = rows({}, "object");
          out.internal.set("X-Backend-Storage-Policy-Index", "1");
          return out;
        }) == 503);
  CHECK(cluster.host.log.has("Aborting listing from shards due to bad response: ["));
  CHECK(cluster.host.log.has("due to bad shard policy index: 1 (expected 0)"));
  CHECK(answer_two_with([] { return rows({}, "object"); }) == 200);
}

TEST_CASE("ranges that are garbage are a 503") {
  for (const char* body : {"{", "{}", "[1]", "[{\"name\": \"x\"}]",
                           "[{\"name\": \"noslash\", \"lower\": \"\", \"upper\": \"\"}]"}) {
    FakeCluster cluster({}, 1);
    cluster.cached = false;
    cluster.on[kContainerNode] = [&](Request&, std::size_t) {
      Response out = rows({}, "shard");
      out.body = std::make_unique<StringSource>(body);
      out.content_length = std::string_view(body).size();
      return out;
    };
    CAPTURE(body);
    CHECK(cluster.ask("GET", "/v1/a/c").status == 503);
  }
}

TEST_CASE("a new object's row goes to its shard") {
  FakeCluster cluster({}, 1);
  cluster.on[kContainerNode] = sharded({});
  cluster.on[kObjectNode] = [](Request&, std::size_t) { return error_response(201); };
  const auto told = [&](const char* object) {
    cluster.forget();
    cluster.ask("PUT", std::string("/v1/a/c/") + object, {{"Content-Type", "a/b"}}, "x");
    return std::string(
        cluster.seen(kObjectNode).at(0).internal.get("X-Backend-Quoted-Container-Path"));
  };
  CHECK(told("a") == ".shards_a/one");
  CHECK(told("m") == ".shards_a/one");
  CHECK(told("n") == ".shards_a/two");
  CHECK(cluster.host.cache().get("shard-updating/a/c"));
  CHECK(cluster.seen(kContainerNode).empty());
}
