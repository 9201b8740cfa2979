// The container reconciler, through its shared object and the proxy's, in front of servers that are
// functions.
#include <apus/testing/temp_tree.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "framework/backend/misplaced_queue.h"
#include "framework/conf/server_options.h"
#include "tests/unit/proxy/fake_cluster.h"

namespace apus::test {
namespace {

using Names = std::vector<std::string>;

Json listed(const std::string& name, const std::string& type, const std::string& hash,
            const std::string& modified = "2023-11-14T22:13:20.123450") {
  Json out;
  out.set("name", name);
  out.set("content_type", type);
  out.set("hash", hash);
  out.set("last_modified", modified);
  return out;
}

TEST_CASE("rows of the queue are read as they are written") {
  ObjectRow row;
  row.name = "o/with \xC3\xBC";
  row.created_at = "1700000000.12345_2+186a0+0";
  row.policy = 1;
  row.deleted = true;
  CHECK(misplaced_container_of(row) == "1699999200");
  row.created_at = "1700002799.00000+5f5e100";  // the metadata is 1000 seconds younger
  CHECK(misplaced_container_of(row) == "1700002800");
  const ObjectRow entry = misplaced_entry(row, "AUTH_a/c d");
  CHECK(entry.name == "1:/AUTH_a/c d/o/with \xC3\xBC");
  CHECK(entry.content_type == "application/x-delete");
  CHECK(entry.created_at == row.created_at);
  CHECK(entry.etag == row.created_at);
  CHECK_FALSE(entry.deleted);
  std::string why;
  const auto read = parse_misplaced(listed(entry.name, entry.content_type, entry.etag), why);
  REQUIRE(read);
  CHECK(read->policy == 1);
  CHECK(read->path() == "/AUTH_a/c d/o/with \xC3\xBC");
  CHECK(read->deleted);
  CHECK(read->timestamp.internal() == "1700002799.00000");
  CHECK(read->recorded.internal() == "1700000000.12345");
  const std::string put = "application/x-put";
  for (const Json& bad :
       {listed("1:/a/c", put, "1"), listed("1:/a/c/", put, "1"), listed("x:/a/c/o", put, "1"),
        listed("1/a/c/o", put, "1"), listed("1://c/o", put, "1"), listed("1:/a//o", put, "1"),
        listed("1:/a/c/o", "text/plain", "1"), listed("1:/a/c/o", put, "an etag"),
        listed("1:/a/c/o", put, "1", "yesterday"),
        listed("1:/a/c/o", put, "1", "2023-11-14T22:13:20.5"), Json()}) {
    why.clear();
    CHECK_FALSE(parse_misplaced(bad, why));
    CHECK_FALSE(why.empty());
  }
}

// Two policies on one set of devices; objects by policy and name, queue rows by container.
struct Misplaced {
  struct Object {
    std::string at;
    std::string body;  ///< empty = a deletion
  };

  Misplaced() {
    cluster.host.conf.policies = {StoragePolicy{}, StoragePolicy{1, "silver", {}, false}};
    tree.write("reconciler.conf",
               "[pipeline:main]\npipeline = proxy-server\n[app:proxy-server]\nuse = "
               "egg:swift#proxy\n");
    cluster.on[kAccountNode] = [this](Request& request, std::size_t) {
      Json::Array list;
      for (const auto& [name, rows] : queue) {
        if (name <= request.query.get("marker")) continue;
        Json one;
        one.set("name", name);
        list.push_back(std::move(one));
      }
      return Response(200, Json(std::move(list)).dump(), "application/json; charset=utf-8");
    };
    cluster.on[kContainerNode] = [this](Request& request, std::size_t device) {
      return container(request, device);
    };
    cluster.on[kObjectNode] = [this](Request& request, std::size_t) { return object(request); };
  }

