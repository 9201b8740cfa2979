#include "framework/backend/moment_text.h"

#include <doctest/doctest.h>

#include <ctime>

TEST_CASE("a moment is written as ctime() writes it") {
  for (const std::time_t when : {std::time_t{0}, std::time_t{951782400}, std::time_t{1795938051}}) {
    std::string expected(26, '\0');
    ::ctime_r(&when, expected.data());
    expected.resize(expected.find('\n'));
    CHECK(apus::moment_text(static_cast<double>(when) + 0.9) == expected);
  }
}
