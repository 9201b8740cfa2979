// Attacks by bytes from elsewhere, by the numbers under which the world knows them.
#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <thread>

#include "framework/pickle/pickle.h"
#include "framework/transport/http_transport.h"
#include "tests/unit/house/source_text.h"
#include "tests/unit/http/fake_host.h"

using namespace apus;
using namespace apus::test;

namespace {

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

// Whoever wrote to memcached ran code in the proxy.
TEST_CASE("CVE-2012-4406: a pickle runs nothing, whatever it names") {
  const std::filesystem::path mark =
      std::filesystem::temp_directory_path() / ("cve-2012-4406-" + std::to_string(::getpid()));
  const std::string touch = "touch " + mark.string();
  const std::array<std::string, 7> attacks = {
      "cos\nsystem\n(S'" + touch + "'\ntR.",
      "cposix\nsystem\n(S'" + touch + "'\ntR.",
      "csubprocess\ncall\n((lp0\nS'touch'\naS'" + mark.string() + "'\natR.",
      "c__builtin__\neval\n(S'__import__(\"os\").system(\"" + touch + "\")'\ntR.",
      // INST and OBJ, the two other ways to a call, and NEWOBJ of protocol 2.
      "(S'" + touch + "'\nios\nsystem\n.",
      "(cos\nsystem\nS'" + touch + "'\no.",
      std::string("\x80\x02") + "cos\nsystem\n(S'" + touch + "'\nt\x81.",
  };
  for (const std::string& attack : attacks) {
    CAPTURE(attack);
    CHECK_FALSE(pickle::parse(attack));
    // As a value within what is allowed.
    CHECK_FALSE(pickle::parse("(dp0\nS'a'\n" + attack.substr(0, attack.size() - 1) + "s."));
  }
  CHECK_FALSE(std::filesystem::exists(mark));
}

// Connections to back ends stayed open when a client left in the middle of an answer.
TEST_CASE("CVE-2016-0738: an answer that is given up leaves no connection behind") {
  Served served([](Request&) { return Response(200, std::string(4U << 20U, 'x')); });
  HttpTransport transport;
  const auto give_up = [&] {
    Outcome outcome =
        transport.call(Call{{"127.0.0.1", served.server->port()}, Request("GET", "/")}, {});
    REQUIRE(outcome.response);
    char some[100];
    CHECK(outcome.response->body->read(some) > 0);
  };
  give_up();
  // The server's side of a connection closes when it learns of it: only what stays is a leak.
  const std::size_t before = open_descriptors();
  constexpr std::size_t kTimes = 50;
  for (std::size_t i = 0; i < kTimes; ++i) give_up();
  CHECK(transport.idle_connections() == 0);
  std::size_t after = open_descriptors();
  for (int tries = 0; tries < 10000 && after > before + 2; ++tries) {
    std::this_thread::yield();
    after = open_descriptors();
  }
  CHECK(after <= before + 2);
}

// Entities of an XML body named files of the server, which were sent back.
TEST_CASE("CVE-2022-47950: no reader of XML is in any part of the store") {
  std::size_t read = 0;
  for (const char* folder : {"framework", "middleware", "servers", "plugins"}) {
    for (const auto& file : sources_below(folder)) {
      const std::string text = text_of(file);
      ++read;
      CAPTURE(file.string());
      // One that comes has to refuse DOCTYPE, and this test has to show it.
      for (const char* reader : {"Poco/XML/", "Poco/SAX/", "Poco/DOM/", "libxml/", "expat.h",
                                 "pugixml", "tinyxml", "rapidxml"}) {
        CHECK(text.find(reader) == std::string::npos);
      }
    }
  }
  CHECK(read > 300);
}
