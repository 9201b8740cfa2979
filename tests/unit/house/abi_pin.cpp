// The headers of the SDK are pinned to the number of the contract.
#include <apus/digest.h>
#include <apus/plugin.h>
#include <doctest/doctest.h>

#include <sstream>
#include <string>

#include "tests/unit/house/source_text.h"
#include "tests/unit/house/type_scanner.h"

using apus::test::sources_below;
using apus::test::text_of;
using apus::test::tokens_of;

namespace {

constexpr char kPin[] = "tests/unit/house/abi_pin.txt";

// Of what compilers see: comments and line breaks are free, and so is the number itself.
std::string hash_of_headers() {
  std::string all;
  for (const auto& path : sources_below("framework/include/apus")) {
    if (path.parent_path().filename() == "testing") continue;
    all += path.filename().string() + "\n";
    for (const std::string& token : tokens_of(text_of(path), true)) {
      if (!token.starts_with("#define APUS_ABI ")) all += token + "\n";
    }
  }
  return apus::md5_hex(all);
}

}  // namespace

TEST_CASE("a changed header raises the number of the contract") {
  std::istringstream pin(text_of(std::string(APUS_SOURCE_DIR) + "/" + kPin));
  int abi = 0;
  std::string hash;
  pin >> abi >> hash;
  const std::string now = hash_of_headers();
  if (now != hash) {
    const int raised = abi == APUS_ABI ? abi + 1 : APUS_ABI;
    FAIL_CHECK("framework/include/apus is not what ABI "
               << abi << " was. A plugin built against the old headers must be refused:\n"
               << "1. in framework/include/apus/abi.h: #define APUS_ABI " << raised
               << "\n2. the one line of " << kPin << ": " << raised << " " << now);
  } else if (abi != APUS_ABI) {
    FAIL_CHECK("APUS_ABI is " << APUS_ABI << ", the headers are those of " << abi << ". Make it "
                              << abi << " again, or, when a meaning changed, the "
                              << "one line of " << kPin << ": " << APUS_ABI << " " << now);
  }
  CHECK(now == hash);
}
