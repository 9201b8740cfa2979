// What of a secret may be seen in a log: its first bytes at most.
#include "framework/log/redact.h"

#include <doctest/doctest.h>

using apus::redact;

TEST_CASE("header fields, query parameters and options lose their values") {
  CHECK(redact("X-Auth-Token: AUTH_tk0123456789abcdef end") == "X-Auth-Token: AUTH_tk0... end");
  CHECK(redact("GET /v1/a/c/o?temp_url_sig=0123456789abcdef0123&temp_url_expires=9") ==
        "GET /v1/a/c/o?temp_url_sig=01234567...&temp_url_expires=9");
  CHECK(redact("x-container-meta-temp-url-key-2 = a-very-long-secret-key") ==
        "x-container-meta-temp-url-key-2 = a-very-l...");
}

TEST_CASE("a short secret is not shown at all") {
  CHECK(redact("X-Auth-Key: testing") == "X-Auth-Key: ...");
}

TEST_CASE("a value with blanks is cut as a whole") {
  CHECK(redact("Authorization: AWS AKIAEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=\nHost: x") ==
        "Authorization: AWS AKIA...\nHost: x");
}

TEST_CASE("percent-encoded fields are seen") {
  CHECK(redact("-%0AX-Auth-Token%3A%20AUTH_tk0123456789abcdef%0AHost%3A%20h") ==
        "-%0AX-Auth-Token%3A%20AUTH_tk0...%0AHost%3A%20h");
}

TEST_CASE("what was cut before and what has no value stays") {
  CHECK(redact("x-auth-token: AUTH_tk012345678...") == "x-auth-token: AUTH_tk012345678...");
  CHECK(redact("no signature here") == "no signature ...");
  CHECK(redact("the signature.") == "the signature.");
  CHECK(redact("").empty());
}

TEST_CASE("malformed text ends and keeps its other bytes") {
  CHECK(redact("signature=%") == "signature=...");
  CHECK(redact(std::string("x-auth-token:\0tail", 18)).starts_with("x-auth-token:"));
  const std::string many(200000, '%');
  CHECK(redact("signature=" + many).size() < 40);
}
