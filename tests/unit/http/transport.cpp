#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include "framework/transport/http_transport.h"
#include "tests/unit/http/fake_host.h"

using namespace apus;
using namespace apus::test;
using std::chrono::milliseconds;

namespace {

// Accepts connections one by one and says the same bytes to each once a head has come.
class Scripted {
 public:
  explicit Scripted(std::string bytes) : bytes_(std::move(bytes)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(fd_, 16) == 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  Scripted(const Scripted&) = delete;
  Scripted& operator=(const Scripted&) = delete;
  ~Scripted() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  int port = 0;
  std::atomic<int> accepted = 0;

 private:
  void serve() {
    while (true) {
      const int peer = ::accept(fd_, nullptr, nullptr);
      if (peer < 0) return;
      ++accepted;
      std::string seen;
      char piece[4096];
      while (seen.find("\r\n\r\n") == std::string::npos) {
        const ssize_t count = ::recv(peer, piece, sizeof piece, 0);
        if (count <= 0) break;
        seen.append(piece, static_cast<std::size_t>(count));
      }
      ::send(peer, bytes_.data(), bytes_.size(), MSG_NOSIGNAL);
      ::close(peer);
    }
  }

  std::string bytes_;
  int fd_;
  std::thread thread_;
};

// Listens and never accepts or answers.
class Silent {
 public:
  Silent() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(fd_, 16) == 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  Silent(const Silent&) = delete;
  Silent& operator=(const Silent&) = delete;
  ~Silent() { ::close(fd_); }
  [[nodiscard]] int fd() const { return fd_; }
  int port = 0;

 private:
  int fd_;
};

// Speaks HTTP by hand, connection after connection: takes bodies, asked for or not, and says 201.
class Talker {
 public:
  Talker() : thread_([this] { serve(); }) {}
  Talker(const Talker&) = delete;
  Talker& operator=(const Talker&) = delete;
  ~Talker() {
    ::shutdown(listener_.fd(), SHUT_RDWR);
    const int peer = peer_;
    if (peer >= 0) ::shutdown(peer, SHUT_RDWR);
    thread_.join();
  }
  std::vector<std::string> heads() const {
    const std::lock_guard lock(mutex_);
    return heads_;
  }
  std::vector<std::string> bodies() const {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }

 private:
  Silent listener_;

 public:
  const int port = listener_.port;
  std::atomic<bool> hang_up = false;  // instead of the next answer, once

