#include <apus/dns.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <map>
#include <stdexcept>
#include <thread>

using namespace apus;
using namespace apus::testing;

namespace {

void append_number(std::string& out, unsigned value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
}

std::string encoded(const std::string& name) {
  std::string out;
  for (const std::string& label : split_list(name, '.')) {
    out += static_cast<char>(label.size());
    out += label;
  }
  return out + '\0';
}

// A name server on loopback: aliases by name; what it does not know is not there.
class NameServer {
 public:
  explicit NameServer(std::map<std::string, std::string> aliases)
      : aliases_(std::move(aliases)), fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    name_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;
  ~NameServer() {
    thread_.request_stop();
    thread_.join();
    ::close(fd_);
  }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] int asked() const { return asked_; }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd ready{fd_, POLLIN, 0};
      if (::poll(&ready, 1, 50) <= 0) continue;
      std::array<char, 512> query;
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t got =
          ::recvfrom(fd_, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 17) continue;
      ++asked_;
      const std::string out = answer({query.data(), static_cast<std::size_t>(got)});
      [[maybe_unused]] const auto sent =
          ::sendto(fd_, out.data(), out.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  std::string answer(const std::string& query) const {
    std::string name;
    std::size_t at = 12;
    for (; query[at] != 0; at += static_cast<std::size_t>(query[at]) + 1) {
      if (!name.empty()) name += '.';
      name += query.substr(at + 1, static_cast<std::size_t>(query[at]));
    }
    const std::string question = query.substr(12, at + 5 - 12);
    const auto alias = aliases_.find(name);
    const bool known = alias != aliases_.end();
    std::string out = query.substr(0, 2);
    append_number(out, known ? 0x8180 : 0x8183, 2);
    append_number(out, 1, 2);
    append_number(out, known ? 1 : 0, 2);
    append_number(out, 0, 4);
    out += question;
    if (!known) return out;
    append_number(out, 0xc00c, 2);
    append_number(out, 5, 2);
    append_number(out, 1, 2);
    append_number(out, 120, 4);
    const std::string target = encoded(alias->second);
    append_number(out, static_cast<unsigned>(target.size()), 2);
    return out + target;
  }

  std::map<std::string, std::string> aliases_;
  int fd_;
  std::string name_;
  std::atomic<int> asked_{0};
  std::jthread thread_;
};

struct Lookup {
  explicit Lookup(OptionTexts options)
      : server({{"www.site.org", "c.AUTH_a.example.com"},
                {"one.org", "two.org"},
                {"two.org", "c.AUTH_b.example.com"},
                {"self.org", "self.org"},
                {"away.org", "elsewhere.net"}}) {
    options.try_emplace("nameservers", server.name());
    filter = load_filter("cname_lookup", options, host, app);
    app.otherwise(
        [](Request& request) { return Response(200, std::string(request.headers.get("Host"))); });
  }
  std::string ask(const char* name) {
    Request request = make_request("GET", "/o", {{"Host", name}});
    request.context.cache = &host.cache();
    Response response = (*filter)(request);
    return std::to_string(response.status) + " " + body_of(response);
  }
  TestHost host;
  FakeApp app;
  NameServer server;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("cname_lookup: an alias of a storage domain becomes that domain") {
  Lookup lookup({});
  CHECK(lookup.ask("www.site.org") == "200 c.AUTH_a.example.com");
  CHECK(lookup.ask("www.site.org:81") == "200 c.AUTH_a.example.com:81");
  CHECK(lookup.server.asked() == 1);  // the second answer was kept
  CHECK(lookup.host.cache().get("cname-www.site.org") == "\"c.AUTH_a.example.com\"");
  CHECK(lookup.host.log.has("Mapped www.site.org to c.AUTH_a.example.com"));
  lookup.host.time.advance(std::chrono::seconds(121));
  lookup.ask("www.site.org");
  CHECK(lookup.server.asked() == 2);
}

TEST_CASE("cname_lookup: what needs no question") {
  Lookup lookup({});
  for (const char* host : {"c.AUTH_a.example.com", "example.com:80", "127.0.0.1", "127.0.0.1:80"}) {
    CAPTURE(host);
    CHECK(lookup.ask(host) == std::string("200 ") + host);
  }
  CHECK(lookup.server.asked() == 0);
}

TEST_CASE("cname_lookup: chains, and where they end") {
  Lookup one({});
  CHECK(one.ask("one.org") == "400 CNAME lookup failed after 1 tries");
  CHECK(one.ask("nothing.org") == "400 CNAME lookup failed to resolve to a valid domain");
  CHECK(one.host.cache().get("cname-nothing.org") == "false");
  CHECK(one.ask("self.org") == "400 CNAME lookup failed to resolve to a valid domain");
  Lookup two(OptionTexts{{"lookup_depth", "2"}});
  CHECK(two.ask("one.org") == "200 c.AUTH_b.example.com");
  CHECK(two.ask("away.org") == "400 CNAME lookup failed to resolve to a valid domain");
}

TEST_CASE("cname_lookup: garbage in the cache is asked for again") {
  Lookup lookup({});
  for (const char* junk : {"{", "3", "[]", "null"}) {
    lookup.host.cache().set("cname-www.site.org", junk, std::chrono::seconds(60));
    CHECK(lookup.ask("www.site.org") == "200 c.AUTH_a.example.com");
  }
}

TEST_CASE("cname_lookup: name servers are IP addresses") {
  for (const char* bad : {"ns.example.com", "1.2.3.4:x", "1.2.3.4:0", "[::1", "1.2.3.4:99999"}) {
    CAPTURE(bad);
    TestHost host;
    const FakeApp app;
    CHECK_THROWS_AS(load_filter("cname_lookup", {{"nameservers", bad}}, host, app),
                    std::runtime_error);
  }
  TestHost host;
  const FakeApp app;
  CHECK_NOTHROW(
      load_filter("cname_lookup", {{"nameservers", "1.2.3.4, [::1]:53, [::1]"}}, host, app));
}

TEST_CASE("dns: answers that are none") {
  for (const std::string& junk :
       {std::string(), std::string(3, 'x'), std::string(12, '\0'), std::string(40, '\xff'),
        std::string("\0\1\x81\x80\0\0\0\1\0\0\0\0\xc0\x0c\0\5\0\1\0\0\0\1\0\2\xc0\x0c", 26)}) {
    CHECK(parse_cname_answer(junk).kind != CnameAnswer::Kind::kFound);
  }
}
