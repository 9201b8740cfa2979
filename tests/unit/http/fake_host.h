// A server on loopback, and a client that speaks in raw bytes.
#pragma once

#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "framework/host/real_time.h"
#include "framework/http/server.h"

namespace apus::test {

using testing::TestHost;
using LambdaApp = testing::FunctionApp;

/// A TestHost whose time goes on: sockets do not wait for a test.
struct FakeHost : TestHost {
  FakeHost() { use_clock(real); }
  RealClock real;
};

/// An app that says hello.
inline Response hello(Request&) { return Response(200, "hello"); }

/// A started server on loopback.
struct Served {
  explicit Served(LambdaApp::Function answer, ListenerConf conf = {}) {
    conf.bind_ip = "127.0.0.1";
    conf.logger = &host.logger({});
    server =
        std::make_unique<HttpServer>(conf, std::make_shared<LambdaApp>(std::move(answer)), host);
    server->start();
  }
  FakeHost host;
  std::unique_ptr<HttpServer> server;
};

/// A client of raw bytes. Every wait ends after five seconds.
class RawClient {
 public:
  explicit RawClient(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("connect");
    }
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(fd_); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void end() { ::shutdown(fd_, SHUT_WR); }
  /// Everything until `text` was seen, or the end.
  std::string until(std::string_view text) {
    std::size_t at = std::string::npos;
    while ((at = in_.find(text)) == std::string::npos && more()) {
    }
    return cut(at == std::string::npos ? in_.size() : at + text.size());
  }
  std::string exactly(std::size_t count) {
    while (in_.size() < count && more()) {
    }
    return cut(std::min(count, in_.size()));
  }
  /// Everything until the server closes; `reset` tells how.
  std::string all() {
    while (more()) {
    }
    return cut(in_.size());
  }
  /// One answer with a Content-Length: its head and its body.
  std::string answer() {
    std::string head = until("\r\n\r\n");
    const std::size_t at = head.find("Content-Length: ");
    if (at != std::string::npos) head += exactly(std::stoul(head.substr(at + 16)));
    return head;
  }
  std::string ask(std::string_view bytes) {
    send(bytes);
    return answer();
  }
  bool reset = false;
  bool closed = false;

 private:
  std::string cut(std::size_t count) {
    std::string out = in_.substr(0, count);
    in_.erase(0, count);
    return out;
  }
  bool more() {
    pollfd entry{fd_, POLLIN, 0};
    if (::poll(&entry, 1, 5000) <= 0) return false;
    char piece[65536];
    const ssize_t count = ::recv(fd_, piece, sizeof piece, 0);
    reset = count < 0;
    closed = count <= 0;
    if (count <= 0) return false;
    in_.append(piece, static_cast<std::size_t>(count));
    return true;
  }

  int fd_;
  std::string in_;
};

inline int status_of(const std::string& answer) {
  return answer.size() < 12 ? 0 : std::stoi(answer.substr(9, 3));
}

}  // namespace apus::test
