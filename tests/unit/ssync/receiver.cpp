#include <apus/digest.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "framework/store/object/partition.h"
#include "framework/transport/local_transport.h"

using namespace apus;
using testing::PieceSource;
namespace fs = std::filesystem;

namespace {

constexpr const char* kStart = ":MISSING_CHECK: START\r\n";
constexpr const char* kEnd = ":MISSING_CHECK: END\r\n";
const std::string kDone = ":UPDATES: START\r\n:UPDATES: END\r\n";

// The receiver in front of the object server, both real shared objects, over one device.
struct Receiver {
  explicit Receiver(testing::OptionTexts options = {}) {
    fs::create_directories(tree.path() / "d1");
    host.use_transport(transport);
    const testing::OptionTexts devices{{"devices", tree.path().string()}, {"mount_check", "false"}};
    options.insert(devices.begin(), devices.end());
    server = testing::load_app("object", devices, host);
    app = testing::load_filter("ssync", options, host, *server);
  }

  Response ask(std::string text, Headers internal = {}, std::string path = "/d1/7",
               std::optional<BodyError::Kind> failure = std::nullopt) const {
    Request request("SSYNC", std::move(path));
    request.chunked = true;
    request.body = std::make_unique<PieceSource>(std::move(text), 50, failure);
    request.internal = std::move(internal);
    return (*app)(request);
  }
  /// The pieces of the answer to these lines of a sender: what goes out as one chunk each.
  std::vector<std::string> pieces(std::string text, Headers internal = {}) const {
    Response response = ask(std::move(text), std::move(internal));
    REQUIRE(response.status == 200);
    return read(response);
  }
  static std::vector<std::string> read(Response& response) {
    std::vector<std::string> out;
    std::string buffer(65536, '\0');
    while (const std::size_t count = response.body->read(buffer))
      out.push_back(buffer.substr(0, count));
    return out;
  }
  [[nodiscard]] std::string hash(const std::string& name) const {
    return host.conf.hash_path("a", "c", name);
  }
  int status(const std::string& name) const {
    Request request("GET", "/d1/7/a/c/" + name);
    return (*app)(request).status;
  }
  int put(const std::string& name, const std::string& when) const {
    Request request = testing::make_request("PUT", "/", {{"Content-Type", "a/b"}}, "x");
    request.path = "/d1/7/a/c/" + name;
    request.internal.set("X-Timestamp", when);
    return (*app)(request).status;
  }

  mutable testing::TestHost host;
  testing::TempTree tree;
  LocalTransport transport{nullptr};
  std::unique_ptr<const App> server;
  std::unique_ptr<const App> app;
};

std::string update(const std::string& method, const std::string& name, const std::string& fields,
                   const std::string& body = "") {
  return method + " /a/c/" + name + "\r\n" + fields + "\r\n" + body;
}

}  // namespace

TEST_CASE("bad requests get a real answer before any exchange") {
  const Receiver receiver;
  CHECK(receiver.ask("", {{"X-Backend-Storage-Policy-Index", "7"}}).status == 503);
  CHECK(receiver.ask("", {}, "/d1").status == 400);
  CHECK(receiver.ask("", {}, "/d1/7/x").status == 400);
  CHECK(receiver.ask("", {}, "/../7").status == 400);
  CHECK(receiver.ask("", {}, "/d1/..").status == 400);
  Response index = receiver.ask("", {{"X-Backend-Ssync-Frag-Index", "foo"}});
  CHECK(index.status == 400);
  CHECK(testing::body_of(index) == "Invalid X-Backend-Ssync-Frag-Index 'foo'");
  CHECK(receiver.ask("", {{"X-Backend-Ssync-Node-Index", "foo"}}).status == 400);
  CHECK(receiver.ask("", {}, "/gone/7").status == 507);
}

TEST_CASE("no turn and busy locks are told, and given back") {
  const Receiver receiver(
      testing::OptionTexts{{"replication_concurrency", "1"}, {"replication_lock_timeout", "0.05"}});
  {
    const Response first = receiver.ask("");
    REQUIRE(first.status == 200);
    CHECK(receiver.ask("", {}, "/d1/8").status == 503);
  }
  CHECK(receiver.ask("", {}, "/d1/8").status == 200);
  {
    const Fd held = lock_folder(real_disk(), (receiver.tree.path() / "d1/objects/7").string(),
                                std::chrono::milliseconds(0), "replication");
    REQUIRE(held);
    Response busy = receiver.ask("");
    CHECK(busy.status == 503);
    CHECK(testing::body_of(busy) == "another replicates this partition\n");
  }
  {
    const Fd held = lock_folder(real_disk(), (receiver.tree.path() / "d1").string(),
                                std::chrono::milliseconds(0));
    CHECK(receiver.ask("").status == 503);
  }
  CHECK(receiver.ask("").status == 200);
}

