#include <apus/memcached.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <apus/testing/temp_tree.h>
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ctime>
#include <stdexcept>
#include <thread>

using namespace apus;
using namespace apus::testing;

extern char** environ;

namespace {

// A listening socket on a port of its own; bound alone it refuses, listening it answers nothing.
class Port {
 public:
  explicit Port(bool listening) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    if (listening) REQUIRE(::listen(fd_, 8) == 0);
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    number_ = ntohs(address.sin_port);
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port() { release(); }
  void release() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] std::string name() const { return "127.0.0.1:" + std::to_string(number_); }

 private:
  int fd_;
  int number_ = 0;
};

// What a server answers to raw protocol lines; empty when there is no connection.
std::string talk(int port, const std::string& text) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  std::string out;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    [[maybe_unused]] const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    std::array<char, 4096> piece;
    const ssize_t size = ::recv(fd, piece.data(), piece.size(), 0);
    if (size > 0) out.assign(piece.data(), static_cast<std::size_t>(size));
  }
  ::close(fd);
  return out;
}

// A real memcached, ended with the test.
class Memcached {
 public:
  Memcached() {
    Port port(false);
    port_ = port.number();
    port.release();
    std::string number = std::to_string(port_);
    std::array<std::string, 9> words = {"memcached", "-u",   "root", "-l", "127.0.0.1",
                                        "-p",        number, "-m",   "8"};
    std::array<char*, 10> argv{};
    for (std::size_t i = 0; i < words.size(); ++i) argv.at(i) = words.at(i).data();
    REQUIRE(::posix_spawnp(&pid_, "memcached", nullptr, nullptr, argv.data(), environ) == 0);
    bool up = false;
    for (int i = 0; i < 2000 && !up; ++i) {
      up = talk(port_, "version\r\n").starts_with("VERSION");
      if (!up) ::usleep(5000);
    }
    REQUIRE(up);
  }
  Memcached(const Memcached&) = delete;
  Memcached& operator=(const Memcached&) = delete;
  ~Memcached() { stop(); }
  void stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  [[nodiscard]] std::string name() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int port() const { return port_; }

 private:
  pid_t pid_ = 0;
  int port_ = 0;
};

// A cache over the given servers, with what it logs.
struct Shared {
  explicit Shared(std::vector<std::string> servers, void (*change)(MemcachedConf&) = nullptr) {
    MemcachedConf conf;
    conf.servers = std::move(servers);
    conf.io_timeout = std::chrono::milliseconds(500);
    if (change != nullptr) change(conf);
    cache = make_memcached_cache(conf, host.clock(),
                                 host.logger(make_options("memcache", nullptr, 0, {})));
  }
  TestHost host;
  std::unique_ptr<Cache> cache;
};

using Seconds = std::chrono::seconds;
// MD5 of "key".
constexpr const char* kHashedKey = "3c6e0b8a9c15224a8228b9a98ca1531d";

}  // namespace

TEST_CASE("memcached: values, counters and removal on a real server") {
  const Memcached server;
  Shared shared({server.name()});
  Cache& cache = *shared.cache;
  CHECK_FALSE(cache.get("key"));
  cache.set("key", R"({"a": 1})", Seconds(60));
  CHECK(cache.get("key") == R"({"a": 1})");
  cache.set("key", R"("x")", Seconds(0));
  CHECK(cache.get("key") == R"("x")");
  cache.remove("key");
  CHECK_FALSE(cache.get("key"));
  cache.remove("key");

  CHECK(cache.increment("n", 5, Seconds(60)) == 5);
  CHECK(cache.increment("n", 7, Seconds(60)) == 12);
  CHECK(cache.increment("n", -4, Seconds(60)) == 8);
  CHECK(cache.get("n") == "8");  // memcached keeps it as "8 "
  CHECK(cache.increment("n", -100, Seconds(60)) == 0);
  CHECK(cache.increment("m", -3, Seconds(60)) == 0);
  CHECK(shared.host.log.lines().empty());
}

TEST_CASE("memcached: keys, flags and life times are Swift's") {
  const Memcached server;
  Shared shared({server.name()});
  shared.cache->set("key", "[1]", Seconds(60));
  const std::string hashed(kHashedKey);
  CHECK(talk(server.port(), "get " + hashed + "\r\n") ==
        "VALUE " + hashed + " 2 3\r\n[1]\r\nEND\r\n");
  // Beyond 30 days memcached wants a moment; the test's clock stands in 2023, which is long past.
  shared.cache->set("key", "[2]", Seconds(31 * 86400));
  CHECK_FALSE(shared.cache->get("key"));
  shared.host.time.set(static_cast<double>(std::time(nullptr)));
  shared.cache->set("key", "[2]", Seconds(31 * 86400));
  CHECK(shared.cache->get("key") == "[2]");
}

