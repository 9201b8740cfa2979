// REPLICATE: every call, and what is no call.
#include <doctest/doctest.h>

#include "tests/unit/servers_database/fixture.h"

namespace apus::test {
namespace {

struct Replicas : Servers {
  Replicas() {
    for (const char* name : {"c", "d"})
      ask(*container, "PUT", std::string("/d1/7/AUTH_a/") + name, at_time("10"));
  }
  Answer call(const std::string& name, const std::string& body) {
    return ask(*container, "REPLICATE", replicate_path(name), {}, body);
  }
  Json info(const std::string& name, const std::string& hash = "x", int max_row = 0) {
    const Answer answer =
        call(name, R"(["sync", )" + std::to_string(max_row) + R"(, ")" + hash +
                       R"(", "peer", "0000000010.00000", "0000000010.00000", "0", ""])");
    REQUIRE(answer.status == 200);
    return *Json::parse(answer.body);
  }
};

TEST_CASE_FIXTURE(Replicas, "rows, sync points and metadata go from one to the other") {
  const std::string rows =
      R"([{"ROWID":7,"name":"o","created_at":"0000000011.00000","size":3,"content_type":"t",)"
      R"("etag":"e","deleted":0,"storage_policy_index":0}])";
  CHECK(call("c", R"(["merge_items", )" + rows + R"(, "peer"])").status == 202);
  CHECK(*info("c").find("point")->integer() == 7);
  CHECK(*info("c").find("max_row")->integer() == 1);
  const std::string hash = *info("c").find("hash")->text();
  CHECK(*info("c", hash, 9).find("point")->integer() == 9);  // equal hashes: all is known
  CHECK(call("d", R"(["merge_syncs", [{"remote_id":"other","sync_point":4}]])").status == 202);
  CHECK(call("c", R"(["sync", 1, "x", "peer", "0000000009.00000", "0000000012.00000", "0", )"
                  R"("{\"X-Container-Meta-A\": [\"b\", \"11\"]}"])")
            .status == 200);
  const Answer head = ask(*container, "HEAD", "/d1/7/AUTH_a/c");
  CHECK(head.headers.get("X-Container-Meta-A") == "b");
  CHECK(head.headers.get("X-Put-Timestamp") == "0000000012.00000");
}

TEST_CASE_FIXTURE(Replicas, "a database that comes by rsync takes its place") {
  namespace fs = std::filesystem;
  ask(*container, "PUT", "/d1/7/AUTH_a/c/o",
      {{"X-Timestamp", "11"}, {"X-Size", "1"}, {"X-Content-Type", "t"}, {"X-Etag", "e"}});
  ask(*container, "GET", "/d1/7/AUTH_a/c");
  const std::string hash = host.conf.hash_path("AUTH_a", "c");
  const fs::path home = tree.path() / "d1/containers/7" / hash.substr(29) / hash;
  const fs::path landed = tree.path() / "d1/tmp/the-id";
  CHECK(call("c", R"(["complete_rsync", "the-id"])").status == 404);
  info("c");  // makes the tmp folder
  fs::copy_file(home / (hash + ".db"), landed);
  CHECK(call("c", R"(["complete_rsync", "the-id", ")" + hash + R"(.db"])").status == 404);
  fs::remove_all(home);
  CHECK(call("c", R"(["complete_rsync", "the-id", ")" + hash + R"(.db"])").status == 204);
  CHECK(ask(*container, "GET", "/d1/7/AUTH_a/c").body == "o\n");

  fs::copy_file(home / (hash + ".db"), landed);
  ask(*container, "PUT", "/d1/7/AUTH_a/c/p",
      {{"X-Timestamp", "12"}, {"X-Size", "1"}, {"X-Content-Type", "t"}, {"X-Etag", "e"}});
  CHECK(call("c", R"(["rsync_then_merge", "the-id"])").status == 204);
  CHECK_FALSE(fs::exists(landed));
  CHECK(ask(*container, "GET", "/d1/7/AUTH_a/c").body == "o\np\n");
  CHECK(call("c", R"(["rsync_then_merge", "the-id"])").status == 404);
}

TEST_CASE_FIXTURE(Replicas, "shard ranges") {
  const std::string range =
      R"({"name":".shards_AUTH_a/x","timestamp":"11","lower":"","upper":"m","object_count":1,)"
      R"("bytes_used":2,"meta_timestamp":"11","deleted":1,"state":20,"state_timestamp":"11","epoch":null})";
  CHECK(call("c", R"(["merge_shard_ranges", [)" + range + "]]").status == 202);
  const auto got = Json::parse(call("c", R"(["get_shard_ranges"])").body);
  REQUIRE(got.has_value());
  CHECK(got->array()->size() == 1);
  CHECK(call("c", R"(["merge_shard_ranges", [{}]])").status == 400);
}

TEST_CASE_FIXTURE(Replicas, "what is no call") {
  for (const char* body :
       {"", "{", "{}", "[]", "7", "[7]", R"(["fly"])", R"(["sync"])", R"(["sync", "x"])",
        R"(["merge_items"])", R"(["merge_items", 7, "x"])", R"(["merge_items", [{}], "x"])",
        R"(["merge_syncs", [{}]])", R"(["rsync_then_merge"])", R"(["complete_rsync", 7])",
        R"(["complete_rsync", "../../x"])", R"(["complete_rsync", "a/b"])",
        R"(["complete_rsync", "id", "../evil.db"])", R"(["rsync_then_merge", ".lock"])"}) {
    CAPTURE(body);
    CHECK(call("c", body).status == 400);
  }
  CHECK(ask(*container, "REPLICATE", "/d1/7/nohash", {}, R"(["sync"])").status == 400);
  CHECK(ask(*container, "REPLICATE", "/d1/7/" + std::string(32, 'a'), {}, R"(["get_shard_ranges"])")
            .status == 404);
  CHECK(ask(*container, "REPLICATE", "/d9/7/" + std::string(32, 'a'), {}, "[]").status == 507);
  CHECK(ask(*account, "REPLICATE", "/d1/7/" + std::string(32, 'a'), {}, R"(["sync", 1])").status ==
        404);
}

TEST_CASE_FIXTURE(Replicas, "replication_server = false answers no REPLICATE") {
  const auto closed = testing::load_app("container",
                                        {{"devices", tree.path().string()},
                                         {"mount_check", "false"},
                                         {"replication_server", "false"}},
                                        host);
  CHECK(ask(*closed, "REPLICATE", replicate_path("c"), {}, R"(["sync"])").status == 405);
  CHECK(ask(*closed, "OPTIONS", "/").headers.get("Allow").find("REPLICATE") ==
        std::string_view::npos);
}

}  // namespace
}  // namespace apus::test
