// Many connections, slow ones, too many, and the end of all of them.
#include <doctest/doctest.h>
#include <netinet/tcp.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "tests/unit/http/fake_host.h"

using namespace apus;
using namespace apus::test;
using std::chrono::milliseconds;

namespace {

Response ignore_body(Request&) { return Response(409, "no"); }
constexpr std::string_view kGet = "GET / HTTP/1.1\r\n\r\n";

// Waits for what other threads are about to do; the test fails by its check, not by this.
template <typename Condition>
void eventually(Condition condition) {
  for (int i = 0; i < 2500 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(2));
}

// Holds requests until it is opened.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++inside;
    changed_.wait(lock, [&] { return open_; });
  }
  std::atomic<int> inside = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

}  // namespace

TEST_CASE("trap: idle connections hold no threads") {
  Served served(hello, {.threads = 8});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 400; ++i) {
    clients.push_back(std::make_unique<RawClient>(served.server->port()));
    if (i % 2 == 0) clients.back()->ask(kGet);
  }
  eventually(
      [&] { return served.server->busy_threads() == 0 && served.server->connections() == 400; });
  CHECK(served.server->connections() == 400);
  CHECK(served.server->busy_threads() == 0);
  for (auto& client : clients) CHECK(status_of(client->ask(kGet)) == 200);
}

TEST_CASE("trap: a slow head ends at its total deadline and holds no thread") {
  Served served(hello, {.threads = 2, .header_timeout = milliseconds(400)});
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 10; ++i) {
    slow.push_back(std::make_unique<RawClient>(served.server->port()));
    slow.back()->send("GET / HT");
  }
  RawClient quick(served.server->port());
  CHECK(status_of(quick.ask(kGet)) == 200);
  for (int i = 0; i < 80; ++i) {  // each byte comes in time, the head as a whole does not
    slow[0]->send("x");
    std::this_thread::sleep_for(milliseconds(10));
  }
  for (auto& client : slow) {
    client->all();
    CHECK(client->closed);
  }
}

TEST_CASE("a silent new connection and an idle one are closed in time") {
  Served served(hello,
                {.keepalive_timeout = milliseconds(400), .header_timeout = milliseconds(400)});
  RawClient silent(served.server->port());
  RawClient idle(served.server->port());
  CHECK(status_of(idle.ask(kGet)) == 200);
  CHECK(silent.all().empty());
  CHECK(silent.closed);
  CHECK(idle.all().empty());
  CHECK(idle.closed);
}

TEST_CASE("trap: one connection too many is answered 503 at once") {
  Served served(hello, {.max_clients = 2});
  RawClient one(served.server->port());
  RawClient two(served.server->port());
  CHECK(status_of(one.ask(kGet)) == 200);
  CHECK(status_of(two.ask(kGet)) == 200);
  {
    RawClient three(served.server->port());
    CHECK(status_of(three.all()) == 503);
    CHECK(three.closed);
  }
  CHECK(status_of(two.ask(kGet)) == 200);
}

TEST_CASE("more requests than threads wait for their turn") {
  Served served(hello, {.threads = 2});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<RawClient>(served.server->port()));
    clients.back()->send(kGet);
  }
  for (auto& client : clients) CHECK(status_of(client->answer()) == 200);
}

TEST_CASE("a draining server answers the next request of every connection, its last") {
  Served served(hello);
  const int port = served.server->port();
  RawClient fresh(port);
  RawClient idle(port);
  RawClient begun(port);
  RawClient eager(port);
  CHECK(status_of(idle.ask(kGet)) == 200);
  begun.send("GET / HT");
  served.server->drain();
  CHECK_THROWS(RawClient(port));
  eager.send(std::string(kGet) + std::string(kGet));
  for (RawClient* client : {&fresh, &idle}) client->send(kGet);
  begun.send("TP/1.1\r\n\r\n");
  for (RawClient* client : {&fresh, &idle, &begun, &eager}) {
    const std::string answer = client->all();
    CHECK(status_of(answer) == 200);
    CHECK(answer.find("Connection: close") != std::string::npos);
    CHECK(answer.ends_with("\r\n\r\nhello"));
    CHECK(client->closed);
    CHECK_FALSE(client->reset);
  }
  eventually([&] { return served.server->connections() == 0; });
  CHECK(served.server->connections() == 0);
}

