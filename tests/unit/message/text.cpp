#include <apus/headers.h>
#include <apus/text.h>
#include <doctest/doctest.h>

TEST_CASE("field names are spelled as Swift spells them") {
  CHECK(apus::title_case("x-object-meta-a1b") == "X-Object-Meta-A1B");
  CHECK(apus::title_case("X-OBJECT-META-Foo_Bar") == "X-Object-Meta-Foo-Bar");
  CHECK(apus::title_case("it's") == "It'S");
}

TEST_CASE("internal names are known in any spelling") {
  CHECK(apus::is_internal_name("x-BACKEND-storage-policy-index"));
  CHECK(apus::is_internal_name("X-Object-Sysmeta-A"));
  CHECK(apus::is_internal_name("X-Delete-At-Container"));
  CHECK_FALSE(apus::is_internal_name("X-Delete-At"));
  CHECK_FALSE(apus::is_internal_name("X-Object-Meta-X-Backend-A"));
}

TEST_CASE("headers") {
  apus::Headers headers{{"a", "1"}};
  headers.add("A", "2");
  headers.set("b", "3");
  CHECK(headers.get("A") == "1,2");
  CHECK(headers.erase("a"));
  CHECK_FALSE(headers.has("a"));
  CHECK(headers.get("nothing", "x") == "x");
}

TEST_CASE("api paths") {
  const auto path = apus::split_api_path("/v1/a/c/o/p").value();
  CHECK(path.object == "o/p");
  CHECK(apus::split_api_path("/v1/a/c/").value().object.empty());
  CHECK_FALSE(apus::split_api_path("v1/a"));
  CHECK_FALSE(apus::split_api_path("/v1//c"));
  CHECK_FALSE(apus::split_api_path("/v1/a/c", 4));
}

TEST_CASE("quoting goes there and back") {
  const std::string bytes("\x00\xff /+%a", 7);
  CHECK(apus::quote(bytes) == "%00%FF%20/%2B%25a");
  CHECK(apus::unquote(apus::quote(bytes)) == bytes);
  CHECK(apus::unquote_plus(apus::quote_plus(bytes)) == bytes);
  CHECK(apus::unquote("%zz%4") == "%zz%4");
}

TEST_CASE("query strings keep order, the last of a name counts") {
  const apus::Query query("a=1&b&a=2+3&=x&&c=%26");
  CHECK(query.get("a") == "2 3");
  CHECK(query.has("b"));
  CHECK(query.get("c") == "&");
}

TEST_CASE("numbers") {
  CHECK(apus::parse_int(" -1_0 ").value() == -10);
  for (const char* text : {"", "1__0", "_1", "1_", "+-1", "1.0", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(apus::parse_int(text));
  }
}

TEST_CASE("utf-8") {
  CHECK(apus::is_utf8("a\xc3\xa9\xe2\x98\x83\xf0\x9f\x98\x80"));
  for (const char* text : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x98", "\x80"}) {
    CHECK_FALSE(apus::is_utf8(text));
  }
}
