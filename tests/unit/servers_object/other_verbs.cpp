#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include "framework/store/object/suffix_hashes.h"
#include "tests/unit/servers_object/server.h"

using namespace apus;
using apus::test::at;
using apus::test::ObjectServer;

namespace {

// Pages of the file that are in the page cache.
std::size_t cached_pages(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const std::size_t size = std::filesystem::file_size(file);
  void* map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  ::close(fd);
  REQUIRE(map != MAP_FAILED);
  std::vector<unsigned char> pages((size + 4095) / 4096);
  ::mincore(map, size, pages.data());
  ::munmap(map, size);
  return static_cast<std::size_t>(std::count_if(
      pages.begin(), pages.end(), [](unsigned char page) { return (page & 1U) != 0; }));
}

// Brings the file into the cache if it can be got out of it.
bool can_leave_cache(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  ::fsync(fd);
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
  return cached_pages(file) < 100;
}

}  // namespace

TEST_CASE("GET and HEAD tell the same moments") {
  const ObjectServer server;
  REQUIRE(server.put(1, "hello").status == 201);
  REQUIRE(server.post(3, {{"X-Object-Meta-A", "b"}}).status == 202);
  for (const char* method : {"GET", "HEAD"}) {
    const auto got = server.ask(method, ObjectServer::kObject);
    CHECK(got.status == 200);
    CHECK(got.length == 5);
    CHECK(got.get("X-Timestamp") == at(3));
    CHECK(got.get("X-Backend-Timestamp") == at(3));
    CHECK(got.get("X-Backend-Data-Timestamp") == at(1));
    CHECK(got.get("X-Backend-Durable-Timestamp") == at(1));
    CHECK(got.get("Last-Modified") == http_date(1699999013));
    CHECK(got.get("Etag") == "\"5d41402abc4b2a76b9719d911017c592\"");
    CHECK(got.get("X-Object-Meta-A") == "b");
  }
  CHECK(server.ask("GET", ObjectServer::kObject, {{"X-Timestamp", "bad"}}).status == 400);
}

TEST_CASE("ranges and conditions") {
  const ObjectServer server;
  REQUIRE(server.put(1, "0123456789", {{"X-Object-Sysmeta-Real-Etag", "real"}}).status == 201);
  const auto one = server.get({{"Range", "bytes=2-4"}});
  CHECK(one.status == 206);
  CHECK(one.body == "234");
  CHECK(one.get("Content-Range") == "bytes 2-4/10");
  const auto two = server.get({{"Range", "bytes=0-1,-2"}});
  CHECK(two.status == 206);
  CHECK(two.get("Content-Type").starts_with("multipart/byteranges;boundary="));
  CHECK(two.length == two.body.size());
  const auto none = server.get({{"Range", "bytes=10-"}});
  CHECK(none.status == 416);
  CHECK(none.get("Content-Range") == "bytes */10");
  CHECK(server.get({{"Range", "lines=1-2"}}).status == 200);
  CHECK(server
            .get({{"Range", "bytes=2-4"},
                  {"X-Backend-Ignore-Range-If-Metadata-Present", "x-none, ETAG"}})
            .status == 200);
  CHECK(server.get({{"If-None-Match", "*"}}).status == 304);
  CHECK(server.get({{"If-Match", "nothing"}}).status == 412);
  CHECK(server.get({{"If-Match", "real"}}).status == 412);
  CHECK(server
            .get({{"If-Match", "real"},
                  {"X-Backend-Etag-Is-At", "X-Object-Sysmeta-None,X-Object-Sysmeta-Real-Etag"}})
            .status == 200);
  CHECK(server.get({{"If-Modified-Since", http_date(1799999999)}}).status == 304);
  CHECK(server.get({{"If-Unmodified-Since", http_date(1)}}).status == 412);
  CHECK(server.ask("GET", "/d1/7/a/c/none", {{"If-Match", "*"}}).status == 412);
}

TEST_CASE("an object whose bytes changed is quarantined and not there") {
  const ObjectServer server;
  REQUIRE(server.put(1, "hello").status == 201);
  for (const auto& file : server.files("objects")) {
    if (file.extension() == ".data") std::ofstream(file) << "jello";
  }
  CHECK(server.get().status == 404);
  CHECK(server.files("quarantined/objects").size() == 1);
  CHECK(server.host.log.has("do not match its ETag"));
}

