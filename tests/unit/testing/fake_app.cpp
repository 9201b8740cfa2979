#include <apus/testing/fake_app.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <stdexcept>

using namespace apus;
using namespace apus::testing;

namespace {

using Lines = std::vector<std::string>;

Response ask(const App& app, Request request) { return app(request); }

}  // namespace

TEST_CASE("answers by method and target, the query first") {
  FakeApp app;
  app.on("GET", "/v1/a/c", {200, {{"Content-Type", "text/plain"}}, "all"})
      .on("GET", "/v1/a/c?prefix=a b", {200, {}, "some"})
      .on("PUT", "/v1/a/c", {201});
  Response all = ask(app, make_request("GET", "/v1/a/c?x=y"));
  CHECK(all.headers.get("Content-Type") == "text/plain");
  CHECK(all.content_length == 3);
  CHECK(body_of(all) == "all");
  Response some = ask(app, make_request("GET", "/v1/a/c?prefix=a%20b"));
  CHECK(body_of(some) == "some");
  CHECK(ask(app, make_request("PUT", "/v1/a/c")).status == 201);
  CHECK(app.lines() == Lines{"GET /v1/a/c?x=y", "GET /v1/a/c?prefix=a+b", "PUT /v1/a/c"});
}

TEST_CASE("answers for once stand in line before the lasting one") {
  FakeApp app;
  app.on("GET", "/o", {200}).once("GET", "/o", {503}).once("GET", "/o", {404});
  Lines statuses;
  for (int i = 0; i < 4; ++i)
    statuses.push_back(std::to_string(ask(app, make_request("GET", "/o")).status));
  CHECK(statuses == Lines{"503", "404", "200", "200"});
}

TEST_CASE("HEAD falls back to GET without its body") {
  FakeApp app;
  app.on("GET", "/o", {200, {{"Etag", "e"}}, "hello"});
  const Response head = ask(app, make_request("HEAD", "/o"));
  CHECK(head.body == nullptr);
  CHECK(head.content_length == 5);
  CHECK(head.headers.get("Etag") == "e");
}

TEST_CASE("what was not registered is told by name, or answered by the rest") {
  FakeApp app;
  CHECK_THROWS_WITH_AS(ask(app, make_request("GET", "/v1/a?x=1")),
                       doctest::Contains("GET /v1/a?x=1"), std::logic_error);
  app.otherwise({404});
  CHECK(ask(app, make_request("GET", "/v1/a?x=1")).status == 404);
}

TEST_CASE("calls keep what the request said") {
  FakeApp app;
  app.otherwise({201});
  Request request = make_request("PUT", "/v1/a/c/%C3%A9?x=y", {{"x-object-meta-a", "1"}}, "hello");
  request.internal.set("X-Backend-A", "2");
  request.context.remote_user = "joe";
  request.context.update_footers = [](Headers& footers) { footers.set("Etag", "e"); };
  app(request);
  const FakeCall call = app.last();
  CHECK(call.method == "PUT");
  CHECK(call.path == "/v1/a/c/\xc3\xa9");
  CHECK(call.query.get("x") == "y");
  CHECK(call.headers.get("X-Object-Meta-A") == "1");
  CHECK(call.internal.get("X-Backend-A") == "2");
  CHECK(call.content_length == 5);
  CHECK(call.body == "hello");
  CHECK(call.footers.get("Etag") == "e");
  CHECK(call.context.remote_user == "joe");
  app.clear_calls();
  CHECK(app.calls().empty());
  CHECK_THROWS_AS(static_cast<void>(app.last()), std::logic_error);
}

TEST_CASE("a request body that fails passes through, the call is on record") {
  FakeApp app;
  app.otherwise({201});
  Request request("PUT", "/o");
  request.content_length = 9;
  request.body = std::make_unique<PieceSource>("abc", 0, BodyError::Kind::kDisconnect);
  CHECK_THROWS_AS(app(request), BodyError);
  CHECK(app.lines() == Lines{"PUT /o"});
  CHECK_FALSE(app.last().body.has_value());
}

TEST_CASE("bodies can be left to the function that answers") {
  FakeApp app;
  app.leave_bodies().on("PUT", "/o", [](Request& request) {
    std::array<char, 2> some;
    return Response(200, std::string(some.data(), request.body->read(some)));
  });
  Response response = ask(app, make_request("PUT", "/o", {}, "hello"));
  CHECK(body_of(response) == "he");
}

TEST_CASE("bodies of answers: open, unread, read") {
  FakeApp app;
  app.otherwise({200, {}, "hello", {}, 2});
  {
    Response response = ask(app, make_request("GET", "/a"));
    CHECK(app.open_bodies() == Lines{"GET /a"});
    std::array<char, 10> some;
    CHECK(response.body->read(some) == 2);
  }
  CHECK(app.open_bodies().empty());
  CHECK(app.unread_bodies() == Lines{"GET /a"});
  {
    Response response = ask(app, make_request("GET", "/b"));
    CHECK(body_of(response) == "hello");
  }
  CHECK(app.unread_bodies() == Lines{"GET /a"});
}

TEST_CASE("an answer's body may outlive the app") {
  Response response;
  {
    FakeApp app;
    app.object("/o", "0123456789");
    response = ask(app, make_request("GET", "/o", {{"Range", "bytes=0-1,8-9"}}));
  }
  CHECK(body_of(response).find("89") != std::string::npos);
}

TEST_CASE("objects answer ranges and preconditions") {
  FakeApp app;
  app.object("/o", "0123456789", {{"X-Object-Meta-A", "1"}});
  Response whole = ask(app, make_request("GET", "/o"));
  CHECK(whole.headers.get("Etag") == "781e5e245d69b566979b86e28d23f2c7");
  CHECK(whole.headers.get("X-Object-Meta-A") == "1");
  CHECK(body_of(whole) == "0123456789");
  Response part = ask(app, make_request("GET", "/o", {{"Range", "bytes=2-4"}}));
  CHECK(part.status == 206);
  CHECK(body_of(part) == "234");
  CHECK(ask(app, make_request("GET", "/o", {{"Range", "bytes=99-"}})).status == 416);
  CHECK(ask(app, make_request("HEAD", "/o", {{"If-None-Match", "*"}})).status == 304);
}
