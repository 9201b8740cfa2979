// Two types of one name in one binary: the linker keeps one of each pair of their functions,
// without a word, and the program breaks far from there. So a name is defined in one file, or in
// unnamed namespaces.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/house/source_text.h"
#include "tests/unit/house/type_scanner.h"

using apus::test::sources_below;
using apus::test::text_of;
using apus::test::types_of;
namespace fs = std::filesystem;

namespace {

// Types by the files that define them.
using Homes = std::map<std::string, std::set<std::string>>;

Homes homes_of(const std::vector<fs::path>& files) {
  Homes out;
  for (const fs::path& file : files) {
    for (const std::string& type : types_of(text_of(file))) out[type].insert(file.string());
  }
  return out;
}

// `others` is what the binary's own files are linked with.
void check_one_home(const std::string& binary, const Homes& own, const Homes& others) {
  for (const auto& [type, files] : own) {
    std::set<std::string> homes = files;
    if (const auto at = others.find(type); at != others.end()) homes.merge(std::set(at->second));
    if (homes.size() == 1) continue;
    std::string all;
    for (const std::string& home : homes) all += "\n  " + home;
    FAIL_CHECK("in " << binary << ", " << type << " is defined in" << all
                     << "\ngive one another name, or put both into unnamed namespaces");
  }
}

// The folders (and for middleware the single files) that become one binary each.
std::vector<fs::path> binaries_below(const std::string& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(fs::path(APUS_SOURCE_DIR) / folder)) {
    if (entry.is_directory() || entry.path().extension() == ".cpp") out.push_back(entry.path());
  }
  return out;
}

}  // namespace

TEST_CASE("the scanner sees what has a name of its own") {
  using Names = std::vector<std::string>;
  CHECK(types_of("namespace a { class B final : public C { struct D {}; }; }") ==
        Names{"a::B", "a::B::D"});
  CHECK(types_of("namespace a::b { enum class E : int { k }; struct API F { int x; }; }") ==
        Names{"a::b::E", "a::b::F"});
  CHECK(types_of("struct A::B { }; union U {};") == Names{"A::B", "U"});
  CHECK(types_of("extern \"C\" { struct A {}; }") == Names{"A"});
  CHECK(types_of("namespace { struct A {}; } namespace a { namespace { class B {}; } }") ==
        Names{});
  CHECK(types_of("void f() { struct A {}; } auto g = [] { class B {}; };") == Names{});
  CHECK(types_of("class A; struct B* f(); template <class T> void g(struct stat&);") == Names{});
  CHECK(types_of("template <typename T> struct A {}; template <> struct A<int> {};") == Names{"A"});
  CHECK(types_of("// struct A {\n/* struct B { */ const char* s = \"struct C {\"; char c = '{';") ==
        Names{});
  CHECK(types_of("auto s = R\"x(struct A { )\" )x\"; int n = 1'000'000; struct B {};") ==
        Names{"B"});
  CHECK(types_of("#define X struct A { \\\n }\nstruct B {};") == Names{"B"});
  CHECK(types_of("struct { int x; } a; struct B { struct { int y; } c; struct D {}; };") ==
        Names{"B", "B::D"});
}

TEST_CASE("a clash is found") {
  CHECK(types_of("namespace apus { struct Walk { int a; }; }") ==
        types_of("namespace apus { class Walk final : public Base { double b; }; }"));
}

TEST_CASE("one type, one file") {
  const Homes framework = homes_of(sources_below("framework"));
  REQUIRE(framework.size() > 100);
  check_one_home("libapus and libapus_testing", framework, {});
  for (const char* folder : {"middleware", "plugins", "servers", "tests/unit"}) {
    for (const fs::path& binary : binaries_below(folder))
      check_one_home(binary.string(), homes_of(sources_below(binary)), framework);
  }
}
