// The sender against the real receiver, both over real folders, in one process.
#include "framework/ssync/sender.h"

#include <apus/digest.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "framework/transport/local_transport.h"

using namespace apus;
namespace fs = std::filesystem;

namespace {

const Endpoint kThere{"10.0.0.2", 6200};

ssync::Peer peer_at(const Endpoint& endpoint) {
  ssync::Peer out;
  out.endpoint = endpoint;
  out.device = "there";
  return out;
}

// Device "here" of this server, "there" behind the receiver.
struct Two {
  Two() {
    for (const char* name : {"here", "there"}) fs::create_directories(tree.path() / name);
    host.use_transport(transport);
    const testing::OptionTexts options{{"devices", tree.path().string()}, {"mount_check", "false"}};
    server = testing::load_app("object", options, host);
    app = testing::load_filter("ssync", options, host, *server);
    transport.add(kThere, *app);
  }

  int ask(const std::string& device, const std::string& method, const std::string& name,
          const std::string& when, const std::string& body = "", Headers headers = {}) const {
    if (!headers.has("Content-Type") && method == "PUT") headers.set("Content-Type", "a/b");
    Request request = testing::make_request(method, "/", {}, body);
    request.headers = std::move(headers);
    request.path = "/" + device + "/7/a/c/" + name;
    request.internal.set("X-Timestamp", when);
    return (*app)(request).status;
  }
  [[nodiscard]] Response get(const std::string& name) const {
    Request request("GET", "/there/7/a/c/" + name);
    request.internal.set("X-Backend-Replication", "true");
    return (*app)(request);
  }
  [[nodiscard]] std::string hash(const std::string& name) const {
    return host.conf.hash_path("a", "c", name);
  }
  [[nodiscard]] PartitionPlace place() const {
    return {(tree.path() / "here").string(), "objects", "7"};
  }
  /// Paths below a device's objects, without locks and caches.
  [[nodiscard]] std::vector<std::string> files(const std::string& device) const {
    std::vector<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(tree.path() / device / "objects")) {
      const std::string name = entry.path().filename().string();
      if (entry.is_regular_file() && !name.starts_with(".lock") && !name.starts_with("hashes."))
        out.push_back(fs::relative(entry.path(), tree.path() / device).string());
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  ssync::Report sync(ssync::Job job = {}) {
    const ObjectStore store(host.disk(), host.clock(), host.logger(Options()), host.entropy(),
                            host.conf, settings());
    job.place = place();
    if (job.suffixes.empty()) {
      for (const auto& entry : fs::directory_iterator(tree.path() / "here/objects/7"))
        if (entry.is_directory()) job.suffixes.push_back(entry.path().filename().string());
    }
    return ssync::send(store, host, host.logger(Options()), peer_at(kThere), job, {},
                       stop.get_token());
  }
  static ObjectStore::Settings settings() {
    ObjectStore::Settings out;
    out.known_objects = 0;
    return out;
  }

  mutable testing::TestHost host;
  testing::TempTree tree;
  LocalTransport transport{nullptr};
  std::unique_ptr<const App> server;
  std::unique_ptr<const App> app;
  std::stop_source stop;
};

}  // namespace

TEST_CASE("one of each kind goes over, and a second time nothing") {
  Two two;
  const std::string large(200000, 'x');
  REQUIRE(two.ask("here", "PUT", "\xE2\x98\x83 blank", "1699999001.00000", "hello",
                  {{"X-Object-Meta-Color", "red \xE2\x98\x83"}}) == 201);
  REQUIRE(two.ask("here", "PUT", "large", "1699999001.00000", large) == 201);
  REQUIRE(two.ask("here", "PUT", "empty", "1699999001.00000") == 201);
  REQUIRE(two.ask("here", "PUT", "meta", "1699999001.00000", "m") == 201);
  REQUIRE(two.ask("there", "PUT", "meta", "1699999001.00000", "m") == 201);
  REQUIRE(two.ask("here", "POST", "meta", "1699999002.00000", "",
                  {{"X-Object-Meta-Size", "xl"}, {"Content-Type", "c/d"}}) == 202);
  REQUIRE(two.ask("there", "PUT", "gone", "1699999001.00000", "g") == 201);
  REQUIRE(two.ask("here", "DELETE", "gone", "1699999002.00000") == 404);
  REQUIRE(two.ask("here", "PUT", "newer", "1699999001.00000", "old") == 201);
  REQUIRE(two.ask("there", "PUT", "newer", "1699999005.00000", "new") == 201);
  REQUIRE(two.ask("here", "PUT", "both", "1699999001.00000", "b") == 201);
  REQUIRE(two.ask("here", "POST", "both", "1699999003.00000", "", {{"X-Object-Meta-K", "v"}}) ==
          202);

  ssync::Report report = two.sync();
  CHECK(report.problem == "");
  REQUIRE(report.good);
  CHECK(report.offered.size() == 7);
  CHECK(report.wanted.size() == 6);
  CHECK(report.puts == 4);
  CHECK(report.posts == 2);
  CHECK(report.deletes == 1);
  CHECK(report.bytes == large.size() + 6);
  CHECK(report.in_sync(false).size() == 7);

  Response copied = two.get("\xE2\x98\x83 blank");
  CHECK(testing::body_of(copied) == "hello");
  CHECK(copied.headers.get("X-Object-Meta-Color") == "red \xE2\x98\x83");
  Response whole = two.get("large");
  CHECK(md5_hex(testing::body_of(whole)) == md5_hex(large));
  CHECK(two.get("meta").headers.get("X-Object-Meta-Size") == "xl");
  CHECK(two.get("meta").headers.get("Content-Type") == "c/d");
  CHECK(two.get("both").headers.get("X-Object-Meta-K") == "v");
  Response newer = two.get("newer");
  CHECK(testing::body_of(newer) == "new");
  CHECK(two.get("gone").status == 404);
  auto here = two.files("here");
  auto there = two.files("there");
  std::erase_if(here, [&](const std::string& path) {
    return path.find(two.hash("newer")) != std::string::npos;
  });
  std::erase_if(there, [&](const std::string& path) {
    return path.find(two.hash("newer")) != std::string::npos;
  });
  CHECK(here == there);

  report = two.sync();
  CHECK(report.good);
  CHECK(report.wanted.empty());
  CHECK(report.puts + report.posts + report.deletes == 0);
}

TEST_CASE("a content type that another .meta has set goes with the newest") {
  Two two;
  REQUIRE(two.ask("here", "PUT", "o", "1699999001.00000", "m") == 201);
  REQUIRE(two.ask("here", "POST", "o", "1699999003.00000", "", {{"Content-Type", "c/d"}}) == 202);
  REQUIRE(two.ask("here", "POST", "o", "1699999004.00000", "", {{"X-Object-Meta-A", "1"}}) == 202);
  REQUIRE(two.sync().good);
  CHECK(two.get("o").headers.get("Content-Type") == "c/d");
  CHECK(two.get("o").headers.get("X-Object-Meta-A") == "1");
  const ssync::Report again = two.sync();
  CHECK(again.good);
  CHECK(again.wanted.empty());
}

TEST_CASE("no suffix is a success without a word") {
  Two two;
  ssync::Job job;
  const ObjectStore store(two.host.disk(), two.host.clock(), two.host.logger(Options()),
                          two.host.entropy(), two.host.conf, Two::settings());
  job.place = two.place();
  const auto report = ssync::send(store, two.host, two.host.logger(Options()),
                                  peer_at({"10.0.0.9", 1}), job, {}, {});
  CHECK(report.good);
}

TEST_CASE("a refusal is told with its status and text") {
  Two two;
  REQUIRE(two.ask("here", "PUT", "o", "1699999001.00000", "m") == 201);
  fs::remove_all(two.tree.path() / "there");
  const auto report = two.sync();
  CHECK_FALSE(report.good);
  CHECK(report.problem.starts_with("Expected status 200; got 507 ("));
  ssync::Job job;
  job.policy = 5;
  CHECK(two.sync(job).problem.starts_with("Expected status 200; got 503 ("));
}

TEST_CASE("an error under way is told, and what was refused is not in doubt") {
  Two two;
  REQUIRE(two.ask("here", "PUT", "bad", "1699999001.00000", "hello") == 201);
  REQUIRE(two.ask("here", "PUT", "good", "1699999001.00000", "hello") == 201);
  fs::path file;
  for (const auto& entry : fs::recursive_directory_iterator(two.tree.path() / "here/objects")) {
    if (entry.path().string().find(two.hash("bad")) != std::string::npos &&
        entry.path().extension() == ".data")
      file = entry.path();
  }
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary) << "jello";
  const auto report = two.sync();
  CHECK_FALSE(report.good);
  CHECK(report.problem.find("1 failures to 1 successes") != std::string::npos);
  CHECK(report.unsent == std::set<std::string>{two.hash("bad")});
  CHECK(two.get("good").status == 200);
  CHECK(two.get("bad").status == 404);
  CHECK(fs::exists(two.tree.path() / "here/quarantined/objects" / two.hash("bad")));
}

TEST_CASE("a check alone sends nothing and tells what the peer has") {
  Two two;
  for (const char* name : {"one", "two", "three"}) {
    REQUIRE(two.ask("here", "PUT", name, "1699999001.00000", "m") == 201);
  }
  REQUIRE(two.ask("there", "PUT", "one", "1699999001.00000", "m") == 201);
  const std::set<std::string> asked{two.hash("one"), two.hash("two")};
  ssync::Job job;
  job.only_check = &asked;
  const auto report = two.sync(job);
  REQUIRE(report.good);
  CHECK(report.in_sync(true) == std::set<std::string>{two.hash("one")});
  CHECK(two.get("two").status == 404);
}

TEST_CASE("most bounds the offers, a stop ends the exchange") {
  Two two;
  for (const char* name : {"one", "two", "three"})
    REQUIRE(two.ask("here", "PUT", name, "1699999001.00000", "m") == 201);
  ssync::Job job;
  job.most = 2;
  const auto report = two.sync(job);
  CHECK(report.good);
  CHECK(report.truncated);
  CHECK(report.puts == 2);
  two.stop.request_stop();
  const auto stopped = two.sync();
  CHECK_FALSE(stopped.good);
}