 private:
  void serve() {
    while ((peer_ = ::accept(listener_.fd(), nullptr, nullptr)) >= 0) {
      while (one_request()) {
      }
      ::close(peer_.exchange(-1));
    }
  }
  bool one_request() {
    std::string seen;
    if (!read_until(seen, [&] { return seen.find("\r\n\r\n") != std::string::npos; })) return false;
    const std::size_t head = seen.find("\r\n\r\n") + 4;
    if (hang_up.exchange(false)) return false;
    if (seen.find("Expect: 100-continue") != std::string::npos)
      say("HTTP/1.1 100 Continue\r\n\r\n");
    if (!read_until(seen, [&] { return seen.size() >= head + 5; })) return false;
    {
      const std::lock_guard lock(mutex_);
      heads_.push_back(seen.substr(0, head));
      bodies_.push_back(seen.substr(head));
    }
    say("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    return true;
  }
  bool read_until(std::string& seen, const std::function<bool()>& enough) const {
    char piece[4096];
    while (!enough()) {
      const ssize_t count = ::recv(peer_, piece, sizeof piece, 0);
      if (count <= 0) return false;
      seen.append(piece, static_cast<std::size_t>(count));
    }
    return true;
  }
  void say(std::string_view bytes) const {
    ::send(peer_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  mutable std::mutex mutex_;
  std::vector<std::string> heads_;
  std::vector<std::string> bodies_;
  std::atomic<int> peer_ = -1;
  std::thread thread_;
};

Call call_to(int port, std::string method, std::string path) {
  return Call{{"127.0.0.1", port}, Request(std::move(method), std::move(path))};
}

Call put_to(int port, std::string path, std::optional<std::uint64_t> length) {
  Call call = call_to(port, "PUT", std::move(path));
  call.request.content_length = length;
  return call;
}

ListenerConf trusted() {
  ListenerConf conf;
  conf.trusted = true;
  return conf;
}

// 507 for /full; else 201 with what came.
Response store(Request& request) {
  if (request.path == "/full") return Response(507);
  const std::string body = read_all(request.body.get(), 1U << 26U);
  Response response(201, std::to_string(body.size()));
  response.internal.set("X-Backend-Sum", std::to_string(std::hash<std::string>()(body)));
  return response;
}

std::string body_of(Outcome& outcome) {
  REQUIRE(outcome.response);
  return read_all(outcome.response->body.get(), 1U << 26U);
}

constexpr auto kAll = nullptr;

}  // namespace

TEST_CASE("a call crosses the wire with both kinds of fields and comes back so") {
  Served served(
      [](Request& request) {
        CHECK(request.path == "/sda1/1/a c/\xff?&");
        CHECK(request.query.get("k") == "v &");
        CHECK(request.internal.get("X-Backend-In") == "1");
        CHECK(request.headers.get("X-Out") == "2");
        CHECK(request.headers.get("Host").starts_with("127.0.0.1:"));
        Response response(200, "body");
        response.internal.set("X-Backend-Back", "3");
        return response;
      },
      trusted());
  HttpTransport transport;
  for (int i = 0; i < 3; ++i) {
    Call call = call_to(served.server->port(), "GET", "/sda1/1/a c/\xff?&");
    call.request.query.set("k", "v &");
    call.request.internal.set("X-Backend-In", "1");
    call.request.headers.set("X-Out", "2");
    call.request.headers.set("Host", "somebody.else");
    Outcome outcome = transport.call(std::move(call), {});
    REQUIRE(outcome.response);
    CHECK(outcome.response->status == 200);
    CHECK(outcome.response->internal.get("X-Backend-Back") == "3");
    CHECK(outcome.response->headers.get("Content-Type") == "text/plain");
    CHECK(outcome.response->content_length == 4);
    CHECK(body_of(outcome) == "body");
    CHECK(transport.idle_connections() == 1);
  }
  CHECK(served.server->connections() == 1);
}

TEST_CASE("a body that is not read to its end costs its connection") {
  Served served([](Request&) { return Response(200, std::string(100000, 'x')); });
  HttpTransport transport;
  {
    Outcome outcome = transport.call(call_to(served.server->port(), "GET", "/"), {});
    REQUIRE(outcome.response);
  }
  CHECK(transport.idle_connections() == 0);
}

TEST_CASE("bodies in chunks, until the close, and none") {
  HttpTransport transport;
  Scripted chunked("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  Outcome outcome = transport.call(call_to(chunked.port, "GET", "/"), {});
  CHECK_FALSE(outcome.response->content_length);
  CHECK(body_of(outcome) == "abc");
  Scripted closing("HTTP/1.0 200 OK\r\n\r\nuntil the end");
  outcome = transport.call(call_to(closing.port, "GET", "/"), {});
  CHECK(body_of(outcome) == "until the end");
  Scripted heads("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n");
  outcome = transport.call(call_to(heads.port, "HEAD", "/"), {});
  CHECK(outcome.response->content_length == 7);
  CHECK(outcome.response->body == nullptr);
}

TEST_CASE("answers that are not HTTP, cut or missing are told apart") {
  HttpTransport transport;
  const auto kind_of = [&](const std::string& bytes) {
    Scripted server(bytes);
    const Outcome outcome = transport.call(call_to(server.port, "GET", "/"), {});
    REQUIRE(outcome.error);
    return outcome.error->kind();
  };
  using Kind = TransportError::Kind;
  CHECK(kind_of("SSH-2.0-x\r\n\r\n") == Kind::kMalformed);
  CHECK(kind_of("HTTP/1.1 200 OK\nA: b\n\n") == Kind::kMalformed);
  CHECK(kind_of("HTTP/1.1 101 Switching\r\n\r\n") == Kind::kMalformed);
  CHECK(kind_of("HTTP/1.1 200 OK\r\nA: " + std::string(70000, 'a')) == Kind::kMalformed);
  CHECK(kind_of("HTTP/1.1 200 OK\r\nContent-L") == Kind::kReset);
  CHECK(kind_of("") == Kind::kReset);
}

TEST_CASE("a body that is cut or badly framed is a BodyError") {
  HttpTransport transport;
  for (const std::string body :
       {"Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n9\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    Scripted server("HTTP/1.1 200 OK\r\n" + body);
    Outcome outcome = transport.call(call_to(server.port, "GET", "/"), {});
    REQUIRE(outcome.response);
    CHECK_THROWS_AS(read_all(outcome.response->body.get(), 100), BodyError);
  }
  CHECK(transport.idle_connections() == 0);
}

TEST_CASE("no server and a silent one") {
  HttpTransport transport;
  int unused = 0;
  { unused = Silent().port; }
  Outcome outcome = transport.call(call_to(unused, "GET", "/"), {});
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind() == TransportError::Kind::kConnect);
  Silent silent;
  outcome = transport.call(call_to(silent.port, "GET", "/"), {.response = milliseconds(30)});
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind() == TransportError::Kind::kTimeout);
}

TEST_CASE("a pooled connection that the server closed is replaced once") {
  HttpTransport transport;
  // Keep-alive is promised and broken: the connection is stale by the next call.
  Scripted server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = transport.call(call_to(server.port, "GET", "/"), {});
    REQUIRE(outcome.response);
    CHECK(outcome.response->status == 200);
  }
  CHECK(server.accepted == 3);
}

TEST_CASE("line ends and NUL never leave in a head") {
  HttpTransport transport;
  Silent silent;
  for (const std::string& value : {std::string("a\r\nX-Evil: 1"), std::string("a\0b", 3)}) {
    Call call = call_to(silent.port, "GET", "/");
    call.request.headers.set("X-A", value);
    const Outcome outcome = transport.call(std::move(call), {});
    REQUIRE(outcome.error);
    CHECK(outcome.error->kind() == TransportError::Kind::kMalformed);
  }
  Call call = call_to(silent.port, "GET / HTTP/1.1\r\n\r\nGET", "/");
  CHECK(transport.call(std::move(call), {}).error);
}

TEST_CASE("a call with a body waits to be told to go on") {
  Served served(store, trusted());
  HttpTransport transport;
  for (const bool chunked : {false, true}) {
    Call call = put_to(served.server->port(), "/o", std::nullopt);
    if (!chunked) call.request.content_length = 200000;
    call.request.body = std::make_unique<StringSource>(std::string(200000, 'b'));
    Outcome outcome = transport.call(std::move(call), {});
    CHECK(body_of(outcome) == "200000");
    CHECK(outcome.response->status == 201);
  }
  CHECK(transport.idle_connections() == 1);
  Call refused = put_to(served.server->port(), "/full", 5);
  refused.request.body = std::make_unique<StringSource>("never");
  CHECK(transport.call(std::move(refused), {}).response->status == 507);
}

TEST_CASE("gather stops when it has enough") {
  Served served([](Request& request) { return Response(200, request.path); });
  Silent silent;
  HttpTransport transport;
  std::vector<Call> calls;
  calls.push_back(call_to(served.server->port(), "GET", "/a"));
  calls.push_back(call_to(silent.port, "GET", "/b"));
  calls.push_back(call_to(served.server->port(), "GET", "/c"));
  auto outcomes = transport.gather(
      std::move(calls), {},
      [](const auto& found) {
        return std::count_if(found.begin(), found.end(),
                             [](const auto& one) { return one && one->response; }) == 2;
      },
      milliseconds(10));
  REQUIRE(outcomes.size() == 3);
  CHECK(body_of(outcomes[0]) == "/a");
  REQUIRE(outcomes[1].error);
  CHECK(outcomes[1].error->kind() == TransportError::Kind::kLeft);
  CHECK(body_of(outcomes[2]) == "/c");
}

TEST_CASE("an upload reaches every copy that wants it") {
  Served one(store, trusted());
  Served two(store, trusted());
  HttpTransport transport;
  for (const bool chunked : {false, true}) {
    const auto length = chunked ? std::nullopt : std::optional<std::uint64_t>(1000000);
    auto upload = transport.upload({});
    std::vector<Call> calls;
    calls.push_back(put_to(one.server->port(), "/o", length));
    calls.push_back(put_to(one.server->port(), "/full", length));
    const auto first = upload->open(std::move(calls));
    REQUIRE(first.size() == 2);
    CHECK_FALSE(first[0]);
    REQUIRE(first[1]);
    CHECK(first[1]->response->status == 507);
    std::vector<Call> handoff;
    handoff.push_back(put_to(two.server->port(), "/o", length));
    CHECK_FALSE(upload->open(std::move(handoff))[0]);
    CHECK(upload->alive() == 2);
    const std::string piece(100000, 'u');
    for (int i = 0; i < 10; ++i) upload->write(piece);
    auto outcomes = upload->finish(kAll, milliseconds(0));
    REQUIRE(outcomes.size() == 2);
    for (auto& outcome : outcomes) CHECK(body_of(outcome) == "1000000");
    CHECK(outcomes[0].response->internal.get("X-Backend-Sum") ==
          outcomes[1].response->internal.get("X-Backend-Sum"));
  }
}

TEST_CASE("an upload of nothing and one that is abandoned") {
  std::atomic<int> broken = 0;
  Served served(
      [&](Request& request) {
        try {
          return store(request);
        } catch (const BodyError&) {
          ++broken;
          throw;
        }
      },
      trusted());
  HttpTransport transport;
  auto upload = transport.upload({});
  std::vector<Call> calls;
  calls.push_back(put_to(served.server->port(), "/o", 0));
  CHECK_FALSE(upload->open(std::move(calls))[0]);
  CHECK(upload->alive() == 1);
  auto outcomes = upload->finish(kAll, milliseconds(0));
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].response->status == 201);