  Response container(Request& request, std::size_t device) {
    const std::lock_guard lock(mutex);
    const std::string name = request.path.substr(request.path.find("/7/") + 3);
    if (!name.starts_with(".misplaced_objects/")) return heads.at(device);
    const std::string row = name.substr(name.find('/') + 1);
    if (request.method == "DELETE") {
      const std::size_t slash = row.find('/');
      if (slash == std::string::npos) {
        dropped.insert(row);
      } else {
        popped[row.substr(slash + 1)] = std::string(request.headers.get("X-Timestamp"));
      }
      return Response(204);
    }
    Json::Array list;
    if (const auto found = queue.find(row); found != queue.end()) {
      for (const Json& one : found->second) {
        if (*one.find("name")->text() > request.query.get("marker")) list.push_back(one);
      }
    }
    Response out(200, Json(std::move(list)).dump(), "application/json; charset=utf-8");
    out.internal.set("X-Backend-Storage-Policy-Index", "0");
    return out;
  }

  Response object(Request& request) {
    const std::lock_guard lock(mutex);
    const std::string policy(request.internal.get("X-Backend-Storage-Policy-Index"));
    const std::string name = policy + ":/" + request.path.substr(request.path.find("/7/") + 3);
    if (request.method == "PUT") return Response(put_status);
    if (request.method == "DELETE") return Response(delete_status);
    const auto found = objects.find(name);
    if (found == objects.end()) return Response(404);
    if (found->second.body.empty()) {
      Response out(404);
      out.internal.set("X-Backend-Timestamp", found->second.at);
      return out;
    }
    Response out = object_answer(found->second.body, "etag", found->second.at);
    out.headers.set("X-Object-Meta-Color", "blue");
    out.headers.set("X-Static-Large-Object", "True");
    out.internal.set("X-Object-Sysmeta-Container-Update-Override-Etag", "e; slo_etag=x");
    return out;
  }

  static Response head(int status, const char* policy, const char* put, const char* gone,
                       const char* changed) {
    Response out(status);
    out.internal.set("X-Backend-Storage-Policy-Index", policy);
    out.internal.set("X-Backend-Put-Timestamp", put);
    out.internal.set("X-Backend-Delete-Timestamp", gone);
    out.internal.set("X-Backend-Status-Changed-At", changed);
    return out;
  }
  struct Heads {
    std::vector<std::function<Response()>> of{3};
    Response at(std::size_t device) const { return of.at(device % 3)(); }
  };
  void container_has(std::size_t device, int status, const char* policy, const char* put,
                     const char* gone, const char* changed) {
    heads.of[device] = [=] { return head(status, policy, put, gone, changed); };
  }
  void container_is_of_policy(const char* policy) {
    for (std::size_t i = 0; i < 3; ++i)
      container_has(i, 204, policy, kFirst, "0000000000.00000", kFirst);
  }
  // Listings are in the order of names.
  void enqueue(const std::string& name, const std::string& at, bool deleted = false) {
    auto& rows = queue["1699999200"];
    rows.push_back(listed(name, deleted ? "application/x-delete" : "application/x-put", at));
    std::sort(rows.begin(), rows.end(), [](const Json& a, const Json& b) {
      return *a.find("name")->text() < *b.find("name")->text();
    });
  }
  void reconcile(OptionTexts options = {}) {
    cluster.forget();
    cluster.host.log.clear();
    popped.clear();
    options[kConfFileOption] = (tree.path() / "reconciler.conf").string();
    load_daemon("container-reconciler", options, cluster.host)->run_once({});
  }
  [[nodiscard]] FakeCluster::Seen first(std::string_view method) const {
    const auto all = cluster.seen(kObjectNode, method);
    REQUIRE_FALSE(all.empty());
    return all.front();
  }
  static std::string policy_of(const FakeCluster::Seen& one) {
    return std::string(one.internal.get("X-Backend-Storage-Policy-Index"));
  }
  static std::string time_of(const FakeCluster::Seen& one) {
    return std::string(one.headers.get("X-Timestamp"));
  }

