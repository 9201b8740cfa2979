#include <apus/account_info.h>
#include <apus/cache.h>
#include <doctest/doctest.h>

#include <functional>
#include <map>

using namespace apus;

namespace {

class MapCache final : public Cache {
 public:
  std::optional<std::string> get(std::string_view key) override {
    const auto at = values.find(std::string(key));
    return at == values.end() ? std::nullopt : std::optional(at->second);
  }
  void set(std::string_view key, std::string_view json, std::chrono::seconds ttl) override {
    values[std::string(key)] = json;
    ttls[std::string(key)] = ttl;
  }
  std::optional<std::int64_t> increment(std::string_view, std::int64_t,
                                        std::chrono::seconds) override {
    return std::nullopt;
  }
  void remove(std::string_view key) override { values.erase(std::string(key)); }
  std::vector<std::optional<std::string>> get_many(std::span<const std::string> keys) override {
    questions.push_back({keys.begin(), keys.end()});
    return Cache::get_many(keys);
  }

  std::map<std::string, std::string> values;
  std::map<std::string, std::chrono::seconds> ttls;
  std::vector<std::vector<std::string>> questions;
};

class FakeNext final : public App {
 public:
  Response operator()(Request& request) const override {
    asked.push_back(request.method + " " + request.path + " " +
                    std::string(request.headers.get("User-Agent")));
    return answer(request);
  }
  std::function<Response(Request&)> answer;
  mutable std::vector<std::string> asked;
};

Response container_answer() {
  Response out(204);
  out.headers.set("X-Container-Read", ".r:*");
  out.headers.set("X-Container-Object-Count", "7");
  out.headers.set("X-Container-Bytes-Used", "100");
  out.headers.set("X-Container-Meta-Access-Control-Max-Age", "5");
  out.internal.set("X-Container-Sysmeta-Quota-Bytes", "9");
  out.internal.set("X-Backend-Storage-Policy-Index", "1");
  out.internal.set("X-Backend-Put-Timestamp", "0000000001.00000");
  return out;
}

}  // namespace

TEST_CASE("container info is asked once a request, and shared through the cache") {
  MapCache cache;
  FakeNext next;
  next.answer = [](Request& request) {
    return request.path == "/v1/a" ? Response(204) : container_answer();
  };
  Request request("GET", "/v1/a/c/o");
  request.context.cache = &cache;
  const auto info = get_container_info(request, next, "a", "c");
  CHECK(info->status == 204);
  CHECK(info->read_acl == ".r:*");
  CHECK(info->object_count == 7);
  CHECK(info->storage_policy == 1);
  CHECK(field_of(info->sysmeta, "quota-bytes") == "9");
  CHECK(next.asked == std::vector<std::string>{"HEAD /v1/a Swift", "HEAD /v1/a/c Swift"});
  CHECK(get_container_info(request, next, "a", "c").get() == info.get());

  Request other("GET", "/v1/a/c/o");
  other.context.cache = &cache;
  const auto again = get_container_info(other, next, "a", "c");
  CHECK(again->bytes == 100);
  CHECK(next.asked.size() == 2);

  cache.values["container/a/c"] = R"({"status": 204, "bytes": 101, "object_count": null})";
  Request third("GET", "/v1/a/c/o");
  third.context.cache = &cache;
  CHECK(get_container_info(third, next, "a", "c")->bytes == 101);
}

TEST_CASE("the value in the cache is Swift's, byte by byte") {
  MapCache cache;
  Request request("GET", "/v1/a/c");
  request.context.cache = &cache;
  remember_container(request, "a", "c", container_answer(), std::chrono::seconds(60));
  CHECK(cache.values["container/a/c"] ==
        R"({"status": 204, "read_acl": ".r:*", "write_acl": null, "sync_to": null, )"
        R"("sync_key": null, "object_count": "7", "bytes": "100", "versions": null, )"
        R"("storage_policy": "1", "cors": {"allow_origin": null, "expose_headers": null, )"
        R"("max_age": "5"}, "meta": {"access-control-max-age": "5"}, )"
        R"("sysmeta": {"quota-bytes": "9"}, "sharding_state": "unsharded", "created_at": null, )"
        R"("put_timestamp": "0000000001.00000", "delete_timestamp": null, )"
        R"("status_changed_at": null})");
  Response account(204);
  account.headers.set("X-Account-Container-Count", "2");
  account.headers.set("X-Account-Storage-Policy-Policy-0-Object-Count", "3");
  const std::vector<StoragePolicy> policies{StoragePolicy{}};
  remember_account(request, "a", account, std::chrono::seconds(60), policies);
  CHECK(cache.values["account/a"] ==
        R"({"status": 204, "container_count": "2", "total_object_count": "0", "bytes": "0", )"
        R"("storage_policies": {"0": {"container_count": 0, "object_count": 3, "bytes": 0}}, )"
        R"("meta": {}, "sysmeta": {}, "account_really_exists": true})");
}

TEST_CASE("what is not there is kept for a tenth of the time, failures are not kept") {
  MapCache cache;
  Request request("GET", "/v1/a/c");
  request.context.cache = &cache;
  remember_container(request, "a", "c", Response(404), std::chrono::seconds(60));
  CHECK(cache.ttls["container/a/c"] == std::chrono::seconds(6));
  remember_container(request, "a", "d", Response(503), std::chrono::seconds(60));
  CHECK_FALSE(cache.values.contains("container/a/d"));
  forget_container(request, "a", "c");
  CHECK(cache.values.empty());
  CHECK(cached_container_info(request, "a", "c") == nullptr);
}

