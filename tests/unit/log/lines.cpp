// Lines in Swift's form, to files, to a syslog socket and over UDP.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "framework/log/line_logger.h"

using namespace apus;

namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/apus-log-XXXXXX";
    path = ::mkdtemp(name);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

std::string contents(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A datagram socket somebody else sends to.
struct Listener {
  explicit Listener(int family) : fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { ::close(fd); }
  void bind_path(const std::string& path) const {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, path.data(), path.size());
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  }
  int bind_port() const {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    return ntohs(at.sin_port);
  }
  std::string next() const {
    pollfd entry{fd, POLLIN, 0};
    if (::poll(&entry, 1, 5000) <= 0) return "nothing came";
    char packet[65536];
    const ssize_t size = ::recv(fd, packet, sizeof packet, 0);
    return {packet, static_cast<std::size_t>(size)};
  }
  int fd;
};

}  // namespace

TEST_CASE("a line has the server's name, one line, and the transaction once") {
  const LogConf conf{.name = "proxy-server"};
  CHECK(form_line(conf, "a\nb", "") == "proxy-server: a#012b");
  CHECK(form_line(conf, "text", "tx1") == "proxy-server: text (txn: tx1)");
  CHECK(form_line(conf, "text of tx1", "tx1") == "proxy-server: text of tx1");
  CHECK(form_line(conf, "X-Auth-Key: testing", "") == "proxy-server: X-Auth-Key: ...");
}

TEST_CASE("long lines lose their middle as Swift's do") {
  LogConf conf{.name = "s", .max_line_length = 25};
  const std::string line = form_line(conf, std::string(20, 'a') + std::string(20, 'b'), "");
  CHECK(line == "s: aaaaaaa ... bbbbbbbbbb");
  conf.max_line_length = 5;
  CHECK(form_line(conf, "abcdef", "") == "s: ab");
  conf.max_line_length = 0;
  CHECK(form_line(conf, std::string(100000, 'x'), "").size() == 100003);
}

TEST_CASE("a file gets time, level and line; levels below are left out") {
  const Folder folder;
  const std::string path = folder.path + "/log";
  const auto log = make_logger({.name = "n", .level = "notice", .to = "file:" + path});
  log->info("not this", "");
  log->notice("this", "tx9");
  log->write(LogLevel::kDebug, "nor this", "");
  const std::string text = contents(path);
  CHECK(text.substr(19) == "Z NOTICE n: this (txn: tx9)\n");
  CHECK(log->enabled(LogLevel::kError));
  CHECK_FALSE(log->enabled(LogLevel::kInfo));
}

TEST_CASE("syslog: priority, name and a NUL over the socket of log_address") {
  const Folder folder;
  const std::string path = folder.path + "/dev-log";
  Listener first(AF_UNIX);
  first.bind_path(path);
  const auto log = make_logger(
      {.name = "object-server", .to = "syslog", .facility = "LOG_LOCAL2", .address = path});
  log->error("bad", "tx1");
  CHECK(first.next() == std::string("<147>object-server: bad (txn: tx1)\0", 35));
  log->notice("note", "");
  CHECK(first.next() == std::string("<149>object-server: note\0", 25));

  SUBCASE("a daemon that was started again is found") {
    ::close(first.fd);
    std::filesystem::remove(path);
    first.fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    first.bind_path(path);
    log->info("again", "");
    CHECK(first.next() == std::string("<150>object-server: again\0", 26));
  }
}

TEST_CASE("syslog over UDP") {
  const Listener listener(AF_INET);
  const auto log = make_logger({.name = "p",
                                .to = "syslog",
                                .facility = "LOG_NO_SUCH",
                                .udp_host = "127.0.0.1",
                                .udp_port = listener.bind_port()});
  log->info("hello", "");
  CHECK(listener.next() == std::string("<134>p: hello\0", 14));
}

TEST_CASE("wrong words are refused with what fits") {
  CHECK_THROWS_WITH(make_logger({.level = "LOUD"}),
                    "log_level: 'LOUD' is none of DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL");
  CHECK_THROWS_WITH(make_logger({.to = "printer"}),
                    "log_to: 'printer' is none of syslog, stderr, file:PATH");
  CHECK_THROWS(make_logger({.to = "file:/no/such/folder/log"}));
}
