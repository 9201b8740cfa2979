#include <apus/testing/fake_app.h>
#include <apus/testing/lint.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <functional>
#include <thread>

using namespace apus;
using namespace apus::testing;

namespace {

using Answer = FunctionApp::Function;

Lint linted(Answer answer) {
  return Lint(std::make_unique<FunctionApp>(std::move(answer)), "above test");
}

// What a Lint says about one exchange; its answer's body is read to the end and once more.
std::string said(Request request, Answer answer) {
  const Lint lint = linted(std::move(answer));
  try {
    Response response = lint(request);
    if (response.body == nullptr) return "";
    body_of(response);
    body_of(response);
  } catch (const LintError& error) {
    return error.what();
  }
  return "";
}

std::string said_of_answer(const std::function<void(Response&)>& spoil,
                           std::string method = "GET") {
  return said(Request(std::move(method), "/v1/a"), [&](Request&) {
    Response out(200, "hello");
    spoil(out);
    return out;
  });
}

std::string said_of_request(const std::function<void(Request&)>& spoil) {
  Request request("PUT", "/v1/a");
  spoil(request);
  return said(std::move(request), [](Request& asked) {
    read_all(asked.body.get(), 1000);
    return Response(201);
  });
}

// A body whose reads and region a test makes up.
class Odd final : public Source {
 public:
  std::function<std::size_t(std::span<char>)> on_read = [](std::span<char>) { return 0; };
  std::optional<FileRegion> region;
  std::size_t read(std::span<char> out) override { return on_read(out); }
  std::optional<FileRegion> file_region() override { return region; }
};

std::string said_of_body(std::function<std::size_t(std::span<char>)> on_read,
                         std::optional<std::uint64_t> length) {
  return said_of_answer([&](Response& response) {
    auto body = std::make_unique<Odd>();
    body->on_read = std::move(on_read);
    response.body = std::move(body);
    response.content_length = length;
  });
}

bool has(const std::string& text, std::string_view piece) {
  CAPTURE(text);
  return text.find(piece) != std::string::npos;
}

}  // namespace

TEST_CASE("what keeps the contract passes") {
  CHECK(said_of_answer([](Response&) {}) == "");
  CHECK(said_of_answer([](Response&) {}, "HEAD") == "");
  CHECK(said_of_answer([](Response& r) { r.internal.set("X-Backend-Timestamp", "1"); }) == "");
  CHECK(said_of_answer([](Response& r) { r.headers.set("X-Object-Meta-\xc3\xa9", "\xc3\xa9"); }) ==
        "");
  CHECK(said_of_answer([](Response& r) { r.content_length.reset(); }) == "");
  CHECK(said_of_answer([](Response& r) { r = Response(204); }) == "");
  CHECK(said_of_request([](Request& r) { r.internal.set("X-Timestamp", "1"); }) == "");
  CHECK(said_of_request([](Request& r) {
          r.content_length = 3;
          r.body = std::make_unique<PieceSource>("abc", 1);
        }) == "");
}

TEST_CASE("answers: status, reason, fields") {
  CHECK(has(said_of_answer([](Response& r) { r.status = 99; }), "status 99"));
  CHECK(has(said_of_answer([](Response& r) { r.status = 600; }), "status 600"));
  CHECK(has(said_of_answer([](Response& r) { r.status = 100; }), "status 100"));
  CHECK(has(said_of_answer([](Response& r) { r.reason = "a\r\nb"; }), "reason"));
  CHECK(has(said_of_answer([](Response& r) { r.headers.set("X-A", "a\nb"); }), "X-A"));
  CHECK(has(said_of_answer([](Response& r) { r.headers.set("X-A", std::string("a\0b", 3)); }),
            "X-A"));
  CHECK(has(said_of_answer([](Response& r) { r.headers.set("X A", "1"); }), "no field name"));
  CHECK(has(said_of_answer([](Response& r) { r.headers.set("", "1"); }), "no field name"));
  CHECK(has(said_of_answer([](Response& r) { r.headers.append_known_new("x-a", "1"); }), "X-A"));
  CHECK(has(said_of_answer([](Response& r) { r.headers.set("Content-Length", "5"); }), "host"));
  CHECK(has(said_of_answer([](Response& r) { r.headers.set("X-Backend-A", "1"); }), "internal"));
  CHECK(has(said_of_answer([](Response& r) { r.internal.set("Etag", "1"); }), "no internal name"));
}

TEST_CASE("answers: bodies that should not be there, lengths without a body") {
  CHECK(has(said_of_answer([](Response& r) { r.status = 204; }), "204 has a body"));
  CHECK(has(said_of_answer([](Response& r) { r.status = 304; }), "304 has a body"));
  CHECK(has(said_of_answer([](Response& r) { r.body.reset(); }), "without a body"));
  CHECK(said_of_answer([](Response& r) { r.body.reset(); }, "HEAD") == "");
}