TEST_CASE("the answer starts before a byte of the request is read") {
  const Receiver receiver;
  Response response = receiver.ask("", {}, "/d1/7", BodyError::Kind::kTimeout);
  REQUIRE(response.status == 200);
  CHECK(response.internal.get("X-Backend-Accept-No-Commit") == "True");
  CHECK(!response.content_length);
  std::string buffer(100, '\0');
  CHECK(response.body->read(buffer) == 2);
  CHECK(buffer.starts_with("\r\n"));
  CHECK(response.body->read(buffer) > 0);
  CHECK(buffer.starts_with(":ERROR: 408 'no byte for too long: missing_check start'\n"));
  CHECK(response.body->read(buffer) == 0);
}

TEST_CASE("nothing to sync puts no empty piece on the wire") {
  const Receiver receiver;
  REQUIRE(receiver.put("o", "1699999001.00000") == 201);
  const auto pieces =
      receiver.pieces(kStart + receiver.hash("o") + " 1699999001.00000\r\n" + kEnd + kDone);
  CHECK(pieces == std::vector<std::string>{"\r\n", std::string(kStart) + "\r\n" + kEnd, kDone});
}

TEST_CASE("one of each kind") {
  const Receiver receiver;
  REQUIRE(receiver.put("gone", "1699999001.00000") == 201);
  REQUIRE(receiver.put("meta", "1699999001.00000") == 201);
  REQUIRE(receiver.put("same", "1699999001.00000") == 201);
  REQUIRE(receiver.put("newer", "1699999009.00000") == 201);
  const std::string offers = receiver.hash("gone") + " 1699999002.00000\r\n" +
                             receiver.hash("meta") + " 1699999001.00000 m:186a0\r\n" +
                             receiver.hash("same") + " 1699999001.00000\r\n" +
                             receiver.hash("newer") + " 1699999001.00000\r\n" +
                             receiver.hash("\xE2\x98\x83") + " 1699999001.00000\r\n";
  const std::string updates =
      update("DELETE", "gone", "X-Timestamp: 1699999002.00000\r\n") +
      update("POST", "meta", "X-Object-Meta-color: red\r\nX-Timestamp: 1699999002.00000\r\n") +
      update("PUT", "%E2%98%83",
             "Content-Length: 5\r\nContent-Type: text/plain\r\n"
             "ETag: 5d41402abc4b2a76b9719d911017c592\r\nX-Object-Sysmeta-S: s\r\n"
             "X-Delete-At: 1699999003\r\nX-Timestamp: 1699999001.00000\r\n",
             "hello");
  const auto pieces = receiver.pieces(kStart + offers + kEnd + ":UPDATES: START\r\n" + updates +
                                      ":UPDATES: END\r\n");
  CHECK(pieces == std::vector<std::string>{"\r\n",
                                           kStart + receiver.hash("gone") + " dm\r\n" +
                                               receiver.hash("meta") + " m\r\n" +
                                               receiver.hash("\xE2\x98\x83") + " dm\r\n" + kEnd,
                                           kDone});
  CHECK(receiver.status("gone") == 404);
  CHECK(receiver.status("newer") == 200);
  Request get("GET", "/d1/7/a/c/\xE2\x98\x83");
  get.internal.set("X-Backend-Replication", "true");
  Response copied = (*receiver.app)(get);
  CHECK(testing::body_of(copied) == "hello");
  CHECK(copied.internal.get("X-Object-Sysmeta-S") == "s");
  CHECK(copied.headers.get("X-Delete-At") == "1699999003");
  Request head("HEAD", "/d1/7/a/c/meta");
  CHECK((*receiver.app)(head).headers.get("X-Object-Meta-Color") == "red");
}

TEST_CASE("the end of the body is the end of a list") {
  const Receiver receiver;
  Response response = receiver.ask(kStart + receiver.hash("o") + " 1699999001.00000\r\n");
  std::string buffer(200, '\0');
  std::string text;
  // Whoever only asks what is missing leaves then: no error line.
  CHECK_THROWS_AS(
      while (const std::size_t count = response.body->read(buffer)) text.append(buffer, 0, count),
      BodyError);
  CHECK(text == "\r\n" + std::string(kStart) + receiver.hash("o") + " dm\r\n" + kEnd);
}