TEST_CASE("memcached: what others left there is taken for nothing unless it is theirs to read") {
  const Memcached server;
  Shared shared({server.name()});
  const auto put = [&](const std::string& flags, const std::string& value) {
    CHECK(talk(server.port(), std::string("set ") + kHashedKey + " " + flags + " 0 " +
                                  std::to_string(value.size()) + "\r\n" + value + "\r\n") ==
          "STORED\r\n");
    return shared.cache->get("key");
  };
  CHECK_FALSE(put("1", "\x80\x04."));  // a pickle is never looked at
  CHECK_FALSE(put("3", "[]"));
  CHECK_FALSE(put("0", "garbage\xff"));
  CHECK_FALSE(put("0", ""));
  CHECK(put("0", "42") == "42");
  CHECK(put("2", "{broken") == "{broken");  // readers of JSON judge JSON
  CHECK(put("2", "").has_value());
  // No counter: the server refuses, nobody is hurt, and the server is not blamed.
  put("2", "[]");
  CHECK_FALSE(shared.cache->increment("key", 1, Seconds(60)));
  CHECK(shared.cache->get("key") == "[]");
}

TEST_CASE("memcached: a value that is too large is told and not kept") {
  const Memcached server;
  Shared shared({server.name()},
                [](MemcachedConf& conf) { conf.item_size_warning_threshold = 10; });
  shared.cache->set("key", std::string(3 << 20, '1'), Seconds(60));
  CHECK_FALSE(shared.cache->get("key"));
  CHECK(shared.host.log.has("Error setting value in memcached: " + server.name()));
  CHECK(shared.host.log.has("Item size larger than warning threshold"));
}

TEST_CASE("memcached: a server that is gone is passed over, then left alone for a while") {
  Memcached first;
  const Memcached second;
  Shared shared({first.name(), second.name()},
                [](MemcachedConf& conf) { conf.error_suppression_limit = 2; });
  first.stop();
  for (int i = 0; i < 40; ++i) {
    const std::string key = "k" + std::to_string(i);
    shared.cache->set(key, "[1]", Seconds(60));
    CHECK(shared.cache->get(key) == "[1]");
  }
  CHECK(shared.host.log.has("Error limiting server " + first.name()));
  std::size_t errors = 0;
  for (const auto& line : shared.host.log.lines()) {
    if (line.text.starts_with("Error talking to memcached: " + first.name())) ++errors;
  }
  CHECK(errors == 3);
}

TEST_CASE("memcached: nobody there, nobody answering, nonsense: empty, in time") {
  Port refusing(false);
  Shared none({refusing.name()}, [](MemcachedConf& conf) { conf.error_suppression_limit = 1; });
  none.cache->set("key", "[1]", Seconds(60));
  CHECK_FALSE(none.cache->get("key"));
  CHECK_FALSE(none.cache->increment("key", 1, Seconds(60)));
  CHECK(none.host.log.has("All memcached servers error-limited"));

  const Port silent(true);
  Shared slow({silent.name()},
              [](MemcachedConf& conf) { conf.io_timeout = std::chrono::milliseconds(50); });
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(slow.cache->get("key"));
  CHECK(std::chrono::steady_clock::now() - start < Seconds(20));
  CHECK(slow.host.log.has(silent.name()));

  for (const std::string answer :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "VALUE\r\n", "VALUE key 2 99999999999\r\n",
        "VALUE key 2 -5\r\nx\r\n", "\r\n\r\n", "END", "VALUE k 2 3\r\nab"}) {
    CAPTURE(answer);
    const Port liar(true);
    std::jthread speaker([&] {
      const int fd = ::accept(liar.fd(), nullptr, nullptr);
      std::array<char, 256> asked;
      [[maybe_unused]] const auto got = ::recv(fd, asked.data(), asked.size(), 0);
      [[maybe_unused]] const auto sent = ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::close(fd);
    });
    Shared shared({liar.name()},
                  [](MemcachedConf& conf) { conf.io_timeout = std::chrono::milliseconds(200); });
    CHECK_FALSE(shared.cache->get("key"));
  }
}

TEST_CASE("memcached: many threads share few connections") {
  const Memcached server;
  Shared shared({server.name()});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 50; ++j) shared.cache->increment("sum", 1, Seconds(60));
      });
    }
  }
  CHECK(shared.cache->get("sum") == "400");
}

TEST_CASE("memcached: a server's name must be one") {
  for (const char* bad : {":11211", "host:port", "host:0", "host:65536", "[::1"}) {
    CAPTURE(bad);
    MemcachedConf conf;
    conf.servers = {bad};
    TestHost host;
    CHECK_THROWS_AS(make_memcached_cache(conf, host.clock(),
                                         host.logger(make_options("memcache", nullptr, 0, {}))),
                    std::runtime_error);
  }
}

