#include <apus/digest.h>
#include <doctest/doctest.h>

#include "tests/unit/servers_object/server.h"

using namespace apus;
using apus::test::at;
using apus::test::ObjectServer;
using testing::PieceSource;

TEST_CASE("PUT stores what was said and answers with the ETag in quotes") {
  const ObjectServer server;
  const auto made = server.put(1, "hello",
                               {{"X-Object-Meta-A", " b "},
                                {"Content-Encoding", "gzip"},
                                {"X-Other", "no"},
                                {"X-Object-Sysmeta-S", "s"},
                                {"X-Object-Transient-Sysmeta-T", "t"}});
  CHECK(made.status == 201);
  CHECK(made.get("Etag") == "\"5d41402abc4b2a76b9719d911017c592\"");
  const auto got = server.get();
  CHECK(got.status == 200);
  CHECK(got.body == "hello");
  CHECK(got.get("X-Object-Meta-A") == "b");
  CHECK(got.get("Content-Encoding") == "gzip");
  CHECK(got.get("X-Object-Sysmeta-S") == "s");
  CHECK(got.get("X-Object-Transient-Sysmeta-T") == "t");
  CHECK(!got.headers.has("X-Other"));
}

TEST_CASE("PUT refuses what Swift refuses") {
  const ObjectServer server;
  const auto status = [&](const Headers& fields, std::optional<std::string> body = "x") {
    return server.ask("PUT", ObjectServer::kObject, fields, std::move(body)).status;
  };
  const std::string now = at(1);
  CHECK(status({{"Content-Type", "a/b"}}) == 400);
  CHECK(status({{"X-Timestamp", "soon"}, {"Content-Type", "a/b"}}) == 400);
  CHECK(status({{"X-Timestamp", now}}) == 400);
  CHECK(status({{"X-Timestamp", now}, {"Content-Type", "a/b"}}, std::nullopt) == 411);
  CHECK(status({{"X-Timestamp", now}, {"Content-Type", "a/b"}, {"X-Delete-At", "x"}}) == 400);
  CHECK(status({{"X-Timestamp", now}, {"Content-Type", "a/b"}, {"X-Delete-At", "1"}}) == 400);
  CHECK(status({{"X-Timestamp", now},
                {"Content-Type", "a/b"},
                {"X-Delete-At", "1"},
                {"X-Backend-Replication", "true"}}) == 201);
  CHECK(status({{"X-Timestamp", at(2)}, {"Content-Type", "a/b"}, {"Etag", "wrong"}}) == 422);
  CHECK(status({{"X-Timestamp", at(2)},
                {"Content-Type", "a/b"},
                {"X-Object-Meta-A", std::string(257, 'x')}}) == 400);
  CHECK(server.ask("PUT", "/d1/7/a/c", {{"X-Timestamp", now}}, "x").status == 400);
  CHECK(server.ask("PUT", "/../7/a/c/o", {{"X-Timestamp", now}}, "x").status == 400);
  CHECK(server.ask("PUT", "/d1/7/a/c/\xff", {{"X-Timestamp", now}}, "x").status == 412);
  CHECK(server.ask("PUT", "/gone/7/a/c/o", {{"X-Timestamp", now}, {"Content-Type", "a/b"}}, "x")
            .status == 507);
  const auto unknown =
      server.ask("PUT", ObjectServer::kObject, {{"X-Backend-Storage-Policy-Index", "9"}}, "x");
  CHECK(unknown.status == 503);
  CHECK(unknown.body == "No policy with index 9");
  CHECK(server.ask("PATCH", ObjectServer::kObject).status == 405);
}

TEST_CASE("an older or equal PUT is a conflict that tells the moment") {
  const ObjectServer server;
  REQUIRE(server.put(5, "x").status == 201);
  for (const int second : {4, 5}) {
    const auto refused = server.put(second, "y");
    CHECK(refused.status == 409);
    CHECK(refused.get("X-Backend-Timestamp") == at(5));
  }
  REQUIRE(server.remove(6).status == 204);
  CHECK(server.put(6, "y").status == 409);
  REQUIRE(server.put(7, "y").status == 201);
  // A POST's moment does not count.
  REQUIRE(server.post(9, {{"X-Object-Meta-A", "b"}}).status == 202);
  CHECK(server.put(8, "z").status == 201);
}