  auto abandoned = transport.upload({});
  calls.clear();
  calls.push_back(put_to(served.server->port(), "/o", std::nullopt));
  CHECK_FALSE(abandoned->open(std::move(calls))[0]);
  abandoned->write(std::string("abc"));
  auto of_nothing = transport.upload({});
  calls.clear();
  calls.push_back(put_to(served.server->port(), "/o", 0));
  CHECK_FALSE(of_nothing->open(std::move(calls))[0]);
  abandoned.reset();
  of_nothing.reset();
  served.server->stop(std::chrono::seconds(5));
  CHECK(broken == 2);
}

TEST_CASE("a copy that ends short of its announced length fails") {
  Served served(store, trusted());
  HttpTransport transport;
  auto upload = transport.upload({});
  std::vector<Call> calls;
  calls.push_back(put_to(served.server->port(), "/o", 10));
  CHECK_FALSE(upload->open(std::move(calls))[0]);
  upload->write(std::string("abc"));
  const auto outcomes = upload->finish(kAll, milliseconds(0));
  REQUIRE(outcomes[0].error);
  CHECK(outcomes[0].error->kind() == TransportError::Kind::kReset);
}

TEST_CASE("a short body goes with its head to who is known to be awake, and others are asked") {
  Talker talker;
  HttpTransport transport;
  const auto put = [&](int port) {
    const auto upload = transport.upload({milliseconds(500), milliseconds(300)});
    std::vector<Call> calls;
    calls.push_back(call_to(port, "PUT", "/o"));
    upload->send_whole(std::move(calls), "hello");
    auto outcomes = upload->finish(kAll, milliseconds(0));
    return std::move(outcomes.at(0));
  };
  for (int i = 0; i < 3; ++i) {
    REQUIRE(put(talker.port).response);
    if (i == 1) talker.hang_up = true;  // as a server does that was idle for long
  }
  const auto heads = talker.heads();
  REQUIRE(heads.size() == 3);
  CHECK(heads[0].find("Expect: 100-continue") != std::string::npos);
  CHECK(heads[1].find("Expect") == std::string::npos);
  CHECK(heads[2].find("Expect: 100-continue") != std::string::npos);
  for (const auto& head : heads) CHECK(head.find("Content-Length: 5\r\n") != std::string::npos);
  CHECK(talker.bodies() == std::vector<std::string>(heads.size(), "hello"));

  const Silent silent;
  const Outcome outcome = put(silent.port);
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind() == TransportError::Kind::kTimeout);
}

