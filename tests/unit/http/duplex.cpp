// Conversations over a real socket, the other side word by word.
#include "framework/transport/duplex.h"

#include <apus/testing/message.h>
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "framework/transport/http_transport.h"
#include "framework/transport/local_transport.h"

using namespace apus;
using std::chrono::milliseconds;

namespace {

const std::string kHello = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

struct Turn {
  std::string wait_for;  ///< until this was heard since the last turn
  std::string say;
};

// Takes one connection, goes through its turns and closes.
class Partner {
 public:
  explicit Partner(std::vector<Turn> turns) : turns_(std::move(turns)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(fd_, 4) == 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { talk(); });
  }
  Partner(const Partner&) = delete;
  Partner& operator=(const Partner&) = delete;
  ~Partner() {
    ::shutdown(fd_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    ::close(fd_);
  }
  [[nodiscard]] Endpoint endpoint() const { return {"127.0.0.1", port_}; }
  /// All that was heard, once the other side is gone.
  const std::string& heard() {
    if (thread_.joinable()) thread_.join();
    return heard_;
  }

 private:
  void talk() {
    const int peer = ::accept(fd_, nullptr, nullptr);
    if (peer < 0) return;
    std::size_t from = 0;
    for (const Turn& turn : turns_) {
      while (heard_.find(turn.wait_for, from) == std::string::npos && listen(peer)) {
      }
      from = heard_.size();
      ::send(peer, turn.say.data(), turn.say.size(), MSG_NOSIGNAL);
    }
    ::shutdown(peer, SHUT_WR);
    while (listen(peer)) {
    }
    ::close(peer);
  }
  bool listen(int peer) {
    char piece[4096];
    const ssize_t count = ::recv(peer, piece, sizeof piece, 0);
    if (count > 0) heard_.append(piece, static_cast<std::size_t>(count));
    return count > 0;
  }

  std::vector<Turn> turns_;
  std::string heard_;
  int fd_;
  int port_ = 0;
  std::thread thread_;
};

using Script = std::deque<std::string>;

// Says one phrase at a time, as long as there are some.
class Phrases final : public Source {
 public:
  explicit Phrases(Script& phrases) : phrases_(phrases) {}
  std::size_t read(std::span<char> out) override {
    if (phrases_.empty()) return 0;
    const std::string phrase = phrases_.front();
    phrases_.pop_front();
    if (phrase == "fail") throw BodyError(BodyError::Kind::kIo, "the disk is gone");
    std::copy(phrase.begin(), phrase.end(), out.begin());
    return phrase.size();
  }

 private:
  Script& phrases_;
};

Outcome talk(const Endpoint& to, Script& phrases, const DuplexDeadlines& deadlines = {}) {
  HttpTransport transport;
  Call call{to, Request("SSYNC", "/sda/3")};
  call.request.chunked = true;
  call.request.internal.set("X-Backend-Storage-Policy-Index", "0");
  call.request.body = std::make_unique<Phrases>(phrases);
  return converse(transport, std::move(call), deadlines);
}

std::string next(Response& response) {
  std::string out(100, '\0');
  out.resize(response.body->read(out));
  return out;
}

}  // namespace