TEST_CASE("silent peers are probed by TCP after keep_idle") {
  Served served(hello, {.keep_idle = std::chrono::seconds(77)});
  int on = 0;
  int seconds = 0;
  socklen_t size = sizeof on;
  REQUIRE(::getsockopt(served.server->fd(), SOL_SOCKET, SO_KEEPALIVE, &on, &size) == 0);
  REQUIRE(::getsockopt(served.server->fd(), IPPROTO_TCP, TCP_KEEPIDLE, &seconds, &size) == 0);
  CHECK(on == 1);
  CHECK(seconds == 77);
}

TEST_CASE("who waits in the listening socket is served when it is let go of") {
  FakeHost host;
  ListenerConf conf{.bind_ip = "127.0.0.1"};
  HttpServer server(conf, std::make_shared<LambdaApp>(hello), host);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 100; ++i) {  // connected by the kernel; nobody accepts yet
    clients.push_back(std::make_unique<RawClient>(server.port()));
    clients.back()->send(kGet);
  }
  const int port = server.port();
  server.drain();
  CHECK_THROWS(RawClient(port));
  server.start();
  for (auto& client : clients) CHECK(status_of(client->all()) == 200);
}

TEST_CASE("a draining server closes an idle connection when its time is over, holding no thread") {
  Served served(hello, {.threads = 8, .keepalive_timeout = milliseconds(3000)});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<RawClient>(served.server->port()));
    clients.back()->ask(kGet);
  }
  served.server->drain();
  CHECK(served.server->connections() == 100);
  eventually([&] { return served.server->busy_threads() == 0; });
  for (auto& client : clients) {
    CHECK(client->all().empty());
    CHECK(client->closed);
    CHECK_FALSE(client->reset);
    client->send(kGet);  // crosses the close: an orderly end, no reset
    CHECK(client->all().empty());
  }
}

TEST_CASE("trap: a client that was refused and goes on sending holds no thread") {
  Served served(ignore_body, {.threads = 2});
  std::vector<std::unique_ptr<RawClient>> stubborn;
  for (int i = 0; i < 20; ++i) {
    stubborn.push_back(std::make_unique<RawClient>(served.server->port()));
    stubborn.back()->send("PUT / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nxx");
    CHECK(status_of(stubborn.back()->answer()) == 409);
  }
  CHECK(served.server->connections() > 2);  // they have five seconds to go on or to close
  RawClient quick(served.server->port());
  CHECK(status_of(quick.ask(kGet)) == 409);
  for (auto& client : stubborn) {
    client->all();
    CHECK(client->closed);
  }
}

TEST_CASE("trap: a refused client that reads no answer before it has sent all, as browsers do") {
  Served served(ignore_body);
  RawClient client(served.server->port());
  client.send("PUT / HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n");
  const std::string piece(100'000, 'x');
  for (int i = 0; i < 30; ++i) {
    client.send(piece);
    std::this_thread::sleep_for(milliseconds(30));
  }
  CHECK(status_of(client.answer()) == 409);
  CHECK(!client.reset);
}

TEST_CASE("a graceful stop finishes what is under way and closes what is idle") {
  Gate gate;
  Served served([&](Request& request) {
    if (request.path == "/slow") gate.pass();
    return Response(200, "done");
  });
  RawClient idle(served.server->port());
  CHECK(status_of(idle.ask(kGet)) == 200);
  RawClient busy(served.server->port());
  busy.send("GET /slow HTTP/1.1\r\n\r\n");
  eventually([&] { return gate.inside == 1; });
  std::thread stopping([&] { served.server->stop(std::chrono::seconds(10)); });
  CHECK(idle.all().empty());
  CHECK(idle.closed);
  gate.open();
  const std::string answer = busy.all();
  CHECK(status_of(answer) == 200);
  CHECK(answer.find("Connection: close") != std::string::npos);
  CHECK(answer.ends_with("done"));
  stopping.join();
  CHECK(served.server->connections() == 0);
  CHECK_THROWS(RawClient(served.server->port()));
}

TEST_CASE("a stop without grace cuts a client that is still sending") {
  Served served([](Request& request) { return Response(200, read_all(request.body.get(), 100)); });
  RawClient client(served.server->port());
  client.send("PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc");
  eventually([&] { return served.server->busy_threads() == 1; });
  served.server->stop(std::chrono::seconds(0));
  CHECK(served.server->connections() == 0);
}

TEST_CASE("a listening socket can be handed to a successor") {
  Served first(hello);
  const int port = first.server->port();
  const int fd = ::dup(first.server->fd());
  Served second([](Request&) { return Response(200, "second"); }, {.inherited_fd = fd});
  first.server->stop(std::chrono::seconds(1));
  CHECK(second.server->port() == port);
  RawClient client(port);
  CHECK(client.ask(kGet).ends_with("second"));
}
