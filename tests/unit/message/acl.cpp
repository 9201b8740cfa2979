#include <apus/acl.h>
#include <apus/testing/load.h>
#include <doctest/doctest.h>

#include <array>

using namespace apus;

namespace {

std::string clean(std::string_view text, bool write = false) {
  std::string why;
  return clean_acl(text, write, why).value_or("! " + why);
}

}  // namespace

TEST_CASE("acl: the table of clean forms") {
  CHECK(clean("bob, sue") == "bob,sue");
  CHECK(clean("bob , sue") == "bob,sue");
  CHECK(clean("bob,,,sue") == "bob,sue");
  CHECK(clean(".referrer : *") == ".r:*");
  CHECK(clean(".ref:*.example.com") == ".r:.example.com");
  CHECK(clean(".r:*, .rlistings") == ".r:*,.rlistings");
  CHECK(clean(".r: - *.x.com") == ".r:-.x.com");
  CHECK(clean("a:b:c") == "a:b:c");
  CHECK(clean(".hidden") == ".hidden");
  CHECK(clean("").empty());
  CHECK(clean(",, ,").empty());
}

TEST_CASE("acl: what is malformed is told in Swift's words") {
  CHECK(clean(".r:") == "! No host/domain value after referrer designation in ACL: '.r:'");
  CHECK(clean(".r:-*") == ".r:-*");
  CHECK(clean(".r:*.") == "! No host/domain value after referrer designation in ACL: '.r:*.'");
  CHECK(clean(".R:*") == "! Unknown designator '.R' in ACL: '.R:*'");
  CHECK(clean(".it's:*") == "! Unknown designator \".it's\" in ACL: \".it's:*\"");
  CHECK(clean(".ref:*", true) == "! Referrers not allowed in write ACL: '.ref:*'");
}

TEST_CASE("acl: referrers") {
  const auto allowed = [](std::string_view referer, const char* acl) {
    return referrer_allowed(referer, parse_acl(acl).referrers);
  };
  CHECK(allowed("", ".r:*"));
  CHECK_FALSE(allowed("http://x/", ""));
  CHECK(allowed("http://www.example.com:80/a?b", ".r:www.example.com"));
  CHECK(allowed("//www.example.com/a", ".r:.example.com"));
  CHECK_FALSE(allowed("www.example.com", ".r:www.example.com"));
  CHECK_FALSE(allowed("http://www.example.com@evil/", ".r:www.example.com"));
  CHECK(allowed("http://a/", ".r:*,.r:-*"));
  CHECK_FALSE(allowed("http://t.thief.com/", ".r:*,.r:-.thief.com"));
  CHECK(allowed("http://t.thief.com/", ".r:-.thief.com,.r:*"));
  CHECK(allowed("http://[2001:db8::1]:80/", ".r:2001:db8::1"));
}

TEST_CASE("acl: groups are decoded") {
  const Acl acl = parse_acl("a%2Cb,c,.rlistings");
  CHECK(acl.groups == std::vector<std::string>{"a,b", "c"});
  CHECK(acl.listings);
}

TEST_CASE("acl: account ACLs") {
  const auto acl = parse_account_acl(R"({"admin": ["a", 5], "read-write": "x", "other": []})");
  REQUIRE(acl);
  CHECK(acl->admin == std::vector<std::string>{"a"});
  CHECK(acl->read_write.empty());
  for (const char* text : {"", "[]", "{}", "{", "5", R"({"admin": []})"})
    CHECK_FALSE(parse_account_acl(text));
  CHECK(format_account_acl(R"({"read-only": ["\u00e9"], "admin": ["a"]})") ==
        R"({"admin":["a"],"read-only":["\u00e9"]})");
  CHECK(format_account_acl("{}").empty());
  CHECK(format_account_acl("nonsense").empty());
}

TEST_CASE("acl: reseller prefixes and their options") {
  static constexpr std::array kSpecs = {
      OptionSpec{"reseller_prefix", OptionType::kText, "AUTH", ""},
      OptionSpec{"require_group", OptionType::kText, "", ""},
      OptionSpec{"*require_group", OptionType::kText, nullptr, ""}};
  const auto make = [](const testing::OptionTexts& texts) {
    return Resellers(testing::make_options("x", kSpecs.data(), kSpecs.size(), texts));
  };
  CHECK(make({}).prefixes() == std::vector<std::string>{"AUTH_"});
  CHECK(make({{"reseller_prefix", ""}}).prefixes() == std::vector<std::string>{""});
  const Resellers some = make({{"reseller_prefix", "AUTH, SERVICE_, '', AUTH"},
                               {"require_group", "r"},
                               {"SERVICE_require_group", " s "},
                               {"''require_group", "e"}});
  CHECK(some.prefixes() == std::vector<std::string>{"AUTH_", "SERVICE_", ""});
  CHECK(*some.prefix_of("SERVICE_x") == "SERVICE_");
  CHECK(some.prefix_of("other")->empty());
  CHECK(some.option("AUTH_", "require_group") == "r");
  CHECK(some.option("SERVICE_", "require_group") == "s");
  CHECK(some.option("", "require_group") == "e");
  CHECK(make({}).prefix_of("x") == nullptr);
}
