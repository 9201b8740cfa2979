// A body with footers over HTTP: the envelope as Swift's object servers take it.
#include <apus/digest.h>
#include <apus/json.h>
#include <apus/testing/host.h>
#include <apus/testing/message.h>
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "framework/transport/http_transport.h"

using namespace apus;
using namespace apus::testing;
using std::chrono::milliseconds;

namespace {

// Takes one request on loopback: says `go_on` after its head, reads to the end of its chunks, and
// answers 201.
class OneRequest {
 public:
  explicit OneRequest(std::string go_on) : go_on_(std::move(go_on)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(fd_, 1) == 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  OneRequest(const OneRequest&) = delete;
  OneRequest& operator=(const OneRequest&) = delete;
  ~OneRequest() {
    ::shutdown(fd_, SHUT_RDWR);
    join();
    ::close(fd_);
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  int port = 0;
  std::string head;
  std::string body;  // its chunks joined

 private:
  void serve() {
    const int peer = ::accept(fd_, nullptr, nullptr);
    if (peer < 0) return;
    std::string seen;
    read_until(peer, seen, "\r\n\r\n");
    const std::size_t end = seen.find("\r\n\r\n") + 4;
    head = seen.substr(0, end);
    ::send(peer, go_on_.data(), go_on_.size(), MSG_NOSIGNAL);
    std::string rest = seen.substr(end);
    read_until(peer, rest, "0\r\n\r\n");
    std::size_t at = 0;
    while (at < rest.size()) {
      const std::size_t line = rest.find("\r\n", at);
      if (line == std::string::npos) break;
      const std::size_t size = std::stoul(rest.substr(at, line - at), nullptr, 16);
      body += rest.substr(line + 2, size);
      at = line + 2 + size + 2;
    }
    const std::string answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
    ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::close(peer);
  }
  static void read_until(int peer, std::string& seen, const char* end) {
    char piece[4096];
    while (seen.find(end) == std::string::npos) {
      const ssize_t count = ::recv(peer, piece, sizeof piece, 0);
      if (count <= 0) return;
      seen.append(piece, static_cast<std::size_t>(count));
    }
  }

  std::string go_on_;
  int fd_;
  std::thread thread_;
};

const std::string kTaken = "HTTP/1.1 100 Continue\r\nX-Obj-Metadata-Footer: yes\r\n\r\n";

Call put_with_footers(int port, int& asked) {
  Call out{{"127.0.0.1", port}, Request("PUT", "/sda1/1/a/c/o")};
  out.request.content_length = 5;
  out.request.context.update_footers = [&asked](Headers& to) {
    ++asked;
    to.set("X-Object-Sysmeta-A", "\xe9");
  };
  return out;
}

void check(const OneRequest& server) {
  CHECK(server.head.find("X-Backend-Obj-Content-Length: 5\r\n") != std::string::npos);
  CHECK(server.head.find("X-Backend-Obj-Metadata-Footer: yes\r\n") != std::string::npos);
  CHECK(server.head.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(server.head.find("\r\nContent-Length:") == std::string::npos);
  const std::string name = "X-Backend-Obj-Multipart-Mime-Boundary: ";
  const std::size_t at = server.head.find(name);
  REQUIRE(at != std::string::npos);
  const std::string boundary = server.head.substr(at + name.size(), 64);
  const std::string json = R"({"X-Object-Sysmeta-A": "\u00e9"})";
  CHECK(server.body == "--" + boundary + "\r\nX-Document: object body\r\n\r\nhello\r\n--" +
                           boundary + "\r\nX-Document: object metadata\r\nContent-MD5: " +
                           md5_hex(json) + "\r\n\r\n" + json + "\r\n--" + boundary + "--\r\n");
}

}  // namespace

TEST_CASE("one copy with footers") {
  SeededEntropy chance;
  HttpTransport transport({.entropy = &chance});
  OneRequest server(kTaken);
  int asked = 0;
  Call call = put_with_footers(server.port, asked);
  call.request.body = std::make_unique<StringSource>("hello");
  const Outcome outcome = transport.call(std::move(call), {});
  REQUIRE(outcome.response);
  CHECK(outcome.response->status == 201);
  CHECK(asked == 1);
  server.join();
  check(server);
}

TEST_CASE("several copies with footers, which are asked for once") {
  SeededEntropy chance;
  HttpTransport transport({.entropy = &chance});
  OneRequest first(kTaken);
  OneRequest second(kTaken);
  int asked = 0;
  const auto upload = transport.upload({});
  std::vector<Call> calls;
  calls.push_back(put_with_footers(first.port, asked));
  calls.push_back(put_with_footers(second.port, asked));
  for (const auto& early : upload->open(std::move(calls))) CHECK_FALSE(early);
  upload->write(std::string("he"));
  upload->write(std::string("llo"));
  const auto outcomes = upload->finish([](const auto&) { return false; }, milliseconds(0));
  REQUIRE(outcomes.size() == 2);
  for (const auto& outcome : outcomes) CHECK(outcome.response->status == 201);
  CHECK(asked == 1);
  for (OneRequest* server : {&first, &second}) {
    server->join();
    check(*server);
  }
}

TEST_CASE("a server that does not know of footers must not store the envelope") {
  SeededEntropy chance;
  HttpTransport transport({.entropy = &chance});
  OneRequest server("HTTP/1.1 100 Continue\r\n\r\n");
  int asked = 0;
  Call call = put_with_footers(server.port, asked);
  call.request.body = std::make_unique<StringSource>("hello");
  const Outcome outcome = transport.call(std::move(call), {});
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind() == TransportError::Kind::kMalformed);
  CHECK(asked == 0);
  server.join();
  CHECK(server.body.empty());
}

TEST_CASE("a volley over HTTP waits no longer than it is told") {
  HttpTransport transport;
  OneRequest server("");  // answers once the chunks ended, which never come
  const auto volley = transport.volley({milliseconds(1000), milliseconds(200)});
  volley->add({{"127.0.0.1", server.port}, Request("GET", "/d/1/a")});
  CHECK_FALSE(volley->wait(milliseconds(20)));
  CHECK(volley->under_way() == 1);
  const auto done = volley->wait(std::nullopt);
  REQUIRE(done);
  CHECK(done->outcome.error->kind() == TransportError::Kind::kTimeout);
  CHECK_FALSE(volley->wait(std::nullopt));
}
