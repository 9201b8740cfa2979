#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <stdexcept>

using namespace apus;
using namespace apus::testing;

namespace {

struct CatchErrors {
  explicit CatchErrors(const OptionTexts& options = {})
      : filter(load_filter("catch_errors", options, host, app)) {
    app.otherwise({200, {}, "hello"});
  }
  Response ask(Headers headers = {}) {
    Request request = make_request("GET", "/v1/a", std::move(headers));
    Response out = (*filter)(request);
    trans_id = request.context.trans_id;
    return out;
  }

  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
  std::string trans_id;
};

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

TEST_CASE("catch_errors: the transaction has a name, in the context and in the answer") {
  CatchErrors errors;
  Response response = errors.ask();
  CHECK(body_of(response) == "hello");
  const std::string id = errors.trans_id;
  CHECK(response.headers.get("X-Trans-Id") == id);
  CHECK(response.headers.get("X-Openstack-Request-Id") == id);
  CHECK(errors.app.last().context.trans_id == id);
  // tx, 21 random hex digits, a dash, the time in 10.
  REQUIRE(id.size() == 34);
  CHECK(id.starts_with("tx"));
  CHECK(is_hex(id.substr(2, 21)));
  CHECK(id.substr(23) == "-006553f100");
  errors.ask();
  CHECK(errors.trans_id != id);
}

TEST_CASE("catch_errors: the deployer's suffix and the client's extra") {
  CatchErrors errors(OptionTexts{{"trans_id_suffix", "-site 1"}});
  errors.ask({{"X-Trans-Id-Extra", "a b\xff" + std::string(40, 'x')}});
  CHECK(errors.trans_id.substr(23) == "-006553f100-site%201-a%20b%FF" + std::string(28, 'x'));
}

TEST_CASE("catch_errors: what nobody caught is a 500 and a line in the log") {
  CatchErrors errors;
  errors.app.otherwise([](Request&) -> Response { throw std::runtime_error("ring is gone"); });
  Response response = errors.ask();
  CHECK(response.status == 500);
  CHECK(body_of(response) == "An error occurred");
  CHECK(response.headers.get("X-Trans-Id") == errors.trans_id);
  const auto lines = errors.host.log.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].level == LogLevel::kError);
  CHECK(lines[0].text == "Error: ring is gone");
  CHECK(lines[0].trans_id == errors.trans_id);
}

TEST_CASE("catch_errors: a client that goes away is the host's business") {
  CatchErrors errors;
  Request request("PUT", "/v1/a/c/o");
  request.content_length = 5;
  request.body = std::make_unique<PieceSource>("ab", 0, BodyError::Kind::kDisconnect);
  CHECK_THROWS_AS((*errors.filter)(request), BodyError);
  CHECK(errors.host.log.lines().empty());
}
