// Account and container servers through their shared objects, over a folder of devices.
#pragma once

#include <apus/headers.h>
#include <apus/json.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/temp_tree.h>
#include <apus/text.h>
#include <apus/transport.h>

#include <filesystem>
#include <string>

namespace apus::test {

/// Any Transport call answers with `status`.
class FixedTransport final : public Transport {
 public:
  Outcome call(Call call, const Deadlines&) override {
    calls.push_back(std::move(call));
    Outcome out;
    if (status == 0) {
      out.error = TransportError(TransportError::Kind::kConnect, "nobody there");
    } else {
      out.response = Response(status);
    }
    return out;
  }
  std::vector<Outcome> gather(
      std::vector<Call> all, const Deadlines& deadlines,
      const std::function<bool(const std::vector<std::optional<Outcome>>&)>&,
      std::chrono::milliseconds) override {
    std::vector<Outcome> out;
    for (Call& one : all) out.push_back(call(std::move(one), deadlines));
    return out;
  }
  std::unique_ptr<Upload> upload(const Deadlines&) override { return nullptr; }

  int status = 201;
  std::vector<Call> calls;
};

struct Answer {
  int status = 0;
  Headers headers;
  Headers internal;
  std::string body;
};

struct Servers {
  Servers() {
    host.use_transport(transport);
    host.conf.policies.push_back({1, "silver", {}, false, false, "replication"});
    std::filesystem::create_directories(tree.path() / "d1");
    const testing::OptionTexts options = {
        {"devices", tree.path().string()}, {"mount_check", "false"}, {"fallocate_reserve", "0"}};
    account = testing::load_app("account", options, host);
    container = testing::load_app("container", options, host);
  }

  Answer ask(const App& app, const std::string& method, const std::string& path,
             const Headers& fields = {}, const std::string& body = "",
             const std::string& query = "") {
    Request request(method, path);
    request.raw_path = quote(path);
    request.query = Query(query);
    request.raw_query = query;
    for (const auto& [name, value] : fields)
      (is_internal_name(name) || same_name(name, "X-Timestamp") ? request.internal
                                                                : request.headers)
          .set(name, value);
    if (!body.empty()) {
      request.body = std::make_unique<StringSource>(body);
      request.content_length = body.size();
    }
    Response response = app(request);
    Answer out{response.status, response.headers, response.internal, ""};
    out.body = read_all(response.body.get(), 1U << 26U);
    return out;
  }

  /// The place's hash, for REPLICATE.
  std::string replicate_path(const std::string& container_name) {
    return "/d1/7/" + host.conf.hash_path("AUTH_a", container_name);
  }

  testing::TestHost host;
  testing::TempTree tree;
  FixedTransport transport;
  std::unique_ptr<const App> account;
  std::unique_ptr<const App> container;
};

inline Headers at_time(const std::string& when) { return {{"X-Timestamp", when}}; }

}  // namespace apus::test