TEST_CASE("a container whose account is gone has status 0, one nobody can tell of 503") {
  FakeNext next;
  next.answer = [](Request& request) { return Response(request.path == "/v1/a" ? 404 : 503); };
  Request request("GET", "/v1/a/c");
  CHECK(get_container_info(request, next, "a", "c")->status == 0);
  CHECK(next.asked.size() == 1);
  CHECK(get_container_info(request, next, ".system", "c")->status == 503);
}

TEST_CASE("the hidden versions container counts") {
  FakeNext next;
  next.answer = [](Request& request) {
    Response out = container_answer();
    if (request.path == "/v1/a") return Response(204);
    if (request.path == "/v1/a/c")
      out.internal.set("X-Container-Sysmeta-Versions-Container", "%00versions%00c");
    return out;
  };
  Request request("GET", "/v1/a/c");
  CHECK(get_container_info(request, next, "a", "c")->bytes == 200);
}

TEST_CASE("broken cache values are no values") {
  for (const char* text : {"", "[]", "null", "{", "{}", "\"x\"", R"({"statu": 1})"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_container_info(text));
    CHECK_FALSE(parse_account_info(text));
  }
  const auto odd = parse_container_info(R"({"status": "x", "meta": [1], "bytes": {}})");
  REQUIRE(odd);
  CHECK(odd->status == 0);
}

TEST_CASE("foreseen infos of account and container are one question") {
  MapCache cache;
  FakeNext next;
  next.answer = [](Request&) { return container_answer(); };
  Request first("GET", "/v1/a/c/o");
  first.context.cache = &cache;
  get_container_info(first, next, "a", "c");
  REQUIRE(cache.values.contains("container/a/c"));
  const auto asked = next.asked.size();
  cache.values["account/a"] = R"({"status": 204, "total_object_count": "3"})";

  Request request("GET", "/v1/a/c/o");
  request.context.cache = &cache;
  foresee_infos(request, request.context.foreseen);
  CHECK(get_account_info(request, next, "a")->total_object_count == 3);
  CHECK(cache.questions == std::vector<std::vector<std::string>>{{"account/a", "container/a/c"}});
  cache.values.clear();
  CHECK(get_container_info(request, next, "a", "c")->object_count == 7);
  CHECK(next.asked.size() == asked);

  Request other("GET", "/v1/b");
  other.context.cache = &cache;
  foresee_infos(other, other.context.foreseen);
  get_account_info(other, next, "b");
  CHECK(cache.questions.back() == std::vector<std::string>{"account/b"});
  Request root("GET", "/info");
  foresee_infos(root, root.context.foreseen);
  CHECK_FALSE(root.context.foreseen.get(cache, "account/b") == std::nullopt);
  CHECK(cache.questions.size() == 2);
}

TEST_CASE("an info that was learned beside another and written since is not told") {
  MapCache cache;
  FakeNext next;
  next.answer = [](Request&) { return container_answer(); };
  cache.values["account/a"] = R"({"status": 204})";
  cache.values["container/a/c"] = R"({"status": 204, "object_count": "1"})";
  Request request("PUT", "/v1/a/c");
  request.context.cache = &cache;
  foresee_infos(request, request.context.foreseen);
  get_account_info(request, next, "a");
  SUBCASE("forgotten") {
    forget_container(request, "a", "c");
    CHECK(get_container_info(request, next, "a", "c")->object_count == 7);
    CHECK(next.asked.size() == 1);
  }
  SUBCASE("remembered, then forgotten by another proxy") {
    remember_container(request, "a", "c", container_answer(), std::chrono::seconds(60));
    request.context.info_cache = nullptr;
    cache.values.erase("container/a/c");
    CHECK(cached_container_info(request, "a", "c") == nullptr);
  }
  SUBCASE("a sub-request asks for itself") {
    Request sub = make_subrequest(request, "GET", "/v1/a/c", "TEST", true);
    sub.context.info_cache = nullptr;
    cache.values["container/a/c"] = R"({"status": 204, "object_count": "2"})";
    CHECK(cached_container_info(sub, "a", "c")->object_count == 2);
  }
}

TEST_CASE("foreseen keys are asked for once and told once") {
  MapCache cache;
  cache.values = {{"one", "1"}, {"two", "2"}};
  ForeseenKeys keys;
  for (const char* key : {"one", "two", "none", "one"}) keys.add(key);
  CHECK(keys.get(cache, "other") == std::nullopt);
  CHECK(cache.questions.empty());
  CHECK(keys.get(cache, "two") == "2");
  CHECK(cache.questions == std::vector<std::vector<std::string>>{{"one", "two", "none"}});
  keys.add("late");
  cache.values = {{"one", "11"}, {"two", "22"}, {"none", "0"}, {"late", "9"}};
  CHECK(keys.get(cache, "two") == "22");
  CHECK(keys.get(cache, "one") == "1");
  CHECK(keys.get(cache, "one") == "11");
  CHECK(keys.get(cache, "none") == std::nullopt);
  CHECK(keys.get(cache, "late") == "9");
  CHECK(cache.questions.size() == 1);
  keys.clear();
  keys.add("one");
  keys.add("two");
  keys.drop("one");
  CHECK(keys.get(cache, "one") == "11");
  CHECK(keys.get(cache, "two") == "22");
  CHECK(cache.questions.back() == std::vector<std::string>{"two"});
}
