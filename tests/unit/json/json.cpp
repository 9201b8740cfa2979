#include <apus/json.h>
#include <doctest/doctest.h>

#include "framework/json/json_items.h"

using apus::Json;

TEST_CASE("a document goes there and back") {
  const std::string text =
      R"({"a": [1, -2, 2.5, true, false, null, "x"], "b": {"c": {}}, "d": [], "big": 9007199254740993})";
  const auto value = Json::parse(text);
  REQUIRE(value);
  CHECK(value->dump() == text);
  CHECK(value->dump(true, true) ==
        R"({"a":[1,-2,2.5,true,false,null,"x"],"b":{"c":{}},"big":9007199254740993,"d":[]})");
  CHECK(value->find("b")->find("c")->object()->empty());
}

TEST_CASE("strings are escaped as Python escapes them") {
  std::string out;
  apus::append_json_string(out, std::string("a\"\\\n\x01\x00\xc3\xa9\xf0\x9f\x98\x80\x7f\xff", 14));
  CHECK(out == R"("a\"\\\n\u0001\u0000\u00e9\ud83d\ude00\u007f\ufffd")");
  std::string surrogate;
  apus::append_json_string(surrogate, "\xed\xa2\xa2");
  CHECK(surrogate == R"("\ufffd")");
  const auto back = Json::parse("[" + out + "]");
  REQUIRE(back);
}

TEST_CASE("a document may be a lone value, and numbers keep what they can") {
  CHECK(*Json::parse(" \"x\" ")->text() == "x");
  CHECK(*Json::parse("-9223372036854775808")->integer() == INT64_MIN);
  CHECK(Json::parse("18446744073709551615")->number() == 18446744073709551615.0);
  CHECK(Json::parse("[1795382000.12345]")->dump() == "[1795382000.12345]");
  CHECK(Json::parse("0.1")->number() == 0.1);
  CHECK(Json::parse("0.0000e-400")->number() == 0.0);
  CHECK(Json::parse("1e-400")->number() == 0.0);
  CHECK_FALSE(Json::parse("1e999"));
  CHECK(*Json::parse("\"\\u00e9\\ud83d\\ude00\\u0000\"")->text() ==
        std::string("\xc3\xa9\xf0\x9f\x98\x80\0", 7));
}

TEST_CASE("what is not JSON is refused") {
  for (const char* text : {"", " ", "{", "[1,", "{\"a\"}", "[1]]", "nope", "{\"a\":1,}x",
                           "[\"\\u12\"]", "[1]]", "01", "+1", "[\"\\ud800\"]"}) {
    CAPTURE(text);
    CHECK_FALSE(Json::parse(text));
  }
  CHECK_FALSE(Json::parse(std::string(5000, '[')));
  CHECK_FALSE(Json::parse("[1,2,3]", 3));
  CHECK_FALSE(Json::parse(std::string("[1]\0", 4)));
  CHECK(Json::parse(std::string(100, '[') + std::string(100, ']')));
  CHECK_FALSE(Json::parse(std::string(101, '[') + std::string(101, ']')));
}

TEST_CASE("a list is cut into the texts of its items") {
  using Items = std::vector<std::string_view>;
  const auto items = [](std::string_view text) {
    return apus::json_items(text, 4).value_or(Items{"none"});
  };
  CHECK(items("[]").empty());
  CHECK(items(" [ \n] ").empty());
  CHECK(items(R"( ["a,]\"[", [1, {"b": "}"}],7 ,{} ] )") ==
        Items{R"("a,]\"[")", R"([1, {"b": "}"}])", "7", "{}"});
  CHECK(items("[1,]") == Items{"1", ""});  // what is no JSON is its reader's to refuse
  for (const char* text : {"", "[", "]", "{}", "7", "[\"a]", "[\"a\\\"]", "[[]", "[]]", "[}1{]"}) {
    CAPTURE(text);
    CHECK_FALSE(apus::json_items(text, 4));
  }
  CHECK(apus::json_items("[1,2,3,4]", 4));
  CHECK_FALSE(apus::json_items("[1,2,3,4,5]", 4));
}