TEST_CASE("short bodies: each outcome comes in order, and who is slow is left behind") {
  std::latch gate(1);
  Served fast(store, trusted());
  Served slow(
      [&](Request& request) {
        Response out = store(request);
        if (request.path == "/wait") gate.wait();
        return out;
      },
      trusted());
  HttpTransport transport;
  const auto put = [&](const char* path) {
    const auto upload = transport.upload({milliseconds(500), milliseconds(5000)});
    std::vector<Call> calls;
    calls.push_back(call_to(slow.server->port(), "PUT", path));
    calls.push_back(call_to(fast.server->port(), "PUT", "/full"));
    calls.push_back(call_to(fast.server->port(), "PUT", "/o"));
    upload->send_whole(std::move(calls), std::string_view("hello"));
    return upload->finish([](const auto& so_far) { return so_far[1] && so_far[2]; },
                          milliseconds(20));
  };
  auto outcomes = put("/o");
  REQUIRE(outcomes.size() == 3);
  CHECK(outcomes[1].response->status == 507);
  CHECK(body_of(outcomes[2]) == "5");
  outcomes = put("/wait");
  gate.count_down();
  REQUIRE(outcomes[0].error);
  CHECK(outcomes[0].error->kind() == TransportError::Kind::kLeft);
  CHECK(body_of(outcomes[2]) == "5");
}
