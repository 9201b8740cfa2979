#include "framework/http/server.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/unit/http/fake_host.h"

using namespace apus;
using namespace apus::test;
using std::chrono::milliseconds;

namespace {

class Failing final : public Source {
 public:
  explicit Failing(int good) : good_(good) {}
  std::size_t read(std::span<char> out) override {
    if (good_-- <= 0) throw std::runtime_error("the body broke");
    out[0] = 'x';
    return 1;
  }

 private:
  int good_;
};

class File final : public Source {
 public:
  File(std::uint64_t size, std::atomic<int>& told) : size_(size), told_(told) {
    fd_ = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
    const std::string bytes(size, 'f');
    REQUIRE(::write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(size));
  }
  ~File() override { ::close(fd_); }
  std::size_t read(std::span<char>) override { throw std::logic_error("region expected"); }
  std::optional<FileRegion> file_region() override { return FileRegion{fd_, 0, size_}; }
  void sent() override { ++told_; }

 private:
  int fd_;
  std::uint64_t size_;
  std::atomic<int>& told_;
};

Response echo(Request& request) { return Response(200, read_all(request.body.get(), 1U << 24U)); }

Response ignoring(Request&) { return Response(409, "no"); }

}  // namespace

TEST_CASE("requests on one connection, pipelined and one by one") {
  Served served([](Request& request) {
    CHECK(request.context.remote_address == "127.0.0.1");
    CHECK(request.context.scheme == "http");
    return Response(200, request.method + request.path);
  });
  RawClient client(served.server->port());
  const std::string answer = client.ask("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(answer.starts_with(
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nDate: "));
  CHECK(answer.ends_with("\r\n\r\nGET/a"));
  client.send("GET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n");
  CHECK(client.answer().ends_with("GET/b"));
  CHECK(client.answer().ends_with("GET/c"));
}

TEST_CASE("a request after a chunked one on the same connection has no body of its own") {
  Served served([](Request& request) {
    return Response(200, request.chunked ? read_all(request.body.get(), 100) : "none");
  });
  RawClient client(served.server->port());
  client.send(
      "PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
      "GET /b HTTP/1.1\r\n\r\n");
  CHECK(client.answer().ends_with("abc"));
  CHECK(client.answer().ends_with("none"));
}

TEST_CASE("HTTP/1.0 closes unless it asks to keep") {
  Served served(hello);
  RawClient once(served.server->port());
  once.send("GET / HTTP/1.0\r\n\r\n");
  CHECK(once.all().find("Connection: close") != std::string::npos);
  CHECK(once.closed);
  RawClient kept(served.server->port());
  const std::string ask = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  CHECK(kept.ask(ask).find("Connection: keep-alive") != std::string::npos);
  CHECK(status_of(kept.ask(ask)) == 200);
}

TEST_CASE("protocol errors carry a transaction id and close") {
  Served served(hello);
  for (const std::string bytes : {"GET / HTTP/2.0\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\nx"}) {
    RawClient client(served.server->port());
    client.send(bytes);
    const std::string answer = client.all();
    CHECK(status_of(answer) == (bytes.find("2.0") != std::string::npos ? 505 : 400));
    CHECK(answer.find("X-Trans-Id: tx") != std::string::npos);
    CHECK(answer.find("X-Openstack-Request-Id: tx") != std::string::npos);
    CHECK(answer.find("Connection: close") != std::string::npos);
    CHECK(client.closed);
  }
}

TEST_CASE("bodies by length and in chunks reach the application") {
  Served served(echo);
  RawClient client(served.server->port());
  CHECK(client.ask("PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc").ends_with("\r\n\r\nabc"));
  CHECK(client.ask("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n")
            .ends_with("\r\n\r\nxyz"));
  const std::string big(300000, 'b');
  CHECK(client.ask("PUT / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" + big).ends_with(big));
  CHECK(client
            .ask("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n" + big +
                 "\r\n0\r\n\r\n")
            .ends_with(big));
}

TEST_CASE("trap: an unread body does not leak into the next request") {
  Served served(ignoring);
  RawClient client(served.server->port());
  const std::string inner = "GET /smuggled HTTP/1.1\r\n\r\n";
  for (int i = 0; i < 2; ++i) {
    CHECK(status_of(client.ask("PUT / HTTP/1.1\r\nContent-Length: 26\r\n\r\n" + inner)) == 409);
  }
  CHECK(status_of(client.ask("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1a\r\n" + inner +
                             "\r\n0\r\n\r\n")) == 409);
  CHECK(status_of(client.ask("GET / HTTP/1.1\r\n\r\n")) == 409);
}

TEST_CASE("trap: a large unread body closes the connection, the answer arrives") {
  Served served(ignoring);
  RawClient client(served.server->port());
  client.send("PUT / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + std::string(400000, 'x'));
  const std::string answer = client.all();
  CHECK(status_of(answer) == 409);
  CHECK(answer.find("Connection: close") != std::string::npos);
  CHECK(answer.ends_with("no"));
}

TEST_CASE("trap: an exception in the application is answered 500 and logged") {
  Served served([](Request&) -> Response { throw std::runtime_error("broken invariant"); });
  RawClient client(served.server->port());
  CHECK(status_of(client.ask("GET / HTTP/1.1\r\n\r\n")) == 500);
  CHECK(status_of(client.ask("GET / HTTP/1.1\r\n\r\n")) == 500);
  CHECK(served.host.log.text().find("broken invariant") != std::string::npos);
}

TEST_CASE("a body that breaks before its first byte is a 500, later an aborted connection") {
  std::atomic<int> good = 0;
  Served served([&](Request&) {
    Response response(200);
    response.content_length.reset();
    response.body = std::make_unique<Failing>(good);
    return response;
  });
  RawClient early(served.server->port());
  CHECK(status_of(early.ask("GET / HTTP/1.1\r\n\r\n")) == 500);
  good = 1;
  RawClient late(served.server->port());
  late.send("GET / HTTP/1.1\r\n\r\n");
  const std::string answer = late.all();
  CHECK(late.reset);
  CHECK(answer.find("0\r\n\r\n") == std::string::npos);
}

TEST_CASE("a body that is not as long as announced aborts the connection") {
  for (const std::uint64_t announced : {4U, 6U, 100000U}) {
    Served served([&](Request&) {
      Response response(200, "hello");
      response.content_length = announced;
      return response;
    });
    RawClient client(served.server->port());
    client.send("GET / HTTP/1.1\r\n\r\n");
    const std::string answer = client.all();
    CHECK(client.reset);
    CHECK(answer.find("hello!") == std::string::npos);
  }
}

TEST_CASE("trap: 100 Continue goes out with the first read of the body, not before") {
  Served served(
      [](Request& request) { return request.path == "/no" ? Response(412, "no") : echo(request); });
  const std::string head = " HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  RawClient taken(served.server->port());
  taken.send("PUT /yes" + head);
  CHECK(taken.until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(taken.ask("abc").ends_with("\r\n\r\nabc"));
  RawClient refused(served.server->port());
  refused.send("PUT /no" + head);
  const std::string answer = refused.all();
  CHECK(status_of(answer) == 412);
  CHECK(answer.find("Connection: close") != std::string::npos);
}

TEST_CASE("a client that stalls or leaves within its body is a 408 or no answer") {
  std::atomic<int> kind = -1;
  Served served(
      [&](Request& request) {
        try {
          return echo(request);
        } catch (const BodyError& error) {
          kind = static_cast<int>(error.kind());
          throw;
        }
      },
      {.client_timeout = milliseconds(300)});
  RawClient silent(served.server->port());
  silent.send("PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab");
  CHECK(status_of(silent.all()) == 408);
  CHECK(kind == static_cast<int>(BodyError::Kind::kTimeout));
  RawClient gone(served.server->port());
  gone.send("PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab");
  gone.end();
  CHECK(status_of(gone.all()) == 499);
  RawClient broken(served.server->port());
  broken.send("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  CHECK(status_of(broken.all()) == 400);
}

TEST_CASE("responses without a body") {
  Served served([](Request& request) {
    Response response(request.path == "/none" ? 204 : 200);
    if (request.path != "/none") response = Response(200, "hello");
    return response;
  });
  RawClient client(served.server->port());
  client.send("HEAD / HTTP/1.1\r\n\r\nGET /none HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");
  CHECK(client.until("\r\n\r\n").find("Content-Length: 5") != std::string::npos);
  CHECK(client.until("\r\n\r\n").starts_with("HTTP/1.1 204 No Content"));
  CHECK(client.answer().ends_with("hello"));
}

TEST_CASE("a body of unknown length is chunked, for HTTP/1.0 delimited by the close") {
  Served served([](Request&) {
    Response response(200, "hello");
    response.content_length.reset();
    return response;
  });
  RawClient modern(served.server->port());
  modern.send("GET / HTTP/1.1\r\n\r\n");
  CHECK(modern.until("\r\n\r\n").find("Transfer-Encoding: chunked") != std::string::npos);
  CHECK(modern.exactly(15) == "5\r\nhello\r\n0\r\n\r\n");
  RawClient old(served.server->port());
  old.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(old.all().ends_with("\r\n\r\nhello"));
}

TEST_CASE("trap: the socket is there for sendfile") {
  std::atomic<int> told = 0;
  std::atomic<std::uint64_t> size = 100;
  Served served([&](Request&) {
    Response response(200);
    response.content_length = size;
    response.body = std::make_unique<File>(size, told);
    return response;
  });
  RawClient client(served.server->port());
  for (const std::uint64_t each : {100U, 32769U, 3000000U}) {
    size = each;
    const std::string answer = client.ask("GET / HTTP/1.1\r\n\r\n");
    CHECK(answer.size() > each);
    CHECK(answer.ends_with(std::string(each, 'f')));
  }
  CHECK(status_of(client.ask("GET / HTTP/1.1\r\n\r\n")) == 200);
  // The client may have the last byte before the server has told.
  for (int i = 0; i < 2500 && told < 4; ++i) std::this_thread::sleep_for(milliseconds(2));
  CHECK(told == 4);
}

TEST_CASE("a line end in a header value does not become one on the wire") {
  Served served([](Request&) {
    Response response(200);
    response.headers.set("X-A", "b\r\nX-Evil: 1");
    response.internal.set("X-Backend-Secret", "1");
    return response;
  });
  RawClient client(served.server->port());
  const std::string answer = client.ask("GET / HTTP/1.1\r\n\r\n");
  CHECK(answer.find("X-A: b  X-Evil: 1\r\n") != std::string::npos);
  CHECK(answer.find("X-Backend-Secret") == std::string::npos);
}

TEST_CASE("a trusted listener sends internal fields") {
  Served served(
      [](Request& request) {
        Response response(200);
        response.internal.set("X-Backend-Echo", std::string(request.internal.get("X-Backend-Ask")));
        return response;
      },
      {.trusted = true});
  RawClient client(served.server->port());
  CHECK(client.ask("GET / HTTP/1.1\r\nX-Backend-Ask: 7\r\n\r\n").find("X-Backend-Echo: 7\r\n") !=
        std::string::npos);
}

TEST_CASE("an unusable address is told with its name") {
  FakeHost host;
  ListenerConf conf{.bind_ip = "192.0.2.1"};
  CHECK_THROWS_WITH_AS(HttpServer(conf, std::make_shared<LambdaApp>(hello), host),
                       doctest::Contains("cannot listen on 192.0.2.1:0"), std::runtime_error);
}

TEST_CASE("a port that another server has is not shared with it") {
  const Served first(hello);
  FakeHost host;
  const ListenerConf conf{.bind_ip = "127.0.0.1", .bind_port = first.server->port()};
  CHECK_THROWS_WITH_AS(HttpServer(conf, std::make_shared<LambdaApp>(hello), host),
                       doctest::Contains("cannot listen on 127.0.0.1:"), std::runtime_error);
}