TEST_CASE("deleted and expired objects tell when") {
  const ObjectServer server;
  REQUIRE(server.put(1, "x", {{"X-Delete-At", "1699999500"}}).status == 201);
  CHECK(server.get().status == 404);
  CHECK(server.get().get("X-Backend-Timestamp") == at(1));
  CHECK(server.get({{"X-Timestamp", "1699999400.00000"}}).status == 200);
  CHECK(server.get({{"X-Backend-Replication", "true"}}).status == 200);
  CHECK(server.post(3).status == 202);  // at its own moment it had not expired
  REQUIRE(server.remove(4).status == 204);
  CHECK(server.get().get("X-Backend-Timestamp") == at(4));
  CHECK(server.ask("GET", "/d1/7/a/c/none").internal.empty());
}

TEST_CASE("POST replaces metadata, keeps the data's and tells the container") {
  const ObjectServer server;
  REQUIRE(server
              .put(1, "hello",
                   {{"X-Object-Meta-Old", "1"},
                    {"X-Object-Sysmeta-S", "s"},
                    {"Content-Type", "text/plain;swift_bytes=99"},
                    {"Content-Encoding", "gzip"}})
              .status == 201);
  const auto answer = server.post(
      3, ObjectServer::with_container({{"X-Object-Meta-New", "2"}, {"Content-Type", "image/png"}}));
  CHECK(answer.status == 202);
  CHECK(answer.get("X-Backend-Content-Type") == "image/png");
  CHECK(answer.get("X-Object-Sysmeta-S") == "s");
  const auto call = server.containers.last();
  CHECK(call.method == "PUT");
  CHECK(call.headers.get("X-Timestamp") == at(1));
  CHECK(call.headers.get("X-Meta-Timestamp") == at(3));
  CHECK(call.headers.get("X-Content-Type-Timestamp") == at(3));
  CHECK(call.headers.get("X-Content-Type") == "image/png;swift_bytes=99");
  CHECK(call.headers.get("X-Size") == "5");
  const auto got = server.get();
  CHECK(!got.headers.has("X-Object-Meta-Old"));
  CHECK(!got.headers.has("Content-Encoding"));
  CHECK(got.get("X-Object-Meta-New") == "2");
  CHECK(got.get("Content-Type") == "image/png");
}

TEST_CASE("POST in the wrong order") {
  const ObjectServer server;
  CHECK(server.post(1).status == 404);
  REQUIRE(server.put(2, "x").status == 201);
  CHECK(server.post(1).status == 409);
  CHECK(server.post(2).status == 409);
  REQUIRE(server.post(5, {{"X-Object-Meta-A", "5"}}).status == 202);
  CHECK(server.post(4).get("X-Backend-Timestamp") == at(5));
  // Older fields, but the newest content type: the fields of ...5 stay, the type changes.
  REQUIRE(server.post(4, {{"Content-Type", "image/png"}, {"X-Object-Meta-A", "4"}}).status == 202);
  const auto got = server.get();
  CHECK(got.get("X-Object-Meta-A") == "5");
  CHECK(got.get("Content-Type") == "image/png");
  CHECK(got.get("X-Timestamp") == at(5));
  bool named = false;
  for (const auto& file : server.files("objects"))
    named = named || file.filename() == at(5) + "-186a0.meta";
  CHECK(named);
  CHECK(server.post(6, {{"X-Delete-At", "5"}}).status == 400);
  CHECK(server.post(6, {{"X-Delete-At", "x"}}).status == 400);
}

TEST_CASE("DELETE by Swift's table") {
  const ObjectServer server;
  // Nothing there: 404, and a tombstone all the same.
  const auto nothing = server.remove(1, ObjectServer::with_container());
  CHECK(nothing.status == 404);
  CHECK(server.containers.last().method == "DELETE");
  CHECK(server.get().get("X-Backend-Timestamp") == at(1));
  CHECK(server.put(1, "x").status == 409);
  REQUIRE(server.put(3, "x").status == 201);
  const auto older = server.remove(2);
  CHECK(older.status == 409);
  CHECK(older.get("X-Backend-Timestamp") == at(3));
  CHECK(server.get().status == 200);
  const auto gone = server.remove(4);
  CHECK(gone.status == 204);
  CHECK(gone.get("X-Backend-Content-Type") == "text/plain");
  const std::size_t calls = server.containers.calls().size();
  CHECK(server.remove(4, ObjectServer::with_container()).status == 404);
  CHECK(server.containers.calls().size() == calls);
}

