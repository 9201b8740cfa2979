#include <doctest/doctest.h>

#include "tests/unit/middleware/quota_pipeline.h"

using namespace apus;
using namespace apus::testing;

TEST_CASE("account_quotas: uploads past the quota are refused") {
  Quotas q("account_quotas");
  q.account.headers = {{"X-Account-Bytes-Used", "95"}, {"X-Account-Meta-Quota-Bytes", "100"}};
  CHECK(q.status("PUT", "/v1/a/c/o", {}, "12345") == 201);
  Response out = q.ask("PUT", "/v1/a/c/o", {}, "123456");
  CHECK(out.status == 413);
  CHECK(body_of(out) == "Upload exceeds quota.");
  CHECK(out.headers.get("Content-Type") == "text/html; charset=UTF-8");
  CHECK(q.status("PUT", "/v1/a/c") == 201);
  CHECK(q.status("POST", "/v1/a/c/o") == 201);
  CHECK(q.status("DELETE", "/v1/a/c/o") == 201);
  q.reseller = true;
  CHECK(q.status("PUT", "/v1/a/c/o", {}, "123456") == 201);
}

TEST_CASE("account_quotas: who may not write is told so, not that the account is full") {
  Quotas q("account_quotas");
  q.account.headers = {{"X-Account-Bytes-Used", "95"}, {"X-Account-Meta-Quota-Bytes", "0"}};
  q.refuses = true;
  CHECK(q.status("PUT", "/v1/a/c/o", {}, "1") == 401);
  Request request = make_request("PUT", "/v1/a/c/o", {}, "1");
  request.context.authorize = [](Request&) { return std::optional<Response>(); };
  CHECK((*q.filter)(request).status == 413);
}

TEST_CASE("account_quotas: counts, and both by policy") {
  Quotas q("account_quotas");
  q.account.headers = {{"X-Account-Object-Count", "5"}};
  q.account.internal = {{"X-Account-Sysmeta-Quota-Count", "6"}};
  CHECK(q.status("PUT", "/v1/a/c/o") == 201);
  q.account.internal.set("X-Account-Sysmeta-Quota-Count", "5");
  CHECK(q.status("PUT", "/v1/a/c/o") == 413);
  q.account.internal = {{"X-Account-Sysmeta-Quota-Bytes-Policy-1", "3"}};
  CHECK(q.status("PUT", "/v1/a/c/o", {}, "1234") == 201);
  q.container.internal.set("X-Backend-Storage-Policy-Index", "1");
  CHECK(q.status("PUT", "/v1/a/c/o", {}, "123") == 201);
  Response out = q.ask("PUT", "/v1/a/c/o", {}, "1234");
  CHECK(out.status == 413);
  CHECK(body_of(out) == "Upload exceeds policy quota.");
  q.account.internal = {{"X-Account-Sysmeta-Quota-Count-Policy-1", "0"}};
  CHECK(q.status("PUT", "/v1/a/c/o") == 413);
}

TEST_CASE("account_quotas: resellers alone set them") {
  Quotas q("account_quotas");
  for (const char* name :
       {"X-Account-Meta-Quota-Bytes", "X-Account-Quota-Bytes", "X-Account-Quota-Count",
        "X-Remove-Account-Meta-Quota-Bytes", "X-Account-Quota-Bytes-Policy-gold"}) {
    CAPTURE(name);
    q.reseller = false;
    CHECK(q.status("POST", "/v1/a", {{name, "5"}}) == 403);
    CHECK(q.status("PUT", "/v1/a", {{name, "5"}}) == 403);
    CHECK(q.status("POST", "/v1/a/c", {{name, "5"}}) == 201);
    q.reseller = true;
    CHECK(q.status("POST", "/v1/a", {{name, "5"}}) == 204);
  }
  CHECK(q.status("POST", "/v1/a", {{"X-Account-Meta-Quota-Bytes", "x"}}) == 400);
  CHECK(q.status("POST", "/v1/a", {{"X-Account-Quota-Count", "-1"}}) == 400);
  q.status("POST", "/v1/a", {{"X-Account-Quota-Bytes-Policy-gold", "77"}});
  CHECK(q.seen_internal.get("X-Account-Sysmeta-Quota-Bytes-Policy-1") == "77");
  q.status("POST", "/v1/a", {{"X-Account-Meta-Quota-Bytes", "5"}});
  CHECK(q.seen.get("X-Account-Meta-Quota-Bytes") == "5");
  CHECK(q.seen_internal.get("X-Account-Sysmeta-Quota-Bytes") == "5");
  q.status("POST", "/v1/a", {{"X-Remove-Account-Meta-Quota-Bytes", "x"}});
  CHECK(q.seen_internal.find("X-Account-Sysmeta-Quota-Bytes")->empty());
}

TEST_CASE("account_quotas: everybody sees them; odd values are none") {
  Quotas q("account_quotas");
  q.account.internal = {{"X-Account-Sysmeta-Quota-Bytes", "7"},
                        {"X-Account-Sysmeta-Quota-Count-Policy-1", "9"}};
  Response out = q.ask("HEAD", "/v1/a");
  CHECK(out.headers.get("X-Account-Quota-Bytes") == "7");
  CHECK(out.headers.get("X-Account-Quota-Count-Policy-gold") == "9");
  q.account.internal.clear();
  for (const char* text : {"", "x", "-1", "999999999999999999999999999", "9223372036854775807"}) {
    q.account.headers = {{"X-Account-Bytes-Used", "95"}, {"X-Account-Meta-Quota-Bytes", text}};
    CAPTURE(text);
    CHECK(q.status("PUT", "/v1/a/c/o", {}, "123") == 201);
  }
}
