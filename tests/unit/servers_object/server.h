// The object server's shared object over one device, with a container server that tells what it was
// told.
#pragma once

#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <apus/testing/temp_tree.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/transport/local_transport.h"

namespace apus::test {

/// Moments of the requests below: before the test clock's 1700000000.
inline std::string at(int second) { return "16999990" + std::to_string(10 + second) + ".00000"; }

struct ObjectServer {
  explicit ObjectServer(testing::OptionTexts options = {}) {
    std::filesystem::create_directories(tree.path() / "d1");
    StoragePolicy second;
    second.index = 1;
    second.name = "second";
    second.is_default = false;
    host.conf.policies.push_back(second);
    transport.add({"10.0.0.1", 6201}, containers);
    containers.otherwise(testing::FakeAnswer{.status = 201});
    host.use_transport(transport);
    options.insert({{"devices", tree.path().string()}, {"mount_check", "false"}});
    app = testing::load_app("object", options, host);
  }

  struct Answer {
    int status = 0;
    Headers headers;
    Headers internal;
    std::string body;
    std::optional<std::uint64_t> length;
    [[nodiscard]] std::string_view get(std::string_view name) const {
      return headers.get(name, internal.get(name));
    }
  };

  /// Internal names among `fields` go where only servers write.
  Answer ask(const std::string& method, const std::string& path, const Headers& fields = {},
             std::optional<std::string> body = std::nullopt) const {
    Request request = testing::make_request(method, "/", {}, std::move(body));
    request.path = path;
    for (const auto& [name, value] : fields) {
      const bool inside = is_internal_name(name) || name == "X-Timestamp";
      (inside ? request.internal : request.headers).set(name, value);
    }
    return ask(request);
  }
  Answer ask(Request& request) const {
    Response response = (*app)(request);
    Answer out{response.status, response.headers, response.internal, "", response.content_length};
    if (request.method != "HEAD") out.body = testing::body_of(response);
    return out;
  }

  Answer put(int second, std::string body, Headers fields = {}) const {
    fields.set("X-Timestamp", at(second));
    if (!fields.has("Content-Type")) fields.set("Content-Type", "text/plain");
    return ask("PUT", kObject, fields, std::move(body));
  }
  Answer post(int second, Headers fields = {}) const {
    fields.set("X-Timestamp", at(second));
    return ask("POST", kObject, fields);
  }
  Answer remove(int second, Headers fields = {}) const {
    fields.set("X-Timestamp", at(second));
    return ask("DELETE", kObject, fields);
  }
  Answer get(Headers fields = {}) const { return ask("GET", kObject, fields); }

  /// Fields that name the container server above.
  static Headers with_container(Headers fields = {}) {
    fields.set("X-Container-Host", "10.0.0.1:6201");
    fields.set("X-Container-Partition", "3");
    fields.set("X-Container-Device", "c1");
    return fields;
  }
  [[nodiscard]] std::vector<std::filesystem::path> files(const std::string& folder) const {
    std::vector<std::filesystem::path> out;
    std::error_code error;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(tree.path() / "d1" / folder, error)) {
      if (entry.is_regular_file()) out.push_back(entry.path());
    }
    return out;
  }

  static constexpr const char* kObject = "/d1/7/a/c/o";
  mutable testing::TestHost host;
  mutable testing::TempTree tree;
  testing::FakeApp containers;
  LocalTransport transport{nullptr};
  std::unique_ptr<const App> app;
};

}  // namespace apus::test