TEST_CASE("head first, then phrases, each side in turn") {
  Partner partner(std::vector<Turn>{{"\r\n\r\n", kHello + "2\r\n\r\n\r\n"},
                                    {"one\r\n", "3\r\nyes\r\n"},
                                    {"two\r\n", "2\r\nok\r\n0\r\n\r\n"}});
  {
    Script script{"one"};
    Outcome outcome = talk(partner.endpoint(), script);
    REQUIRE(outcome.response);
    CHECK(outcome.response->status == 200);
    CHECK(next(*outcome.response) == "\r\n");
    CHECK(next(*outcome.response) == "yes");
    script.emplace_back("two");
    CHECK(next(*outcome.response) == "ok");
    CHECK(next(*outcome.response) == "");
  }
  const std::string port = std::to_string(partner.endpoint().port);
  CHECK(partner.heard() == "SSYNC /sda/3 HTTP/1.1\r\nHost: 127.0.0.1:" + port +
                               "\r\nX-Backend-Storage-Policy-Index: 0\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n"
                               "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
}

TEST_CASE("a refusal is an answer with a body, and nothing was said") {
  Partner partner(
      std::vector<Turn>{{"\r\n\r\n", "HTTP/1.1 507 Full\r\nContent-Length: 4\r\n\r\nfull"}});
  {
    Script script{"one"};
    Outcome outcome = talk(partner.endpoint(), script);
    REQUIRE(outcome.response);
    CHECK(outcome.response->status == 507);
    CHECK(testing::body_of(*outcome.response) == "full");
  }
  CHECK(partner.heard().ends_with("\r\n\r\n"));
}

TEST_CASE("what is said out of turn is heard before the speech goes on") {
  Partner partner(std::vector<Turn>{{"\r\n\r\n", kHello}, {"one\r\n", "9\r\n:ERROR: 0\r\n"}});
  Script script(200000, "one");
  Outcome outcome = talk(partner.endpoint(), script);
  REQUIRE(outcome.response);
  CHECK(next(*outcome.response) == ":ERROR: 0");
}

TEST_CASE("a speech that fails is not ended in order") {
  Partner partner(std::vector<Turn>{{"\r\n\r\n", kHello}, {"never", ""}});
  {
    Script script{"one", "fail"};
    Outcome outcome = talk(partner.endpoint(), script);
    REQUIRE(outcome.response);
    CHECK_THROWS_WITH_AS(next(*outcome.response), "the disk is gone", BodyError);
  }
  CHECK(partner.heard().ends_with("3\r\none\r\n"));
}

TEST_CASE("no partner, a silent one, one that leaves, one that speaks no HTTP") {
  Script none;
  Script one{"one"};
  CHECK(talk({"127.0.0.1", 1}, none).error->kind() == TransportError::Kind::kConnect);
  DuplexDeadlines brief;
  brief.head = brief.answer = milliseconds(50);
  {
    Partner silent(std::vector<Turn>{{"never", ""}});
    CHECK(talk(silent.endpoint(), none, brief).error->kind() == TransportError::Kind::kTimeout);
  }
  {
    Partner silent(std::vector<Turn>{{"\r\n\r\n", kHello}, {"never", ""}});
    Outcome outcome = talk(silent.endpoint(), one, brief);
    REQUIRE(outcome.response);
    CHECK_THROWS_AS(next(*outcome.response), BodyError);
  }
  {
    Partner gone(std::vector<Turn>{{"\r\n\r\n", ""}});
    CHECK(talk(gone.endpoint(), none).error->kind() == TransportError::Kind::kReset);
  }
  {
    Partner gone(std::vector<Turn>{{"\r\n\r\n", kHello + "3\r\nab"}});
    Outcome outcome = talk(gone.endpoint(), none);
    REQUIRE(outcome.response);
    CHECK(next(*outcome.response) == "ab");
    CHECK_THROWS_AS(next(*outcome.response), BodyError);
  }
  {
    Partner odd(std::vector<Turn>{{"\r\n\r\n", "220 mail.example ESMTP\r\n\r\n"}});
    CHECK(talk(odd.endpoint(), none).error->kind() == TransportError::Kind::kMalformed);
  }
  {
    Partner odd(std::vector<Turn>{{"\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}});
    CHECK(talk(odd.endpoint(), none).error->kind() == TransportError::Kind::kMalformed);
  }
  {
    Partner odd(std::vector<Turn>{{"\r\n\r\n", kHello + "zz\r\n"}});
    Outcome outcome = talk(odd.endpoint(), none);
    REQUIRE(outcome.response);
    CHECK_THROWS_AS(next(*outcome.response), BodyError);
  }
}
