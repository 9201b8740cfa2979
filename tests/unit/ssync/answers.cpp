#include "framework/ssync/answers.h"

#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::ssync;

namespace {

const std::string kHash(32, 'a');
const std::string kOther(32, 'b');
const std::string kHead = ":MISSING_CHECK: START\r\n";
const std::string kTail = ":MISSING_CHECK: END\r\n";

std::vector<Want> wants(const std::string& text, std::size_t most = 10) {
  testing::PieceSource source(text, 7);
  LineReader lines(&source);
  read_wants_start(lines);
  return read_wants(lines, most);
}

std::string complaint(const std::string& text, std::size_t most = 10) {
  try {
    wants(text, most);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("what a receiver wants, old ones and new ones") {
  CHECK(wants("\r\n" + kHead + "\r\n" + kTail).empty());
  // Before 2.4.0: padding lines, and hashes without parts.
  CHECK(wants(std::string(4096, ' ') + "\r\n" + kHead + kHash + "\r\n" + kTail) ==
        std::vector<Want>{{kHash, true, false}});
  CHECK(wants(kHead + kHash + " m\r\n" + kOther + " dm\r\n\r\n" + kTail) ==
        std::vector<Want>{{kHash, false, true}, {kOther, true, true}});
  CHECK(wants(kHead + kHash + " d\r\n" + kHash + " m\r\n" + kTail, 1) ==
        std::vector<Want>{{kHash, false, true}});
}

TEST_CASE("what is no answer is told") {
  CHECK(complaint("") == "Early disconnect");
  CHECK(complaint(kHead + kHash + " d\r\n") == "Early disconnect");
  CHECK(complaint(":ERROR: 0 '1 second: /srv/node/sda/.lock'\n") ==
        "Unexpected response: \":ERROR: 0 '1 second: /srv/node/sda/.lock'\"");
  CHECK(complaint(kHead + ":ERROR: 408 'x'\n") == "Unexpected response: \":ERROR: 408 'x'\"");
  CHECK(complaint(kHead + "../../etc d\r\n").starts_with("Unexpected response: '../../etc d'"));
  CHECK(complaint(kHead + kHash + " d\r\n" + kOther + " d\r\n" + kTail, 1) ==
        "Unexpected response: more wants than offers");
  CHECK(complaint(std::string(3000, '\n')) == "Unexpected response: nothing but blank lines");
  CHECK(complaint(std::string(70000, 'x')).find("too long") != std::string::npos);
  CHECK(complaint(std::string(60000, 'x') + "\n").size() < 1100);
  CHECK(complaint(kHead + ":MISS").find("ends in a line") != std::string::npos);
}

TEST_CASE("the end of the updates") {
  const auto end = [](const std::string& text) {
    testing::PieceSource source(text, 5);
    LineReader lines(&source);
    read_updates_end(lines);
  };
  end(":UPDATES: START\r\n\r\n:UPDATES: END\r\n");
  CHECK_THROWS_AS(end(":UPDATES: END\r\n"), ExchangeError);
  CHECK_THROWS_AS(end(":UPDATES: START\r\n"), ExchangeError);
  CHECK_THROWS_AS(end(":ERROR: 500 b'ERROR: With :UPDATES: 1 failures to 0 successes'\n"),
                  ExchangeError);
}