TEST_CASE("errors under way are a line, then the end") {
  const Receiver receiver;
  const auto last = [&](const std::string& text) { return receiver.pieces(text).back(); };
  CHECK(last("HELLO\r\n") == ":ERROR: 0 'Looking for :MISSING_CHECK: START got HELLO'\n");
  CHECK(last(std::string(kStart) + "../.. 1699999001.00000\r\n" + kEnd) ==
        ":ERROR: 0 'this is no offer: ../.. 1699999001.00000'\n");
  const std::string checked = std::string(kStart) + kEnd;
  CHECK(last(checked + "HELLO\r\n") == ":ERROR: 0 'Looking for :UPDATES: START got HELLO'\n");
  const std::string updates = checked + ":UPDATES: START\r\n";
  CHECK(last(updates + update("GET", "o", "X-Timestamp: 1\r\n")) ==
        ":ERROR: 0 'Invalid subrequest method GET'\n");
  CHECK(last(updates + update("PUT", "o", "X-Timestamp: 1\r\n")) ==
        ":ERROR: 0 'No content-length sent for PUT /a/c/o'\n");
  CHECK(last(updates + update("DELETE", "o", "Content-Length: 3\r\n")) ==
        ":ERROR: 0 'DELETE subrequest with content-length /a/c/o'\n");
  CHECK(last(updates + update("PUT", "o", "Content-Length: -1\r\n")).starts_with(":ERROR: 0 "));
  CHECK(last(updates + "PUT\r\n").starts_with(":ERROR: 0 "));
  CHECK(last(updates + "PUT /a/c/o\r\nno header\r\n").starts_with(":ERROR: 0 "));
  CHECK(last(std::string(kStart) + std::string(70000, 'x')).starts_with(":ERROR: 0 "));
}

TEST_CASE("a failed part is told at the end, and the others are kept") {
  const Receiver receiver;
  REQUIRE(receiver.put("newer", "1699999009.00000") == 201);
  const std::string fields =
      "Content-Length: 5\r\nContent-Type: a/b\r\nX-Timestamp: 1699999001.00000\r\n";
  const auto pieces = receiver.pieces(
      std::string(kStart) + kEnd + ":UPDATES: START\r\n" + update("PUT", "newer", fields, "hello") +
      update("PUT", "good", fields, "hello") +
      update("DELETE", "never", "X-Timestamp: 1699999001.00000\r\n") + ":UPDATES: END\r\n");
  CHECK(pieces.back() == ":ERROR: 500 'ERROR: With :UPDATES: 1 failures to 2 successes'\n");
  CHECK(receiver.status("good") == 200);
}

TEST_CASE("too many failures end it early") {
  const Receiver receiver(testing::OptionTexts{{"replication_failure_threshold", "2"}});
  std::string updates;
  for (int i = 0; i < 3; ++i)
    updates += update("PUT", "o", "Content-Length: 1\r\nX-Timestamp: 1699999001.00000\r\n", "x");
  const auto pieces = receiver.pieces(std::string(kStart) + kEnd + ":UPDATES: START\r\n" + updates);
  CHECK(pieces.back() == ":ERROR: 0 'Too many 2 failures to 0 successes'\n");
}

TEST_CASE("a sender that goes within an object leaves nothing of it") {
  const Receiver receiver;
  Response response = receiver.ask(std::string(kStart) + kEnd + ":UPDATES: START\r\n" +
                                   update("PUT", "cut",
                                          "Content-Length: 50\r\nContent-Type: a/b\r\n"
                                          "X-Timestamp: 1699999001.00000\r\n",
                                          "hello"));
  CHECK_THROWS_AS(Receiver::read(response), BodyError);
  CHECK(receiver.status("cut") == 404);
}

TEST_CASE("the verb is among those that are told") {
  const Receiver receiver;
  Request options("OPTIONS", "/d1/7");
  CHECK((*receiver.app)(options).headers.get("Allow") ==
        "DELETE, GET, HEAD, OPTIONS, POST, PUT, REPLICATE, SSYNC");
  const Receiver without(testing::OptionTexts{{"replication_server", "false"}});
  CHECK(without.ask("").status == 405);
}
