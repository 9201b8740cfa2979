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

TEST_CASE("arrays, and lists of nothing but integers, are packed when that is asked for") {
  pickle::Writer out;
  out.begin_list();
  std::vector<std::uint16_t> numbers;
  for (int i = 0; i < 2500; ++i) numbers.push_back(static_cast<std::uint16_t>(i * 26));
  out.array('H', numbers);
  out.array('B', std::vector<std::uint8_t>{1, 255});
  out.array('I', std::vector<std::uint32_t>{0xffffffff, 7});
  out.begin_list();
  out.integer(-5);
  out.integer(70000);
  out.end_list();
  out.begin_list();
  out.integer(1);
  out.text("x");
  out.end_list();
  out.end_list();
  const std::string bytes = out.finish();
  for (const auto how : {pickle::ListsOfIntegers::kPlain, pickle::ListsOfIntegers::kPacked}) {
    const pickle::Ref root = pickle::parse(bytes, how);
    REQUIRE(root != nullptr);
    const auto& items = std::get<pickle::List>(root->data).items;
    const auto& array = std::get<pickle::Array>(items[0]->data);
    CHECK(array.type_code == 'H');
    CHECK(array.items == std::vector<std::int64_t>(numbers.begin(), numbers.end()));
    CHECK(std::get<pickle::Array>(items[1]->data).items == std::vector<std::int64_t>{1, 255});
    CHECK(std::get<pickle::Array>(items[2]->data).items ==
          std::vector<std::int64_t>{0xffffffff, 7});
    const bool packed = std::holds_alternative<pickle::Array>(items[3]->data);
    CHECK(packed == (how == pickle::ListsOfIntegers::kPacked));
    if (packed) CHECK(std::get<pickle::Array>(items[3]->data).items[1] == 70000);
    const auto& mixed = std::get<pickle::List>(items[4]->data).items;
    CHECK(mixed[0]->integer() == 1);
    CHECK(*mixed[1]->string() == "x");
  }
}

TEST_CASE("a packed list goes on as a plain one when something else comes, one item at a time") {
  // A list, then APPEND of 1, 2, "x", 3.
  const std::string bytes =
      "\x80\x02]K\x01"
      "aK\x02"
      "aX\x01" +
      std::string(3, '\0') +
      "xaK\x03"
      "a.";
  const pickle::Ref root = pickle::parse(bytes, pickle::ListsOfIntegers::kPacked);
  REQUIRE(root != nullptr);
  const auto& items = std::get<pickle::List>(root->data).items;
  REQUIRE(items.size() == 4);
  CHECK(items[1]->integer() == 2);
  CHECK(*items[2]->string() == "x");
  CHECK(items[3]->integer() == 3);
}

TEST_CASE("old rings and builders are dicts of their attributes") {
  const std::string bytes =
      "\x80\x02"
      "cswift.common.ring.builder\nRingBuilder\n)\x81}X\x05" +
      std::string(3, '\0') + "partsK\x08sb.";
  const pickle::Ref root = pickle::parse(bytes);
  REQUIRE(root != nullptr);
  CHECK(root->find("parts")->integer() == 8);
}

TEST_CASE("what is remembered comes back as one value") {
  pickle::Writer out;
  out.begin_list();
  out.begin_dict();
  out.text("id");
  out.integer(4);
  out.end_dict();
  const std::uint32_t memo = out.remember();
  out.recall(memo);
  out.end_list();
  const pickle::Ref root = pickle::parse(out.finish());
  REQUIRE(root != nullptr);
  const auto& items = std::get<pickle::List>(root->data).items;
  CHECK(items[0] == items[1]);
}
