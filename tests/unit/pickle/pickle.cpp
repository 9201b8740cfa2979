#include "framework/pickle/pickle.h"

#include <apus/digest.h>
#include <doctest/doctest.h>

using namespace apus;

TEST_CASE("what is written is read back") {
  pickle::Writer writer;
  writer.begin_dict();
  writer.bytes("X-Timestamp");
  writer.bytes("1795382002.00000");
  writer.bytes("\xe2\x98\x83");
  writer.bytes("");
  writer.text("n");
  writer.integer(-5);
  writer.text("big");
  writer.integer(1LL << 40);
  writer.text("updated");
  writer.number(2.5);
  writer.end_dict();
  const std::string raw = writer.finish();
  CHECK(raw.substr(0, 32).find("_codecs\nencode") != std::string::npos);
  const auto value = pickle::parse(raw);
  REQUIRE(value);
  CHECK(*value->find("X-Timestamp")->string() == "1795382002.00000");
  CHECK(value->find("\xe2\x98\x83")->string()->empty());
  CHECK(value->find("n")->integer() == -5);
  CHECK(value->find("big")->integer() == 1LL << 40);
  CHECK(std::get<double>(value->find("updated")->data) == 2.5);
}

TEST_CASE("a pending row as Swift writes it") {
  const auto raw = base64_decode(
      "gAIoWAIAAABjMXEAWBAAAAAxNzAwMDAwMDAxLjAwMDAwcQFYAQAAADBxAksFWAMAAAAxMDBxA0sASwB0cQQu");
  const auto value = pickle::parse(*raw);
  REQUIRE(value);
  const auto& items = std::get<pickle::Tuple>(value->data).items;
  REQUIRE(items.size() == 7);
  CHECK(*items[0]->string() == "c1");
  CHECK(items[3]->integer() == 5);
  CHECK(*items[4]->string() == "100");
}

TEST_CASE("a header dict of protocol 0") {
  const auto value = pickle::parse(
      "(dp0\nVheaders\np1\nccopy_reg\n_reconstructor\np2\n(cswift.common.header_key_"
      "dict\nHeaderKeyDict\n"
      "p3\nc__builtin__\ndict\np4\n(dp5\nVX-Size\np6\nV0\np7\nstp8\nRp9\ns.");
  REQUIRE(value);
  CHECK(*value->find("headers")->find("X-Size")->string() == "0");
}

TEST_CASE("code, cycles and damage are refused") {
  CHECK_FALSE(pickle::parse("cos\nsystem\n(S'true'\ntR."));
  CHECK_FALSE(pickle::parse("c__builtin__\neval\n(S'1'\ntR."));
  CHECK_FALSE(
      pickle::parse("]q\x01h\x01"
                    "a."));
  CHECK_FALSE(pickle::parse(std::string(100, ']') + std::string(99, 'a') + "."));
  for (const std::string text : {"", ".", "(", "h\x05.",
                                 "\x80\x02X\xff\xff\xff\x7f"
                                 "a.",
                                 "K", "N"}) {
    CHECK_FALSE(pickle::parse(text));
  }
}

TEST_CASE("what holds itself, and what is nested without end, is refused and leaves nothing") {
  using namespace std::string_literals;
  // A list in a tuple in that list: once by a copy on the stack, once through the memo.
  CHECK(pickle::parse("]2\x85"
                      "a."s) == nullptr);
  CHECK(pickle::parse("]q\0h\0\x85"
                      "a."s) == nullptr);
  // A dict that is its own value's value.
  CHECK(pickle::parse("}q\0X\1\0\0\0k}q\1X\1\0\0\0kh\0ss."s) == nullptr);
  // Levels that were never part of the result: nobody may have to walk down there.
  CHECK(pickle::parse(")" + std::string(3000000, '\x85') + "0N.") == nullptr);
  CHECK(pickle::parse(")" + std::string(3000000, '\x85') + ".") == nullptr);
  CHECK(pickle::parse(")" + std::string(64, '\x85') + ".") != nullptr);
  CHECK(pickle::parse(")" + std::string(65, '\x85') + ".") == nullptr);
}

TEST_CASE("a value that lies in two places is one value") {
  using namespace std::string_literals;
  // pickle.dumps((x, x), protocol=2) with x = [1]
  const pickle::Ref both = pickle::parse("\x80\x02]q\0K\1ah\0\x86q\1."s);
  REQUIRE(both != nullptr);
  const auto& items = std::get<pickle::Tuple>(both->data).items;
  REQUIRE(items.size() == 2);
  CHECK(items[0] == items[1]);
  CHECK(std::get<pickle::List>(items[0]->data).items.size() == 1);
}
