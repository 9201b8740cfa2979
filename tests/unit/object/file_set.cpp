#include "framework/store/object/file_set.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace apus;

namespace {

struct Chosen {
  std::string data, meta, type, tombstone;
  std::vector<std::string> obsolete;
  friend bool operator==(const Chosen&, const Chosen&) = default;
};

Chosen choose(std::vector<std::string> names) {
  const FileSet set = choose_files(names);
  const auto name = [](const std::optional<ObjectFile>& file) { return file ? file->name : ""; };
  Chosen out{name(set.data), name(set.meta), name(set.content_type_meta), name(set.tombstone),
             set.obsolete};
  std::sort(out.obsolete.begin(), out.obsolete.end());
  return out;
}

constexpr const char* kData0 = "1795382000.00000.data";
constexpr const char* kData1 = "1795382001.00000.data";
constexpr const char* kMeta2 = "1795382002.00000.meta";

}  // namespace

TEST_CASE("the newest data wins, older data is obsolete") {
  CHECK(choose({kData0, kData1}) == Chosen{kData1, "", "", "", {kData0}});
}

TEST_CASE("a tombstone beats data of the same moment") {
  CHECK(choose({kData1, "1795382001.00000.ts"}) ==
        Chosen{"", "", "", "1795382001.00000.ts", {kData1}});
  CHECK(choose({kData1, "1795382000.00000.ts"}) ==
        Chosen{kData1, "", "", "", {"1795382000.00000.ts"}});
}

TEST_CASE("an offset makes a moment later") {
  const std::string later = "1795382001.00000_0000000000000003.data";
  CHECK(choose({kData1, later}) == Chosen{later, "", "", "", {kData1}});
}

TEST_CASE("two metas stay when the older has the newer content type") {
  const std::string typed = "1795382001.50000-c350.meta";  // its type is of ...001.00000
  CHECK(choose({kData0, typed, kMeta2}) == Chosen{kData0, kMeta2, typed, "", {}});
  CHECK(choose({kData1, typed, kMeta2}).type.empty());
}

TEST_CASE("of two metas of one moment the newer type stays") {
  const std::string older = "1795382002.00000-30d40.meta";
  const std::string newer = "1795382002.00000-186a0.meta";
  CHECK(choose({kData0, older, newer}) == Chosen{kData0, newer, "", "", {older}});
}

TEST_CASE("a meta without data is no state and waits for its reclaim age") {
  const FileSet set = choose_files({kMeta2, "1795382003.00000.meta"});
  CHECK(!set.data);
  CHECK(!set.meta);
  CHECK(set.obsolete == std::vector<std::string>{kMeta2});
  CHECK(set.reclaimable.size() == 1);
}

TEST_CASE("names that mean nothing stay and are counted") {
  for (const char* name :
       {"x", ".data", "abc.data", "1795382001.00000#1.data", "1795382001.00000.data.tmp",
        ".1795382001.00000.data.a1b2c3", "-1.00000.ts", "99999999999.00000.data",
        "1795382001.00000_12345678901234567.data", "1795382001.00000_1_2.data", ""}) {
    CAPTURE(name);
    const FileSet set = choose_files({name, kData1});
    CHECK(set.data->name == kData1);
    CHECK(set.unexpected == 1);
    CHECK(set.obsolete.empty());
  }
}