TEST_CASE("DELETE of an expired object at its moment") {
  const ObjectServer server;
  CHECK(server.remove(9, {{"X-If-Delete-At", "1699999015"}}).status == 404);
  REQUIRE(server.put(1, "x", {{"X-Delete-At", "1699999015"}}).status == 201);
  CHECK(server.remove(9, {{"X-If-Delete-At", "soon"}}).status == 400);
  const auto other = server.remove(9, {{"X-If-Delete-At", "1699999016"}});
  CHECK(other.status == 412);
  CHECK(other.body == "X-If-Delete-At and X-Delete-At do not match");
  CHECK(server.remove(0, {{"X-If-Delete-At", "1699999015"}}).status == 409);
  CHECK(server.remove(9, {{"X-If-Delete-At", "1699999015"}}).status == 204);
  CHECK(server.remove(10, {{"X-If-Delete-At", "1699999015"}}).status == 412);
}

TEST_CASE("REPLICATE shows the suffixes' hashes, or marks those it names") {
  const ObjectServer server;
  const auto empty = server.ask("REPLICATE", "/d1/7");
  CHECK(empty.status == 200);
  CHECK(decode_suffixes(empty.body)->empty());
  CHECK(!std::filesystem::exists(server.tree.path() / "d1/objects"));
  REQUIRE(server.put(1, "x").status == 201);
  const std::string suffix = server.host.conf.hash_path("a", "c", "o").substr(29);
  const auto hashes = decode_suffixes(server.ask("REPLICATE", "/d1/7").body);
  REQUIRE(hashes);
  CHECK(hashes->hash_of(suffix).size() == 32);
  CHECK(hashes->size() == 1);
  CHECK(server.ask("REPLICATE", "/d1/7/" + suffix + "-xyz-abc").body == "\x80\x02N.");
  CHECK(server.tree.read("d1/objects/7/hashes.invalid") == suffix + "\nabc\n");
  CHECK(server.ask("REPLICATE", "/gone/7").status == 507);
  CHECK(server.ask("REPLICATE", "/d1").status == 400);
  CHECK(server.ask("REPLICATE", "/d1/..").status == 400);
  CHECK(server.ask("REPLICATE", "/d1/7", {{"X-Backend-Storage-Policy-Index", "x"}}).status == 503);
}

TEST_CASE("a device that has gone is 507 to every verb, whatever was read from it before") {
  for (const bool read_before : {false, true}) {
    CAPTURE(read_before);
    const ObjectServer server;
    REQUIRE(server.put(1, "x").status == 201);
    if (read_before) {
      std::this_thread::sleep_for(std::chrono::milliseconds(150));  // what just changed is not kept
      for (const char* verb : {"GET", "GET", "HEAD"})
        REQUIRE(server.ask(verb, ObjectServer::kObject).status == 200);
    }
    const auto device = server.tree.path() / "d1";
    std::filesystem::rename(device, server.tree.path() / "gone");
    CHECK(server.ask("GET", ObjectServer::kObject).status == 507);
    CHECK(server.ask("HEAD", ObjectServer::kObject).status == 507);
    CHECK(server.post(2).status == 507);
    CHECK(server.remove(3).status == 507);
    CHECK(server.put(4, "y").status == 507);
    // Another disk in its place has nothing.
    std::filesystem::create_directory(device);
    CHECK(server.ask("GET", ObjectServer::kObject).status == 404);
    std::filesystem::remove_all(device);
    std::filesystem::rename(server.tree.path() / "gone", device);
    CHECK(server.ask("GET", ObjectServer::kObject).body == "x");
  }
}

