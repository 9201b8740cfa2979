// Values that servers read from confs and from each other.
#include <doctest/doctest.h>

#include "framework/backend/backend.h"

namespace apus {
namespace {

TEST_CASE("a reserve is bytes or a share, and no text is too large for it") {
  CHECK(parse_reserve("10737418240").bytes == 10737418240U);
  CHECK(parse_reserve(" 1% ").percent == 1.0);
  CHECK(parse_reserve("1%").bytes == 0);
  for (const char* none : {"", "0", "-5", "nan", "much"}) {
    CAPTURE(none);
    CHECK(parse_reserve(none).bytes == 0);
    CHECK(parse_reserve(none).percent == 0);
  }
  for (const char* all : {"1e300", "inf", "99999999999999999999"}) {
    CAPTURE(all);
    CHECK(parse_reserve(all).bytes > 9000000000000000000U);
  }
}

TEST_CASE("an endpoint has a port") {
  const auto plain = parse_endpoint("10.0.0.1:6200");
  REQUIRE(plain.has_value());
  CHECK(plain->ip == "10.0.0.1");
  CHECK(plain->port == 6200);
  CHECK(parse_endpoint("[::1]:6200")->ip == "::1");
  for (const char* wrong : {"", "10.0.0.1", "10.0.0.1:", "10.0.0.1:65536", ":-1", "[::1]"})
    CHECK_FALSE(parse_endpoint(wrong).has_value());
}

TEST_CASE("a policy index is the number that it says") {
  SwiftConf conf;
  conf.policies.resize(1);
  conf.policies.front().index = 0;
  for (const char* good : {"", "0"}) {
    Request request("GET", "/d/1/a/c/o");
    if (*good != '\0') request.internal.set("X-Backend-Storage-Policy-Index", good);
    Response refusal;
    CHECK(request_policy(request, conf, refusal) == 0);
  }
  for (const char* wrong : {"1", "-1", "4294967296", "9223372036854775807", "x", "0x0"}) {
    CAPTURE(wrong);
    Request request("GET", "/d/1/a/c/o");
    request.internal.set("X-Backend-Storage-Policy-Index", wrong);
    Response refusal;
    CHECK_FALSE(request_policy(request, conf, refusal).has_value());
    CHECK(refusal.status == 503);
  }
}

}  // namespace
}  // namespace apus