TEST_CASE("If-None-Match keeps what is there") {
  const ObjectServer server;
  CHECK(server.put(1, "hello", {{"If-None-Match", "*"}}).status == 201);
  CHECK(server.put(2, "hello", {{"If-None-Match", "*"}}).status == 412);
  CHECK(server.put(2, "x", {{"If-None-Match", "\"5d41402abc4b2a76b9719d911017c592\""}}).status ==
        412);
  CHECK(server.put(2, "x", {{"If-None-Match", "other"}}).status == 201);
  REQUIRE(server.remove(3).status == 204);
  CHECK(server.put(4, "x", {{"If-None-Match", "*"}}).status == 201);
}

TEST_CASE("a body that does not come whole leaves nothing") {
  const ObjectServer server;
  const auto cut = [&](std::optional<BodyError::Kind> failure, std::uint64_t length) {
    Request request("PUT", ObjectServer::kObject);
    request.internal = {{"X-Timestamp", at(1)}};
    request.headers = {{"Content-Type", "a/b"}};
    request.content_length = length;
    request.body = std::make_unique<PieceSource>("hello", 2, failure);
    return server.ask(request).status;
  };
  CHECK(cut(BodyError::Kind::kDisconnect, 9) == 499);
  CHECK(cut(BodyError::Kind::kTimeout, 9) == 408);
  CHECK(cut(BodyError::Kind::kMalformed, 9) == 499);
  CHECK(server.get().status == 404);
  CHECK(server.files("objects").empty());
}

TEST_CASE("an upload may take its time, but not for ever") {
  const ObjectServer server(testing::OptionTexts{{"max_upload_time", "60"}});
  class Slow final : public Source {
   public:
    explicit Slow(testing::FakeClock& clock) : clock_(clock) {}
    std::size_t read(std::span<char> out) override {
      clock_.advance(std::chrono::seconds(30));
      out[0] = 'x';
      return 1;
    }

   private:
    testing::FakeClock& clock_;
  };
  Request request("PUT", ObjectServer::kObject);
  request.internal = {{"X-Timestamp", at(1)}};
  request.headers = {{"Content-Type", "a/b"}};
  request.chunked = true;
  request.body = std::make_unique<Slow>(server.host.time);
  CHECK(server.ask(request).status == 408);
}

TEST_CASE("a device without room says so") {
  const ObjectServer server(testing::OptionTexts{{"fallocate_reserve", "100%"}});
  const auto full = server.put(1, "x");
  CHECK(full.status == 507);
  CHECK(full.body.find("Drive: d1") != std::string::npos);
}

TEST_CASE("the container is told of every object") {
  const ObjectServer server;
  REQUIRE(server.put(1, "hello", ObjectServer::with_container({{"X-Trans-Id", "tx1"}})).status ==
          201);
  const auto call = server.containers.last();
  CHECK(call.method == "PUT");
  CHECK(call.path == "/c1/3/a/c/o");
  CHECK(call.headers.get("X-Size") == "5");
  CHECK(call.headers.get("X-Etag") == "5d41402abc4b2a76b9719d911017c592");
  CHECK(call.headers.get("X-Content-Type") == "text/plain");
  CHECK(call.headers.get("X-Timestamp") == at(1));
  CHECK(call.headers.get("X-Trans-Id") == "tx1");
  CHECK(call.headers.get("Referer").starts_with("PUT http://"));
  CHECK(call.internal.get("X-Backend-Storage-Policy-Index") == "0");
  CHECK(call.headers.get("User-Agent").starts_with("object-server "));
  CHECK(server.files("async_pending").empty());
}

TEST_CASE("overrides replace the row's fields, the system's name last") {
  const ObjectServer server;
  REQUIRE(server
              .put(1, "hello",
                   ObjectServer::with_container(
                       {{"X-Backend-Container-Update-Override-Size", "7"},
                        {"X-Backend-Container-Update-Override-Etag", "first"},
                        {"X-Object-Sysmeta-Container-Update-Override-Etag", "second"}}))
              .status == 201);
  const auto call = server.containers.last();
  CHECK(call.headers.get("X-Size") == "7");
  CHECK(call.headers.get("X-Etag") == "second");
}

