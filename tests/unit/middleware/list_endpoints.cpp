#include <apus/ring.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

// One partition on two devices.
class TwoNodes final : public Ring {
 public:
  explicit TwoNodes(int port) {
    for (const char* name : {"sda", "sdb"}) {
      RingDevice device;
      device.ip = "10.0.0.1";
      device.port = port;
      device.device = name;
      devices_.emplace_back(device);
    }
  }
  [[nodiscard]] std::uint32_t partition_count() const override { return 1; }
  [[nodiscard]] int part_power() const override { return 0; }
  [[nodiscard]] std::optional<int> next_part_power() const override { return std::nullopt; }
  [[nodiscard]] double replica_count() const override { return 2; }
  [[nodiscard]] const std::vector<std::optional<RingDevice>>& devices() const override {
    return devices_;
  }
  [[nodiscard]] std::uint32_t partition_of(std::string_view hash) const override {
    return hash.size() == 32 ? 7 : 0;
  }
  [[nodiscard]] std::vector<RingNode> primaries(std::uint32_t) const override {
    return {{&*devices_[0], 0, -1}, {&*devices_[1], 1, -1}};
  }
  [[nodiscard]] std::unique_ptr<HandoffWalk> handoffs(std::uint32_t) const override {
    return nullptr;
  }

 private:
  std::vector<std::optional<RingDevice>> devices_;
};

struct Rings final : RingDirectory {
  std::shared_ptr<const Ring> account() override { return std::make_shared<TwoNodes>(1); }
  std::shared_ptr<const Ring> container() override { return std::make_shared<TwoNodes>(2); }
  std::shared_ptr<const Ring> object(int policy) override {
    return std::make_shared<TwoNodes>(10 + policy);
  }
};

struct Endpoints {
  Endpoints() {
    host.use_rings(rings);
    app.otherwise({404});
    app.on("HEAD", "/v1/a", FakeAnswer{204});
    app.on("HEAD", "/v1/a/c", FakeAnswer{204, {}, "", {{"X-Backend-Storage-Policy-Index", "1"}}});
    filter = load_filter("list_endpoints", {}, host, app);
  }
  std::string ask(std::string_view target, const char* method = "GET") {
    Request request = make_request(method, target);
    Response response = (*filter)(request);
    return std::to_string(response.status) + " " + body_of(response);
  }
  Rings rings;
  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("list_endpoints: accounts, containers and objects, in both forms") {
  Endpoints endpoints;
  CHECK(endpoints.ask("/endpoints/a") ==
        R"(200 ["http://10.0.0.1:1/sda/7/a", "http://10.0.0.1:1/sdb/7/a"])");
  CHECK(endpoints.ask("/endpoints/v1/a/c") ==
        R"(200 ["http://10.0.0.1:2/sda/7/a/c", "http://10.0.0.1:2/sdb/7/a/c"])");
  CHECK(endpoints.ask("/endpoints/v2/a/c/o%20o/p") ==
        R"(200 {"endpoints": ["http://10.0.0.1:11/sda/7/a/c/o%20o/p", )"
        R"("http://10.0.0.1:11/sdb/7/a/c/o%20o/p"], )"
        R"("headers": {"X-Backend-Storage-Policy-Index": "1"}})");
  CHECK(endpoints.ask("/endpoints/2.0/a").starts_with(R"(200 {"endpoints": [)"));
}

TEST_CASE("list_endpoints: what cannot be looked up") {
  Endpoints endpoints;
  CHECK(endpoints.ask("/endpoints/") == "400 No account specified");
  CHECK(endpoints.ask("/endpoints/v1/") == "400 No account specified");
  CHECK(endpoints.ask("/endpoints/v3/a") == "400 Unsupported version 'v3'");
  CHECK(endpoints.ask("/endpoints/v_3/a").starts_with("200 "));
  CHECK(endpoints.ask("/endpoints/a", "PUT").starts_with("405 "));
  CHECK(endpoints.ask("/endpointsx/a").starts_with("404 "));
}