  static constexpr const char* kFirst = "1690000000.00000";
  FakeCluster cluster;
  TempTree tree;
  std::mutex mutex;
  Heads heads;
  std::map<std::string, std::vector<Json>> queue;
  std::map<std::string, Object> objects;
  std::map<std::string, std::string> popped;  ///< rows, each with the time of its deletion
  std::set<std::string> dropped;
  int put_status = 201;
  int delete_status = 204;
};

TEST_CASE_FIXTURE(Misplaced, "an object is moved with all that it has, and cleaned up behind") {
  container_is_of_policy("0");
  objects["1:/a/c/o \xC3\xBC"] = {"1699999999.00000_0000000000000001", "the bytes"};
  enqueue("1:/a/c/o \xC3\xBC", "1699999990.00000");
  reconcile();
  const auto put = first("PUT");
  CHECK(policy_of(put) == "0");
  CHECK(time_of(put) == "1699999999.00000_0000000000000003");
  CHECK(put.body == "the bytes");
  CHECK(put.headers.get("X-Object-Meta-Color") == "blue");
  CHECK(put.headers.get("X-Static-Large-Object") == "True");
  CHECK(put.headers.get("Etag") == "etag");
  CHECK(put.headers.get("Content-Type") == "text/plain");
  CHECK(put.internal.get("X-Object-Sysmeta-Container-Update-Override-Etag") == "e; slo_etag=x");
  CHECK(put.internal.get("X-Backend-Use-Replication-Network") == "true");
  CHECK_FALSE(put.internal.has("X-Backend-Timestamp"));
  const auto gone = first("DELETE");
  CHECK(policy_of(gone) == "1");
  CHECK(time_of(gone) == "1699999990.00000_0000000000000001");
  // The row was made by a later hand: it goes by that time.
  CHECK(popped == std::map<std::string, std::string>{
                      {"1:/a/c/o \xC3\xBC", "1700000000.12345_0000000000000001"}});
  CHECK(
      cluster.host.log.has("Reconciler Stats: {'misplaced_object': 1, 'copy_attempt': 1, "
                           "'copy_success': 1, 'cleanup_attempt': 1, 'cleanup_success': 1, "
                           "'success': 1, 'pop_queue': 1}"));
}

TEST_CASE_FIXTURE(Misplaced, "a misplaced deletion is done in the right place too") {
  container_is_of_policy("0");
  objects["1:/a/c/o"] = {"1700000001.00000", ""};
  objects["0:/a/c/o"] = {"1700000000.00000", "old"};
  enqueue("1:/a/c/o", "1700000001.00000", true);
  reconcile();
  CHECK(cluster.seen(kObjectNode, "PUT").empty());
  std::set<std::string> deletions;
  for (const auto& one : cluster.seen(kObjectNode, "DELETE"))
    deletions.insert(policy_of(one) + " " + time_of(one));
  CHECK(deletions == std::set<std::string>{"0 1700000001.00000_0000000000000002",
                                           "1 1700000001.00000_0000000000000001"});
  CHECK(popped ==
        std::map<std::string, std::string>{{"1:/a/c/o", "1700000001.00000_0000000000000001"}});
}

TEST_CASE_FIXTURE(Misplaced, "what is there already is not moved; what belongs there is let be") {
  container_is_of_policy("0");
  objects["0:/a/c/newer"] = {"1700000001.00000", "new"};
  objects["1:/a/c/newer"] = {"1700000000.00000", "old"};
  enqueue("1:/a/c/newer", "1700000000.00000");
  enqueue("0:/a/c/right", "1700000000.00000");
  reconcile();
  CHECK(cluster.seen(kObjectNode, "PUT").empty());
  CHECK(policy_of(first("DELETE")) == "1");
  CHECK(popped.size() == 2);
  for (const auto& one : cluster.seen(kObjectNode)) CHECK(one.path.ends_with("newer"));
  CHECK(cluster.host.log.has("'found_object': 1"));
  CHECK(cluster.host.log.has("'noop_object': 1"));
}

TEST_CASE_FIXTURE(Misplaced, "what was not done stays in the queue") {
  container_is_of_policy("0");
  objects["1:/a/c/o"] = {"1700000000.00000", "bytes"};
  enqueue("1:/a/c/o", "1700000000.00000");
  const auto stays = [&](const char* event) {
    reconcile();
    CHECK(popped.empty());
    CHECK(cluster.host.log.has(std::string("'") + event + "': 1"));
    CHECK(cluster.host.log.has("'retry': 1"));
  };
  put_status = 503;
  stays("copy_failed");
  put_status = 201;
  delete_status = 503;
  stays("cleanup_failed");
  delete_status = 204;
  cluster.ring(kObjectNode).next_part_power_ = 5;
  stays("ppi_skip");
  CHECK(cluster.seen(kObjectNode).empty());
  cluster.ring(kObjectNode).next_part_power_.reset();
  for (const std::size_t i : {0U, 1U}) heads.of[i] = [] { return Response(503); };
  stays("unavailable_container");
  container_is_of_policy("0");
  objects.at("1:/a/c/o").at = "1699999999.00000";  // older than the row: the newer may come back
  stays("unavailable_source");
  CHECK(cluster.seen(kObjectNode, "PUT").empty());
  objects.clear();
  stays("unavailable_source");
  container_is_of_policy("7");
  stays("ppi_skip");
}

TEST_CASE_FIXTURE(Misplaced, "what is nowhere is given up in the end, and old empty queues go") {
  container_is_of_policy("0");
  queue["1699000000"] = {};
  queue["1698000000"].push_back(listed("1:/a/c/o", "application/x-put", "1698000001.00000"));
  queue["odd"] = {};
  enqueue("bad", "1700000000.00000");
  reconcile({{"reclaim_age", "86400"}});
  CHECK(popped ==
        std::map<std::string, std::string>{{"1:/a/c/o", "1700000000.12345_0000000000000001"}});
  CHECK(dropped == std::set<std::string>{"1699000000"});
  CHECK(cluster.host.log.has("lost_source: '/a/c/o' (1698000001.00000) was not available"));
  CHECK(cluster.host.log.has("invalid_record: invalid queue record: "));
}

TEST_CASE_FIXTURE(Misplaced, "the container's policy is what its replicators would settle on") {
  objects["1:/a/c/o"] = {"1700000000.00000", "bytes"};
  enqueue("1:/a/c/o", "1700000000.00000");
  const auto moved = [&] {
    reconcile();
    return !cluster.seen(kObjectNode, "PUT").empty();
  };
  constexpr const char* kNever = "0000000000.00000";
  constexpr const char* kLater = "1690000009.00000";
  // The one that was made first.
  container_has(0, 204, "1", kLater, kNever, kLater);
  container_has(1, 204, "0", kFirst, kNever, kFirst);
  container_has(2, 204, "1", kLater, kNever, kLater);
  CHECK(moved());
  // The one that was deleted and made anew.
  container_has(0, 204, "1", kLater, "1690000005.00000", kLater);
  CHECK_FALSE(moved());
  // Not the one that is deleted.
  container_has(0, 404, "1", kFirst, kLater, kLater);
  container_has(2, 404, "1", kFirst, kLater, kLater);
  CHECK(moved());
  // One that never heard of it has no say.
  container_has(0, 204, "1", kLater, kNever, kLater);
  container_has(1, 404, "0", kNever, kNever, kNever);
  container_has(2, 204, "1", kLater, kNever, kLater);
  CHECK_FALSE(moved());
  CHECK(popped.size() == 1);
}

TEST_CASE_FIXTURE(Misplaced, "several reconcilers share a queue") {
  container_is_of_policy("1");
  for (int i = 0; i < 30; ++i) enqueue("1:/a/c/o" + std::to_string(10 + i), "1700000000.00000");
  std::size_t all = 0;
  for (const char* process : {"0", "1", "2"}) {
    reconcile({{"processes", "3"}, {"process", process}, {"concurrency", "4"}});
    CHECK(popped.size() < 30);
    all += popped.size();
  }
  CHECK(all == 30);
  CHECK_THROWS_AS(reconcile({{"processes", "3"}, {"process", "3"}}), std::runtime_error);
}

}  // namespace
}  // namespace apus::test
