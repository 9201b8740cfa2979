#include <apus/options.h>
#include <doctest/doctest.h>

#include <array>

using namespace apus;

namespace {

constexpr std::array kSpecs = {
    OptionSpec{"flag", OptionType::kBool, "no", "a flag"},
    OptionSpec{"count", OptionType::kInt, "3", "a count", 1, 10},
    OptionSpec{"share", OptionType::kNumber, "0.5", "a share", 0, 1},
    OptionSpec{"must", OptionType::kText, nullptr, "is needed", -1, 1, false, true},
    OptionSpec{"user_*", OptionType::kText, nullptr, "a user", -1, 1, true},
};

std::vector<std::string> findings(const Options::Map& values) {
  std::vector<std::string> out;
  for (const auto& found : Options("x", kSpecs.data(), kSpecs.size(), values).check({"log_name"}))
    out.push_back((found.fatal ? "error " : "warning ") + found.option + ": " + found.message);
  return out;
}

Options::Value at(const char* text, const char* section = "filter:x") {
  return {text, {"f", 1, section}};
}

}  // namespace

TEST_CASE("values that fit leave nothing to say") {
  CHECK(findings({{"must", at("")},
                  {"flag", at("On")},
                  {"count", at("10")},
                  {"share", at("1.0")},
                  {"user_a_b", at("k")},
                  {"log_name", at("n")},
                  {"other", at("1", "DEFAULT")}})
            .empty());
}

TEST_CASE("values that do not fit are told with what would") {
  const auto found = findings(
      {{"flag", at("yess")}, {"count", at("11")}, {"share", at("half")}, {"cuont", at("1")}});
  REQUIRE(found.size() == 5);
  CHECK(found[0] == "error must: is required: is needed");
  CHECK(found[1] ==
        "error count: '11' does not fit; expected a whole number, at least 1, at most 10");
  CHECK(found[2] == "warning cuont: is not known here; did you mean count?");
  CHECK(found[3].starts_with("warning flag: 'yess' is taken for no; expected one of true"));
  CHECK(found[4] == "error share: 'half' does not fit; expected a number, at least 0, at most 1");
}
