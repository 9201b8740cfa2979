// swift.conf: what Debian's Swift makes of the same bytes, taken from running it.
#include <doctest/doctest.h>

#include "framework/conf/served_policy.h"
#include "framework/conf/swift_conf_reader.h"

using namespace apus;

namespace {

struct Read {
  SwiftConf conf;
  std::vector<ConfProblem> problems;
};

Read read(const std::string& text) {
  Read out;
  const ConfFile file =
      parse_conf(text, "/etc/swift/swift.conf", out.problems, ConfDialect::kSwiftConf);
  if (!any_fatal(out.problems)) out.conf = swift_conf_from(file, out.problems);
  return out;
}

const std::string kHash = "[swift-hash]\nswift_hash_path_suffix = s\n";

std::string first_problem(const std::string& text) {
  const Read got = read(text);
  return got.problems.empty() ? "" : got.problems.front().text();
}

}  // namespace

TEST_CASE("paths are hashed between prefix and suffix") {
  const Read got =
      read("[swift-hash]\nswift_hash_path_prefix = pre\nswift_hash_path_suffix = suf\n");
  CHECK(got.problems.empty());
  CHECK(got.conf.hash_path("a") == "ab349048c4d787b8cac7454c3dc7c95b");
  CHECK(got.conf.hash_path("a", "c") == "0d25b61566837c3531c8a377fbabc763");
  CHECK(got.conf.hash_path("a", "c", "o") == "3c455f4c36c2927865b8822a4cef8a1f");
}

TEST_CASE("the secrets are read byte for byte as ConfigParser reads latin-1") {
  const auto suffix = [](const std::string& value) {
    return read("[swift-hash]\nswift_hash_path_suffix = " + value + "\n").conf.hash_suffix;
  };
  CHECK(suffix("a%%b") == "a%b");
  CHECK(suffix("caf\xc3\xa9") == "caf\xc3\xa9");
  CHECK(suffix("\xc3\xa0") == "\xc3");
  CHECK(suffix("a ; b") == "a ; b");
  CHECK(read("[swift-hash]\nSWIFT_HASH_PATH_SUFFIX = up\n").conf.hash_suffix == "up");
  CHECK(read("[DEFAULT]\nswift_hash_path_suffix = d\n[swift-hash]\n").conf.hash_suffix == "d");
}

TEST_CASE("a conf without a secret, or with a broken one, is refused") {
  CHECK(first_problem("[swift-hash]\n").find("is empty, and so is") != std::string::npos);
  CHECK(first_problem("").find("is empty, and so is") != std::string::npos);
  CHECK(first_problem("[swift-hash]\nswift_hash_path_suffix = a%b\n")
            .starts_with("/etc/swift/swift.conf:2: [swift-hash] swift_hash_path_suffix: a '%'"));
  CHECK(first_problem(kHash + "swift_hash_path_sufix = t\n").find("did you mean") !=
        std::string::npos);
}

TEST_CASE("policies: indexes, names, aliases, the default") {
  const Read got = read(kHash +
                        "[storage-policy:1]\nname = gold\naliases = au, Aurum\ndefault = yes\n"
                        "[storage-policy:0]\nname = silver\ndeprecated = yes\n");
  CHECK(got.problems.empty());
  REQUIRE(got.conf.policies.size() == 2);
  CHECK(got.conf.policies[0].name == "silver");
  CHECK(got.conf.policies[0].deprecated);
  CHECK(got.conf.default_policy().index == 1);
  CHECK(got.conf.policy("AURUM")->index == 1);
}

TEST_CASE("wrong policies are told with their line") {
  for (const char* text : {"[storage-policy:0]\nname = a b\n", "[storage-policy:x]\nname = a\n",
                           "[storage-policy:1]\nname = a\ndefault = yes\n",
                           "[storage-policy:0]\nname = a\n[storage-policy:1]\nname = A\n",
                           "[storage-policy:0]\nname = a\n[storage-policy:1]\nname = b\n",
                           "[storage-policy:0]\nname = a\ndeprecated = yes\ndefault = yes\n",
                           "[storage-policy:0]\nname = a\ncolour = red\n",
                           "[storage-policy:0]\nname = a\npolicy_type = raid\n"}) {
    CAPTURE(text);
    CHECK(any_fatal(read(kHash + text).problems));
  }
}

TEST_CASE("an erasure coded policy is read, and told not to be served") {
  const Read got = read(kHash +
                        "[storage-policy:0]\nname = a\ndefault = yes\n[storage-policy:2]\n"
                        "name = gold\npolicy_type = erasure_coding\nec_type = isa_l_rs_vand\n");
  REQUIRE(got.problems.size() == 1);
  CHECK_FALSE(got.problems[0].fatal);
  CHECK(got.problems[0].text().find("/etc/swift/swift.conf:8") != std::string::npos);
  CHECK(got.problems[0].text().find("[storage-policy:2] policy_type: erasure_coding is not "
                                    "served") != std::string::npos);
  REQUIRE(got.conf.policies.size() == 2);
  CHECK(not_served(*got.conf.policy("a")).empty());
  const std::string why =
      "Storage policy 'gold' with index 2 is of type erasure_coding, which this server does not "
      "serve";
  CHECK(not_served(*got.conf.policy("gold")) == why);
  CHECK(policies_not_served(got.conf) == std::vector<std::string>{why});
}

TEST_CASE("a misspelt yes is told") {
  const Read got = read(kHash + "[storage-policy:0]\nname = a\ndefault = yess\n");
  REQUIRE_FALSE(got.problems.empty());
  CHECK(got.problems.front().text().find("'yess' is taken for no") != std::string::npos);
}

TEST_CASE("limits") {
  const Read got = read(kHash +
                        "[swift-constraints]\nmax_file_size = 1_000\nvalid_api_versions = v1,v9\n"
                        "max_metacount = 3\nmax_header_size = large\n");
  CHECK(got.conf.constraints.max_file_size == 1000);
  CHECK(got.conf.constraints.valid_api_versions == std::vector<std::string>{"v1", "v9"});
  REQUIRE(got.problems.size() == 2);
  CHECK(got.problems[0].text().find("max_metacount: is not known here; did you mean") !=
        std::string::npos);
  CHECK(got.problems[1].text().find("'large' is not a whole number") != std::string::npos);
}