TEST_CASE("what a container server does not take is queued") {
  ObjectServer server;
  SUBCASE("it fails") { server.containers.otherwise(testing::FakeAnswer{.status = 503}); }
  SUBCASE("it does not answer") {
    REQUIRE(server
                .put(1, "x",
                     {{"X-Container-Host", "10.0.0.9:1"},
                      {"X-Container-Partition", "3"},
                      {"X-Container-Device", "c1"}})
                .status == 201);
  }
  SUBCASE("it has no name") {
    REQUIRE(server.put(1, "x", {{"X-Container-Partition", "3"}}).status == 201);
  }
  if (server.files("async_pending").empty())
    REQUIRE(server.put(1, "x", ObjectServer::with_container()).status == 201);
  const auto files = server.files("async_pending");
  REQUIRE(files.size() == 1);
  const std::string hash = server.host.conf.hash_path("a", "c", "o");
  CHECK(files.front().filename() == hash + "-" + at(1));
  CHECK(files.front().parent_path().filename() == hash.substr(29));
}

TEST_CASE("lists of different length are told to nobody") {
  const ObjectServer server;
  REQUIRE(server
              .put(1, "x",
                   {{"X-Container-Host", "10.0.0.1:6201,10.0.0.1:6201"},
                    {"X-Container-Partition", "3"},
                    {"X-Container-Device", "c1"}})
              .status == 201);
  CHECK(server.containers.calls().empty());
  CHECK(server.files("async_pending").empty());
  CHECK(server.host.log.has("different numbers of hosts and devices"));
}

TEST_CASE("a shard is told in place of its root") {
  ObjectServer server;
  REQUIRE(server
              .put(1, "x",
                   ObjectServer::with_container(
                       {{"X-Backend-Quoted-Container-Path", ".shards_a/c%20x"}}))
              .status == 201);
  CHECK(server.containers.last().path == "/c1/3/.shards_a/c x/o");
  REQUIRE(server.put(2, "x", ObjectServer::with_container({{"X-Backend-Container-Path", "bad"}}))
              .status == 201);
  CHECK(server.containers.last().path == "/c1/3/a/c/o");
}

TEST_CASE("another policy has folders of its own") {
  const ObjectServer server;
  REQUIRE(
      server.put(1, "x", {{"X-Backend-Storage-Policy-Index", "1"}, {"X-Container-Partition", "3"}})
          .status == 201);
  CHECK(server.files("objects").empty());
  CHECK(!server.files("objects-1").empty());
  CHECK(server.files("async_pending-1").size() == 1);
}

TEST_CASE("expiry enters the queue, and leaves it by the updater") {
  const ObjectServer server;
  const Headers target{{"X-Delete-At-Host", "10.0.0.1:6201"},
                       {"X-Delete-At-Partition", "5"},
                       {"X-Delete-At-Device", "c2"},
                       {"X-Delete-At-Container", "1700006400"}};
  Headers fields = target;
  fields.set("X-Delete-At", "1700010000");
  REQUIRE(server.put(1, "x", fields).status == 201);
  const auto entered = server.containers.last();
  CHECK(entered.method == "PUT");
  CHECK(entered.path == "/c2/5/.expiring_objects/1700006400/1700010000-a/c/o");
  CHECK(entered.headers.get("X-Size") == "0");
  CHECK(entered.headers.get("X-Content-Type") == "text/plain");
  CHECK(server.files("async_pending").empty());

  fields.set("X-Delete-At", "1700020000");
  REQUIRE(server.put(2, "x", fields).status == 201);
  CHECK(server.containers.last().path.ends_with("1700020000-a/c/o"));
  CHECK(server.files("async_pending").size() == 1);
  const std::size_t calls = server.containers.calls().size();
  // Gone for good, but the queue is not to be cleaned.
  REQUIRE(server.remove(3, {{"X-Backend-Clean-Expiring-Object-Queue", "no"}}).status == 204);
  CHECK(server.containers.calls().size() == calls);
  CHECK(server.files("async_pending").size() == 1);
}
