#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

struct Quoter {
  explicit Quoter(const OptionTexts& options = {})
      : filter(load_filter("etag_quoter", options, host, app)) {
    app.otherwise({201});
    facts("", "");
  }
  void facts(const char* account, const char* container) {
    const auto mark = [](const char* name, const char* value) {
      FakeAnswer out{204, {}, "", {}};
      if (*value != '\0') out.internal.set(name, value);
      return out;
    };
    app.on("HEAD", "/v1/a", mark("X-Account-Sysmeta-Rfc-Compliant-Etags", account));
    app.on("HEAD", "/v1/a/c", mark("X-Container-Sysmeta-Rfc-Compliant-Etags", container));
  }
  std::string etag(const char* given) {
    app.on("GET", "/v1/a/c/o", FakeAnswer{200, {{"Etag", given}}, ""});
    Request request = make_request("GET", "/v1/a/c/o");
    return std::string((*filter)(request).headers.get("Etag"));
  }
  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("etag_quoter: container before account before the deployer") {
  Quoter quoter;
  CHECK(quoter.etag("abc") == "abc");
  quoter.facts("True", "");
  CHECK(quoter.etag("abc") == "\"abc\"");
  quoter.facts("True", "False");
  CHECK(quoter.etag("abc") == "abc");
  quoter.facts("", "True");
  CHECK(quoter.etag("abc") == "\"abc\"");
  CHECK(quoter.etag("\"abc\"") == "\"abc\"");
  CHECK(quoter.etag("W/\"abc\"") == "W/\"abc\"");
  Quoter always(OptionTexts{{"enable_by_default", "true"}});
  CHECK(always.etag("abc") == "\"abc\"");
}

TEST_CASE("etag_quoter: the client's header and the stored one") {
  Quoter quoter;
  const auto stored = [&](Headers headers) {
    quoter.app.on("POST", "/v1/a/c", FakeAnswer{204, {}, "", {}});
    Request request = make_request("POST", "/v1/a/c", std::move(headers));
    (*quoter.filter)(request);
    const FakeCall call = quoter.app.last();
    const std::string* value = call.internal.find("X-Container-Sysmeta-Rfc-Compliant-Etags");
    return value != nullptr ? "=" + *value : "none";
  };
  CHECK(stored({{"X-Container-Rfc-Compliant-Etags", "yes"}}) == "=True");
  CHECK(stored({{"X-Container-Rfc-Compliant-Etags", "no"}}) == "=False");
  CHECK(stored({{"X-Container-Rfc-Compliant-Etags", ""}}) == "=");
  CHECK(stored({{"X-Remove-Container-Rfc-Compliant-Etags", "x"}}) == "=");
  CHECK(stored({}) == "none");
  quoter.facts("", "True");
  Request head = make_request("HEAD", "/v1/a/c");
  CHECK((*quoter.filter)(head).headers.get("X-Container-Rfc-Compliant-Etags") == "True");
}
