#include <apus/accept.h>
#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace apus;

namespace {

constexpr std::array<std::string_view, 4> kTypes = {"text/plain", "application/json",
                                                    "application/xml", "text/xml"};

// The chosen type, "none" or "malformed".
std::string chosen(std::string_view header) {
  const AcceptChoice choice = choose_type(header, kTypes);
  if (choice.malformed) return "malformed";
  return choice.best ? std::string(kTypes.at(*choice.best)) : "none";
}

}  // namespace

// Each answer is that of Swift 2.30.1.
TEST_CASE("accept: the best of the offered types") {
  CHECK(chosen("") == "text/plain");
  CHECK(chosen("*/*") == "text/plain");
  CHECK(chosen("application/*") == "application/json");
  CHECK(chosen("application/xml") == "application/xml");
  CHECK(chosen("text/plain;q=0.5,application/json") == "application/json");
  CHECK(chosen("application/xml;q=0.1, text/xml ; q = 0.2") == "text/xml");
  CHECK(chosen("*/*;q=0.9,application/xml;q=0.9") == "application/xml");
  CHECK(chosen("text/xml;q=0") == "text/xml");
  CHECK(chosen("text/xml;level=1;x=\"y\"") == "text/xml");
  CHECK(chosen("image/png") == "none");
  CHECK(chosen("TEXT/PLAIN") == "none");
  CHECK(chosen("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8") ==
        "application/xml");
}

TEST_CASE("accept: what is malformed") {
  for (const char* bad : {"*",
                          "text",
                          "text/",
                          "/plain",
                          "text/plain,",
                          ",text/plain",
                          "text/plain;",
                          "text/plain;q",
                          "text/plain;q=",
                          "text/plain;q=x",
                          "text/plain;q=0.1;q=0.2",
                          "text/plain x",
                          "text/pl ain",
                          "text/plain;x=\"a",
                          "text/plain;x=\"a;b\"",
                          "text/plain;x=\"a=b\"",
                          "text/plain;;q=1",
                          " ",
                          "te(xt/plain",
                          "text/plain;q=\"1\""}) {
    CAPTURE(bad);
    CHECK(chosen(bad) == "malformed");
  }
  std::string many;
  for (int i = 0; i < 20000; ++i) many += "a/b;q=0.1,";
  CHECK(chosen(many + "text/xml") == "text/xml");
}