TEST_CASE("a device that must be mounted and is not is 507 to every verb") {
  const ObjectServer server(testing::OptionTexts{{"mount_check", "true"}});
  CHECK(server.ask("GET", ObjectServer::kObject).status == 507);
  CHECK(server.ask("HEAD", ObjectServer::kObject).status == 507);
  CHECK(server.post(2).status == 507);
  CHECK(server.remove(3).status == 507);
  CHECK(server.put(4, "y").status == 507);
}

TEST_CASE("a server may leave replication to another") {
  const ObjectServer server(testing::OptionTexts{{"replication_server", "false"}});
  const auto refused = server.ask("REPLICATE", "/d1/7");
  CHECK(refused.status == 405);
  CHECK(refused.get("Allow") == "DELETE, GET, HEAD, OPTIONS, POST, PUT");
  CHECK(server.ask("OPTIONS", "/d1/7").status == 200);
}

TEST_CASE("each request is a line of the log, in Swift's form") {
  const ObjectServer server;
  REQUIRE(server.put(1, "x", {{"X-Trans-Id", "tx9"}, {"User-Agent", "me"}}).status == 201);
  const std::string text = server.host.log.text();
  CHECK(
      text.find("- - - [14/Nov/2023:22:13:20 +0000] \"PUT /d1/7/a/c/o\" 201 0 \"-\" \"tx9\" \"me\" "
                "0.0000 \"-\" ") != std::string::npos);
}

TEST_CASE("slow makes changes slow") {
  const ObjectServer server(testing::OptionTexts{{"slow", "2"}});
  REQUIRE(server.put(1, "x").status == 201);
  CHECK(server.host.time.slept() == std::chrono::seconds(2));
  REQUIRE(server.get().status == 200);
  CHECK(server.host.time.slept() == std::chrono::seconds(2));
}

TEST_CASE("a policy that is not served is refused by every verb, the others go on") {
  ObjectServer server;
  StoragePolicy coded;
  coded.index = 2;
  coded.name = "gold";
  coded.is_default = false;
  coded.type = "erasure_coding";
  server.host.conf.policies.push_back(coded);
  const std::string why =
      "Storage policy 'gold' with index 2 is of type erasure_coding, which this server does not "
      "serve";
  const Headers policy{{"X-Backend-Storage-Policy-Index", "2"}, {"X-Timestamp", at(1)}};
  for (const char* method : {"PUT", "POST", "DELETE", "GET", "REPLICATE"}) {
    const bool parts = std::string_view(method) == "REPLICATE";
    const auto refused = server.ask(method, parts ? "/d1/7" : ObjectServer::kObject, policy, "x");
    CHECK(refused.status == 503);
    CHECK(refused.body == why);
  }
  CHECK(server.files("objects-2").empty());
  CHECK(server.put(1, "hello").status == 201);
  CHECK(server.get().body == "hello");
}

TEST_CASE("objects leave the page cache when they were read, by Swift's rule") {
  const std::string big(6U << 20U, 'b');
  struct Case {
    testing::OptionTexts options;
    Headers fields;
    bool manifest;
    bool stays;
  };
  const Headers token{{"X-Auth-Token", "AUTH_tk"}};
  const Case cases[] = {
      {{}, {}, false, true},
      {{}, token, false, false},
      {{{"keep_cache_private", "yes"}}, token, false, true},
      {{{"keep_cache_size", "1000"}}, {}, false, false},
      {{{"keep_cache_size", "1000"}, {"keep_cache_private", "yes"}}, token, false, false},
      {{{"keep_cache_slo_manifest", "yes"}}, token, true, true},
      {{}, token, true, false},
  };
  for (const Case& one : cases) {
    const ObjectServer server(one.options);
    const Headers slo{{"X-Static-Large-Object", "True"}};
    REQUIRE(server.put(1, big, one.manifest ? slo : Headers()).status == 201);
    const auto files = server.files("objects");
    const auto data = std::find_if(files.begin(), files.end(),
                                   [](const auto& path) { return path.extension() == ".data"; });
    REQUIRE(data != files.end());
    const std::string file = data->string();
    if (!can_leave_cache(file)) {
      MESSAGE("this file system keeps its pages");
      return;
    }
    CHECK(server.get(one.fields).body == big);
    CHECK((cached_pages(file) > 900) == one.stays);
  }
}
