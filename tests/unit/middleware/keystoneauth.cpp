#include <apus/identity.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

struct Keystoneauth {
  explicit Keystoneauth(const OptionTexts& options = {}) {
    app.otherwise([this](Request& request) -> Response {
      if (request.context.source == "KS") {
        Response out(account_exists ? 204 : 404);
        if (!account_domain.empty())
          out.internal.set("X-Account-Sysmeta-Project-Domain-Id", account_domain);
        return out;
      }
      request.context.acl = acl;
      if (request.context.authorize) {
        if (auto refusal = request.context.authorize(request)) return std::move(*refusal);
      }
      owner = request.context.swift_owner;
      reseller = request.context.reseller_request;
      seen_internal = request.internal;
      seen = request.headers;
      Response out(204);
      if (!account_domain.empty())
        out.internal.set("X-Account-Sysmeta-Project-Domain-Id", account_domain);
      return out;
    });
    filter = load_filter("keystoneauth", options, host, app);
  }

  static Identity user(std::vector<std::string> roles, std::string project = "p1") {
    Identity out;
    out.user_id = "u1";
    out.user_name = "ann";
    out.user_domain_id = "default";
    out.project_id = std::move(project);
    out.project_name = "proj";
    out.project_domain_id = "default";
    out.roles = std::move(roles);
    return out;
  }
  int status(std::string method, std::string path, std::optional<Identity> who = std::nullopt,
             Headers headers = {}) {
    Request request = make_request(std::move(method), path, std::move(headers));
    if (who) request.context.identity = std::make_shared<Identity>(*who);
    last = (*filter)(request);
    return last.status;
  }

