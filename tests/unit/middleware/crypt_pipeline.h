// keymaster in front of encryption in front of a store in memory, for the tests of both.
#pragma once

#include <apus/conditional.h>
#include <apus/digest.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace apus::testing {

/// The "random" bytes 16, 33, 50, ...: with them Swift's own filters wrote the texts that the tests
/// compare with.
class SteppedEntropy final : public Entropy {
 public:
  void fill(std::span<char> out) override {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(17 * i + 16);
  }
};

class CryptHost final : public TestHost {
 public:
  Entropy& entropy() override { return stepped ? static_cast<Entropy&>(steps_) : chance; }
  bool stepped = false;

 private:
  SteppedEntropy steps_;
};

inline std::string root_secret(char byte, std::size_t size = 32) {
  return base64_encode(std::string(size, byte));
}

/// What an object server would hold.
struct StoredObject {
  std::string body;
  std::string etag;
  Headers headers;
  Headers internal;
};

struct CryptPipeline {
  explicit CryptPipeline(const OptionTexts& keymaster = {{"encryption_root_secret",
                                                          root_secret('r')}},
                         const OptionTexts& encryption = {})
      : inner(load_filter("encryption", encryption, host, app)),
        outer(load_filter("keymaster", keymaster, host, *inner)) {}

  Response ask(const std::string& method, const std::string& target, Headers headers = {},
               std::optional<std::string> body = std::nullopt) {
    Request request = make_request(method, target, std::move(headers), std::move(body));
    return (*outer)(request);
  }

  /// Stores an object and makes it readable there.
  Response put(const std::string& target, std::string body, Headers headers = {},
               Headers internal = {}) {
    Request request = make_request("PUT", target, std::move(headers), std::move(body));
    request.internal = std::move(internal);
    const std::string path = request.path;
    app.on("PUT", path, [this, path](Request& stored) {
      keep(path, stored);
      Response out(201);
      out.headers.set("Etag", objects[path].etag);
      return out;
    });
    return (*outer)(request);
  }

  /// Answers GET and HEAD as an object server does.
  void serve(const std::string& path) {
    const auto answer = [this, path](Request& request) {
      const StoredObject& object = objects.at(path);
      Response out;
      out.headers = object.headers;
      out.internal = object.internal;
      out.headers.set("Etag", object.etag);
      out.headers.set("Content-Type", "text/plain");
      out.headers.set("Last-Modified", "Thu, 01 Jan 2015 00:00:00 GMT");
      const std::string_view is_at = request.internal.get("X-Backend-Etag-Is-At");
      const std::string_view other = object.internal.get(is_at.substr(is_at.find_last_of(',') + 1));
      answer_conditionally(
          request, out, object.body.size(), other.empty() ? object.etag : other,
          [body = object.body](ByteRange range) {
            return std::make_unique<PieceSource>(body.substr(range.first, range.length()), 7);
          },
          "0123456789abcdef");
      if (request.method == "HEAD") out.body.reset();
      return out;
    };
    app.on("GET", path, answer).on("HEAD", path, answer);
  }

  CryptHost host;
  FakeApp app;
  std::map<std::string, StoredObject> objects;
  std::unique_ptr<const App> inner;
  std::unique_ptr<const App> outer;

 private:
  void keep(const std::string& path, const Request& stored) {
    const FakeCall call = app.last();
    StoredObject object{call.body.value_or(""), md5_hex(call.body.value_or("")), {}, {}};
    for (const auto& [name, value] : stored.headers)
      if (starts_with_name(name, "X-Object-Meta-")) object.headers.set(name, value);
    object.internal = stored.internal;
    for (const auto& [name, value] : call.footers)
      if (name != "Etag") object.internal.set(name, value);
    objects[path] = std::move(object);
    serve(path);
  }
};

}  // namespace apus::testing
