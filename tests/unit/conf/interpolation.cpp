#include "framework/conf/interpolation.h"

#include <doctest/doctest.h>

using namespace apus;

namespace {

struct Expanded {
  std::string text;
  std::vector<ConfProblem> problems;
};

Expanded expand(const std::string& text, ConfDialect dialect = ConfDialect::kServer,
                const std::string& option = "x") {
  Expanded out;
  const ConfFile file = parse_conf(text, "/etc/x.conf", out.problems, dialect);
  REQUIRE(out.problems.empty());
  Interpolation values(file, out.problems);
  const ConfSection* section = file.find("s");
  REQUIRE(section != nullptr);
  REQUIRE(section->find(option) != nullptr);
  out.text = values.expand(section, *section->find(option));
  return out;
}

}  // namespace

TEST_CASE("names of the section, of [DEFAULT], and those that are given") {
  CHECK(expand("[DEFAULT]\na = 1\nb = no\n[s]\nb = 2\nx = %(a)s-%(b)s-%(here)s-%(__file__)s\n")
            .text == "1-2-/etc-/etc/x.conf");
  CHECK(expand("[DEFAULT]\nhere = there\n[s]\nx = %(here)s\n").text == "there");
}

TEST_CASE("a '%' without a name is plain in a server's conf, unless a name stands beside it") {
  CHECK(expand("[s]\nx = 1%\n").text == "1%");
  CHECK(expand("[s]\nx = a%%b\n").text == "a%%b");
  CHECK(expand("[s]\nx = 5%% %(here)s\n").text == "5% /etc");
  CHECK(any_fatal(expand("[s]\nx = 5% %(here)s\n").problems));
  CHECK(any_fatal(expand("[s]\ny = 5%\nx = %(y)s\n").problems));
}

TEST_CASE("swift.conf: every '%' counts, and names have no case") {
  CHECK(expand("[s]\nx = a%%b\n", ConfDialect::kSwiftConf).text == "a%b");
  CHECK(expand("[s]\nY = 1\nx = %(Y)s\n", ConfDialect::kSwiftConf).text == "1");
  CHECK(any_fatal(expand("[s]\nx = a%b\n", ConfDialect::kSwiftConf).problems));
  CHECK(any_fatal(expand("[s]\nx = a%\n", ConfDialect::kSwiftConf).problems));
}

TEST_CASE("unknown names, names without an end and circles are told with their place") {
  const auto unknown = expand("[s]\nx = %(nothing)s\n");
  REQUIRE(unknown.problems.size() == 1);
  CHECK(unknown.problems.front().text().starts_with(
      "/etc/x.conf:2: [s] x: %(nothing)s is not known"));
  for (const char* text : {"[s]\nx = %(a\n", "[s]\nx = %()s\n", "[s]\nx = %(a)d\n",
                           "[s]\nx = %(x)s\n", "[s]\nx = %(y)s\ny = %(x)s\n"}) {
    CAPTURE(text);
    const auto bad = expand(text);
    CHECK(bad.problems.size() == 1);
    CHECK(bad.text.empty());
  }
}

TEST_CASE("ten names deep, not eleven") {
  const auto chain = [](int length) {
    std::string text = "[s]\nv" + std::to_string(length) + " = end\n";
    for (int i = 0; i < length; ++i)
      text += "v" + std::to_string(i) + " = %(v" + std::to_string(i + 1) + ")s%%\n";
    return expand(text, ConfDialect::kServer, "v0");
  };
  CHECK(chain(10).text == "end%%%%%%%%%%");
  CHECK(any_fatal(chain(11).problems));
}

TEST_CASE("names that double at each level take no exponential time, and no endless memory") {
  const auto doubled = [](const std::string& leaf, int width) {
    std::string text = "[s]\nv9 = " + leaf + "\n";
    for (int i = 0; i < 9; ++i) {
      text += "v" + std::to_string(i) + " = ";
      for (int k = 0; k < width; ++k) text += "%(v" + std::to_string(i + 1) + ")s";
      text += "\n";
    }
    return expand(text, ConfDialect::kServer, "v0");
  };
  CHECK(doubled("", 200).text.empty());
  CHECK(doubled("", 200).problems.empty());
  CHECK(doubled("x", 2).text.size() == 512);
  CHECK(any_fatal(doubled("x", 200).problems));
}