TEST_CASE("memcache: the filter's servers, those of memcache.conf, or its own memory") {
  const Memcached server;
  const auto ask = [](TestHost& host, const OptionTexts& options) {
    FakeApp app;
    app.otherwise([](Request& request) {
      REQUIRE(request.context.cache != nullptr);
      const auto kept = request.context.cache->get("key");
      request.context.cache->set("key", R"("kept")", Seconds(60));
      return Response(200, kept.value_or("nothing"));
    });
    const auto filter = load_filter("memcache", options, host, app);
    Request request = make_request("GET", "/v1/a");
    Response response = (*filter)(request);
    return body_of(response);
  };
  TempTree tree;
  TestHost host;
  host.conf.directory = tree.path().string();
  CHECK(ask(host, {{"memcache_servers", "local"}}) == "nothing");
  CHECK(ask(host, {{"memcache_servers", "local"}}) == "nothing");  // each filter its own
  CHECK(ask(host, {{"memcache_servers", server.name()}}) == "nothing");
  CHECK(ask(host, {{"memcache_servers", server.name()}}) == R"("kept")");
  tree.write("memcache.conf", "[memcache]\nmemcache_servers = " + server.name() + "\ntries = 2\n");
  CHECK(ask(host, {}) == R"("kept")");
  CHECK(ask(host, {{"tries", "1"}, {"memcache_max_connections", "junk"}}) == R"("kept")");
  tree.write("memcache.conf", "[memcache]\nio_timeout = soon\n");
  CHECK_THROWS_AS(ask(host, {}), std::runtime_error);
  tree.write("memcache.conf", "not an ini file\n");
  CHECK_THROWS_AS(ask(host, {}), std::runtime_error);
  CHECK_THROWS_AS(ask(host, {{"memcache_servers", "x:y"}}), std::runtime_error);
}

TEST_CASE("memcache: without servers it is Swift's own one, not this process") {
  TestHost host;
  bool kept = false;
  FakeApp app;
  app.otherwise([&](Request& request) {
    request.context.cache->set("apus-unit-test", "[1]", Seconds(1));
    kept = request.context.cache->get("apus-unit-test").has_value();
    return Response(200);
  });
  const auto filter = load_filter("memcache", {}, host, app);
  Request request = make_request("GET", "/v1/a");
  (*filter)(request);
  // Kept by a memcached that runs here, or else by nobody.
  CHECK(kept != host.log.has("127.0.0.1:11211"));
}

TEST_CASE("memcache: TLS is refused, not ignored") {
  TestHost host;
  const FakeApp app;
  CHECK_THROWS_AS(
      load_filter("memcache", {{"memcache_servers", "localhost"}, {"tls_enabled", "yes"}}, host,
                  app),
      std::runtime_error);
}

TEST_CASE("memcached: many keys are told in their order") {
  const Memcached server;
  Shared shared({server.name()});
  Cache& cache = *shared.cache;
  const std::vector<std::string> keys = {"key", "other", "third"};
  using Values = std::vector<std::optional<std::string>>;
  CHECK(cache.get_many(keys) == Values(3));
  cache.set("key", R"({"a": 1})", Seconds(60));
  cache.set("third", "[3]", Seconds(60));
  CHECK(cache.get_many(keys) == Values{R"({"a": 1})", std::nullopt, "[3]"});
  cache.set("other", "[2]", Seconds(60));
  cache.remove("key");
  CHECK(cache.get_many(keys) == Values{std::nullopt, "[2]", "[3]"});
  CHECK(cache.get_many({}).empty());
  CHECK(cache.get("other") == "[2]");
}

TEST_CASE("memcached: many keys of several servers, and of one that is gone") {
  const Memcached one;
  Memcached two;
  Shared shared({one.name(), two.name()});
  std::vector<std::string> keys;
  for (int i = 0; i < 40; ++i) {
    keys.push_back("k" + std::to_string(i));
    shared.cache->set(keys.back(), std::to_string(i), Seconds(60));
  }
  const auto values = shared.cache->get_many(keys);
  for (int i = 0; i < 40; ++i) CHECK(values[static_cast<std::size_t>(i)] == std::to_string(i));
  two.stop();
  const auto left = shared.cache->get_many(keys);
  int known = 0;
  for (int i = 0; i < 40; ++i) {
    const auto& value = left[static_cast<std::size_t>(i)];
    if (!value) continue;
    ++known;
    CHECK(value == std::to_string(i));
  }
  CHECK(known > 0);
  CHECK(known < 40);
}

TEST_CASE("memcached: a server that does not answer is asked once for many keys") {
  const Port silent(true);
  Shared slow({silent.name()},
              [](MemcachedConf& conf) { conf.io_timeout = std::chrono::milliseconds(50); });
  const std::vector<std::string> keys = {"key", "other", "third"};
  using Values = std::vector<std::optional<std::string>>;
  CHECK(slow.cache->get_many(keys) == Values(3));
  CHECK(slow.host.log.lines().size() == 1);
}
