#include <doctest/doctest.h>

#include "tests/unit/middleware/quota_pipeline.h"

using namespace apus;
using namespace apus::testing;

TEST_CASE("container_quotas: bytes and counts") {
  Quotas q("container_quotas");
  q.container.headers = {{"X-Container-Bytes-Used", "95"},
                         {"X-Container-Object-Count", "3"},
                         {"X-Container-Meta-Quota-Bytes", "100"}};
  CHECK(q.status("PUT", "/v1/a/c/o", {}, "12345") == 201);
  Response out = q.ask("PUT", "/v1/a/c/o", {}, "123456");
  CHECK(out.status == 413);
  CHECK(body_of(out) == "Upload exceeds quota.");
  CHECK(q.status("POST", "/v1/a/c/o") == 201);
  q.container.headers.set("X-Container-Meta-Quota-Count", "4");
  CHECK(q.status("PUT", "/v1/a/c/o", {}, "1") == 201);
  q.container.headers.set("X-Container-Meta-Quota-Count", "3");
  CHECK(q.status("PUT", "/v1/a/c/o", {}, "1") == 413);
  q.refuses = true;
  CHECK(q.status("PUT", "/v1/a/c/o", {}, "1") == 401);
}

TEST_CASE("container_quotas: only digits are quotas") {
  Quotas q("container_quotas");
  Response out = q.ask("PUT", "/v1/a/c", {{"X-Container-Meta-Quota-Bytes", "1k"}});
  CHECK(out.status == 400);
  CHECK(body_of(out) == "Invalid bytes quota.");
  out = q.ask("POST", "/v1/a/c", {{"X-Container-Meta-Quota-Count", "-1"}});
  CHECK(body_of(out) == "Invalid count quota.");
  CHECK(q.status("POST", "/v1/a/c", {{"X-Container-Meta-Quota-Count", ""}}) == 201);
  for (const char* text : {"", "x", "-1", "1 ", "999999999999999999999999"}) {
    q.container.headers = {{"X-Container-Bytes-Used", "95"},
                           {"X-Container-Meta-Quota-Bytes", text}};
    CAPTURE(text);
    CHECK(q.status("PUT", "/v1/a/c/o", {}, "123") == 201);
  }
}

TEST_CASE("container_quotas: a container that is not there passes, to fail below") {
  Quotas q("container_quotas");
  q.app.on("HEAD", "/v1/a/none", FakeAnswer{404});
  CHECK(q.status("PUT", "/v1/a/none/o", {}, "123") == 201);
}
