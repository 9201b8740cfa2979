// A host with a real clock and a log that is kept, and a client that speaks in raw bytes.
#pragma once

#include <apus/host.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "framework/http/server.h"

namespace apus::test {

class KeptLog final : public Logger {
 public:
  bool enabled(LogLevel) const override { return true; }
  void write(LogLevel, std::string_view text, std::string_view) override {
    const std::lock_guard lock(mutex_);
    text_.append(text).append("\n");
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

class FakeHost final : public Host {
 public:
  class RealClock final : public Clock {
   public:
    double now() const override {
      return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
          .count();
    }
    Steady steady() const override { return std::chrono::steady_clock::now(); }
    void sleep(std::chrono::nanoseconds d) override { std::this_thread::sleep_for(d); }
  };
  class Ones final : public Entropy {
   public:
    void fill(std::span<char> out) override { std::fill(out.begin(), out.end(), '\1'); }
  };
  Clock& clock() override { return clock_; }
  Entropy& entropy() override { return entropy_; }
  Logger& logger(const Options&) override { return log; }
  Metrics& metrics() override { throw std::logic_error("unused"); }
  InfoRegistry& info() override { throw std::logic_error("unused"); }
  const SwiftConf& swift_conf() const override { throw std::logic_error("unused"); }
  Transport& transport() override { throw std::logic_error("unused"); }
  Disk& disk() override { throw std::logic_error("unused"); }
  RingDirectory& rings() override { throw std::logic_error("unused"); }

  KeptLog log;

 private:
  RealClock clock_;
  Ones entropy_;
};

class LambdaApp final : public App {
 public:
  using Answer = std::function<Response(Request&)>;
  explicit LambdaApp(Answer answer) : answer_(std::move(answer)) {}
  Response operator()(Request& request) const override { return answer_(request); }

 private:
  Answer answer_;
};

/// A started server on loopback.
struct Served {
  explicit Served(LambdaApp::Answer answer, ListenerConf conf = {}) {
    conf.bind_ip = "127.0.0.1";
    conf.logger = &host.log;
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