  TestHost host;
  FakeApp app;
  std::string acl;
  std::string account_domain;
  bool account_exists = true;
  bool owner = false;
  bool reseller = false;
  Headers seen;
  Headers seen_internal;
  Response last;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("keystoneauth: operators own their project's account, nothing else") {
  Keystoneauth k;
  for (const char* role : {"admin", "SwiftOperator"}) {
    CHECK(k.status("PUT", "/v1/AUTH_p1/c", k.user({role})) == 204);
    CHECK(k.owner);
    CHECK(k.status("GET", "/v1/AUTH_p2/c", k.user({role})) == 403);
    CHECK(k.status("DELETE", "/v1/AUTH_p1", k.user({role})) == 403);
    CHECK(k.status("GET", "/v1/OTHER_p1/c", k.user({role})) == 403);
    CHECK(k.status("GET", "/v1/AUTH_/c", k.user({role}, "")) == 403);
  }
  CHECK(k.status("GET", "/v1/AUTH_p1/c", k.user({"member"})) == 403);
  CHECK(k.status("OPTIONS", "/v1/AUTH_p1/c", k.user({})) == 204);
}

TEST_CASE("keystoneauth: nobody gets in without a confirmed identity") {
  Keystoneauth k;
  CHECK(k.status("GET", "/v1/AUTH_p1/c") == 401);
  CHECK(k.last.headers.get("Www-Authenticate") == "Swift realm=\"AUTH_p1\"");
  CHECK(k.status("GET", "/v1/AUTH_p1/c", std::nullopt,
                 {{"X-Identity-Status", "Confirmed"},
                  {"X-Roles", "admin"},
                  {"X-Project-Id", "p1"},
                  {"X-User-Id", "u1"}}) == 401);
  CHECK(k.status("OPTIONS", "/v1/AUTH_p1/c") == 204);
  k.acl = ".r:*";
  CHECK(k.status("GET", "/v1/AUTH_p1/c/o") == 204);
  CHECK(k.status("GET", "/v1/AUTH_p1/c") == 401);
  CHECK(k.status("GET", "/v1/OTHER_p1/c/o") == 401);
  k.acl = "*:*";
  CHECK(k.status("GET", "/v1/AUTH_p1/c/o") == 401);
}

TEST_CASE("keystoneauth: resellers and system readers") {
  Keystoneauth k(OptionTexts{{"system_reader_roles", "auditor"}});
  CHECK(k.status("DELETE", "/v1/AUTH_p2", k.user({"reselleradmin"})) == 204);
  CHECK(k.owner);
  CHECK(k.reseller);
  CHECK(k.status("GET", "/v1/AUTH_p2/c", k.user({"Auditor"})) == 204);
  CHECK_FALSE(k.owner);
  CHECK(k.status("PUT", "/v1/AUTH_p2/c/o", k.user({"Auditor"})) == 403);
}

TEST_CASE("keystoneauth: ACLs by id, with stars, and by name in the default domain") {
  Keystoneauth k;
  const Identity who = k.user({}, "p9");
  for (const char* acl : {"p9:u1", "*:u1", "p9:*", "*:*", "proj:ann", "*:ann", "proj:*"}) {
    k.acl = acl;
    CAPTURE(acl);
    CHECK(k.status("GET", "/v1/AUTH_p1/c/o", who) == 204);
    CHECK_FALSE(k.owner);
  }
  for (const char* acl : {"p1:u1", "p9:other", "u1", "p9", ":", "p9:"}) {
    k.acl = acl;
    CAPTURE(acl);
    CHECK(k.status("GET", "/v1/AUTH_p1/c/o", who) == 403);
  }
  k.acl = "proj:ann";
  Identity foreign = who;
  foreign.user_domain_id = "elsewhere";
  CHECK(k.status("GET", "/v1/AUTH_p1/c/o", foreign) == 403);
  k.acl = "p9:u1";
  CHECK(k.status("GET", "/v1/AUTH_p1/c/o", foreign) == 204);
  k.acl = "proj:ann";
  k.account_domain = "elsewhere";
  CHECK(k.status("GET", "/v1/AUTH_p1/c/o", who) == 403);
  k.account_domain = "";
  Keystoneauth ids(OptionTexts{{"allow_names_in_acls", "false"}});
  ids.acl = "proj:ann";
  CHECK(ids.status("GET", "/v1/AUTH_p1/c/o", who) == 403);
}

TEST_CASE("keystoneauth: roles in ACLs count within the project only") {
  Keystoneauth k;
  k.acl = "Member";
  CHECK(k.status("GET", "/v1/AUTH_p1/c/o", k.user({"member"})) == 204);
  CHECK(k.status("GET", "/v1/AUTH_p2/c/o", k.user({"member"})) == 403);
  k.acl = ".r:*,member";
  CHECK(k.status("GET", "/v1/AUTH_p1/c", k.user({"member"})) == 403);
}

TEST_CASE("keystoneauth: service accounts, and readers of a project") {
  Keystoneauth k(OptionTexts{{"reseller_prefix", "AUTH, SERVICE"},
                             {"SERVICE_service_roles", "service"},
                             {"project_reader_roles", "reader"}});
  Identity both = k.user({"admin"});
  CHECK(k.status("GET", "/v1/SERVICE_p1", both) == 403);
  both.service_roles = {"Service"};
  CHECK(k.status("GET", "/v1/SERVICE_p1", both) == 204);
  CHECK(k.owner);
  both.roles = {"member"};
  CHECK(k.status("GET", "/v1/SERVICE_p1", both) == 403);
  CHECK(k.status("GET", "/v1/AUTH_p1/c", k.user({"reader"})) == 204);
  CHECK_FALSE(k.owner);
  CHECK(k.status("PUT", "/v1/AUTH_p1/c", k.user({"reader"})) == 403);
}

TEST_CASE("keystoneauth: the domain of a project is noted with its account") {
  Keystoneauth k;
  const auto noted = [&] {
    const std::string* value = k.seen_internal.find("X-Account-Sysmeta-Project-Domain-Id");
    return value != nullptr ? *value : std::string("(none)");
  };
  k.account_exists = false;
  CHECK(k.status("PUT", "/v1/AUTH_p1/c", k.user({"admin"})) == 204);
  CHECK(noted() == "default");
  CHECK(k.status("PUT", "/v1/AUTH_p2", k.user({"reselleradmin"})) == 204);
  CHECK(noted() == "_unknown");
  CHECK(k.status("PUT", "/v1/AUTH_p1/c/o", k.user({"admin"})) == 204);
  CHECK(noted() == "(none)");
  k.account_exists = true;
  k.account_domain = "_unknown";
  CHECK(k.status("POST", "/v1/AUTH_p1", k.user({"admin"})) == 204);
  CHECK(noted() == "default");
  k.account_domain = "d2";
  CHECK(k.status("HEAD", "/v1/AUTH_p1", k.user({"admin"})) == 204);
  CHECK(k.last.headers.get("X-Account-Project-Domain-Id") == "d2");
  CHECK(k.status("POST", "/v1/AUTH_p1", k.user({"admin"})) == 204);
  CHECK(noted() == "(none)");
  CHECK(k.host.log.has("Inconsistent project domain id"));
}

TEST_CASE("keystoneauth: an override, and ACLs in their clean form") {
  Keystoneauth k;
  CHECK(k.status("PUT", "/v1/AUTH_p1/c", k.user({"admin"}), {{"X-Container-Read", "a , b"}}) ==
        204);
  CHECK(k.seen.get("X-Container-Read") == "a,b");
  CHECK(k.status("PUT", "/v1/AUTH_p1/c", k.user({"admin"}), {{"X-Container-Write", ".r:*"}}) ==
        400);
  Request request = make_request("GET", "/v1/AUTH_p1/c/o");
  request.context.authorize_override = true;
  CHECK((*k.filter)(request).status == 204);
}
