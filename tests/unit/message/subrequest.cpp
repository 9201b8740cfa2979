#include <apus/crypto_keys.h>
#include <apus/message.h>
#include <doctest/doctest.h>

using namespace apus;

TEST_CASE("a sub-request leaves behind what was found out about its parent's path alone") {
  Request parent("GET", "/v1/AUTH_a/open/link");
  parent.headers.set("Referer", "http://a.example");
  parent.headers.set("X-Auth-Token", "secret");
  parent.context.trans_id = "tx1";
  parent.context.remote_user = "a,a:b";
  parent.context.authorize = [](Request&) { return std::optional<Response>(Response(403)); };
  // The ACL of the link's container: it must not judge the target's.
  parent.context.acl = ".r:*";
  parent.context.swift_owner = true;
  parent.context.reseller_request = true;
  parent.context.slo_override = true;
  parent.context.timestamp = Timestamp::from_seconds(1);
  // A keymaster made it for the parent's path.
  parent.context.fetch_crypto_keys = [](const Json*) {
    return std::shared_ptr<const CryptoKeys>();
  };
  parent.context.crypto_override = true;

  const Request sub = make_subrequest(parent, "GET", "/v1/AUTH_a/closed/target", "SYM", false);
  CHECK(sub.context.acl.empty());
  CHECK_FALSE(sub.context.swift_owner);
  CHECK_FALSE(sub.context.reseller_request);
  CHECK_FALSE(sub.context.slo_override);
  CHECK_FALSE(sub.context.timestamp);
  CHECK_FALSE(sub.context.fetch_crypto_keys);
  CHECK_FALSE(sub.context.crypto_override);
  CHECK(sub.context.trans_id == "tx1");
  CHECK(sub.context.remote_user == "a,a:b");
  CHECK(static_cast<bool>(sub.context.authorize));
  CHECK(sub.context.source == "SYM");
  CHECK(sub.headers.get("Referer") == "http://a.example");
  CHECK_FALSE(sub.headers.has("X-Auth-Token"));
}

TEST_CASE("a sub-request with all rights passes every hook") {
  Request parent("GET", "/v1/AUTH_a/c/o");
  parent.context.authorize = [](Request&) { return std::optional<Response>(Response(403)); };
  Request sub = make_subrequest(parent, "HEAD", "/v1/AUTH_a/c", "VW", true);
  CHECK_FALSE(sub.context.authorize(sub));
  CHECK(sub.context.authorize_override);
  CHECK(sub.context.swift_owner);
}