TEST_CASE("the body of an answer to HEAD is dropped, as the host does") {
  const Lint lint = linted([](Request&) { return Response(200, "hello"); });
  Request request("HEAD", "/");
  const Response response = lint(request);
  CHECK(response.body == nullptr);
  CHECK(response.content_length == 5);
}

TEST_CASE("bodies: length, room, end") {
  int left = 2;
  const auto once = [&](std::span<char> out) -> std::size_t {
    out[0] = 'x';
    return left-- > 0 ? 1 : 0;
  };
  CHECK(said_of_body(once, 2) == "");
  left = 2;
  CHECK(has(said_of_body(once, 3), "ended after 2 of 3"));
  left = 2;
  CHECK(has(said_of_body(once, 1), "more than its 1 bytes"));
  CHECK(has(said_of_body([](std::span<char> out) { return out.size() + 1; }, std::nullopt),
            "into room for"));
  int calls = 0;
  CHECK(has(said_of_body([&](std::span<char>) -> std::size_t { return calls++ == 1 ? 1 : 0; },
                         std::nullopt),
            "after its end"));
}

TEST_CASE("bodies: a failure is no end") {
  const Lint lint = linted([](Request&) {
    Response out(200);
    out.content_length = 10;
    out.body = std::make_unique<PieceSource>("abc", 0, BodyError::Kind::kIo);
    return out;
  });
  Request request("GET", "/");
  Response response = lint(request);
  CHECK_THROWS_AS(body_of(response), BodyError);
}

TEST_CASE("bodies: a file region is all of the rest, and then the body is done") {
  const auto answer = [](std::uint64_t length) {
    return [length](Request&) {
      Response out(200);
      out.content_length = 5;
      auto body = std::make_unique<Odd>();
      body->region = FileRegion{0, 0, length};
      out.body = std::move(body);
      return out;
    };
  };
  Request request("GET", "/");
  const Lint good = linted(answer(5));
  Response response = good(request);
  CHECK(response.body->file_region()->length == 5);
  response.body->sent();
  std::array<char, 4> room;
  CHECK_THROWS_AS(response.body->read(room), LintError);
  const Lint bad = linted(answer(4));
  response = bad(request);
  CHECK_THROWS_AS(response.body->file_region(), LintError);
  const Lint hasty = linted([](Request&) { return Response(200, "x"); });
  response = hasty(request);
  CHECK_THROWS_AS(response.body->sent(), LintError);
}

TEST_CASE("bodies: one thread at a time, with room") {
  const Lint lint = linted([](Request&) { return Response(200, "hello"); });
  Request request("GET", "/");
  Response response = lint(request);
  CHECK_THROWS_AS(response.body->read({}), LintError);
}

TEST_CASE("requests") {
  CHECK(has(said_of_request([](Request& r) { r.method = "P T"; }), "no token"));
  CHECK(has(said_of_request([](Request& r) { r.path = "v1"; }), "does not start"));
  CHECK(has(said_of_request([](Request& r) { r.headers.set("X-A", "a\r\nB: c"); }), "X-A"));
  CHECK(has(said_of_request([](Request& r) { r.internal.set("Etag", "1"); }), "no internal name"));
  CHECK(has(said_of_request([](Request& r) { r.content_length = 5; }), "without a body"));
  CHECK(has(said_of_request([](Request& r) { r.body = std::make_unique<StringSource>("a"); }),
            "announces"));
  CHECK(has(said_of_request([](Request& r) {
              r.body = std::make_unique<StringSource>("a");
              r.content_length = 1;
              r.chunked = true;
            }),
            "both"));
  CHECK(has(said_of_request([](Request& r) {
              r.body = std::make_unique<StringSource>("a");
              r.content_length = 2;
            }),
            "ended after 1 of 2"));
}

TEST_CASE("below a filter: internal names only where the client sent them") {
  for (const bool from_client : {true, false}) {
    const auto report = std::make_shared<LintReport>();
    const Lint lint(std::make_unique<FunctionApp>([&](Request& request) {
                      const Lint below(
                          std::make_unique<FunctionApp>([](Request&) { return Response(200); }),
                          "below", report, Lint::Mode::kRecord);
                      request.headers.set("X-Backend-A", "1");
                      try {
                        return below(request);
                      } catch (...) {
                        return Response(500);  // a filter that catches all hides nothing
                      }
                    }),
                    "above", report);
    Request request("GET", "/");
    if (from_client) request.headers.set("X-Backend-A", "1");
    if (from_client) {
      CHECK(lint(request).status == 200);
    } else {
      CHECK_THROWS_WITH_AS(lint(request), doctest::Contains("below"), LintError);
    }
  }
}

TEST_CASE("what an app throws passes, unless a promise was broken before") {
  const Lint fails = linted([](Request&) -> Response { throw std::runtime_error("disk"); });
  Request request("GET", "/");
  CHECK_THROWS_WITH_AS(fails(request), "disk", std::runtime_error);
  Request bad("GET", "no-slash");
  CHECK_THROWS_AS(fails(bad), LintError);
}
