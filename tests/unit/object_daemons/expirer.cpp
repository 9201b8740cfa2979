// The object expirer, through its shared object and the proxy's, in front of servers that are
// functions.
#include <apus/testing/temp_tree.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "framework/backend/expiry_task.h"
#include "tests/unit/proxy/fake_cluster.h"

namespace apus::test {
namespace {

using NameList = std::vector<std::string>;

TEST_CASE("tasks are read as they are written, and nothing else") {
  const auto task = parse_expiry_task("1699999999-AUTH_a/c d/o/with/-slash");
  REQUIRE(task);
  CHECK(task->when.normal() == "1699999999.00000");
  CHECK(task->account == "AUTH_a");
  CHECK(task->container == "c d");
  CHECK(task->object == "o/with/-slash");
  CHECK(parse_expiry_task("1699999999.12345-a/c/o")->when.normal() == "1699999999.12345");
  for (const char* bad : {"", "-", "1699999999", "x-a/c/o", "1699999999-a/c", "1699999999-a/c/",
                          "1699999999-a//o", "1699999999-/c/o", "1699999999-a", "-a/c/o"})
    CHECK_FALSE(parse_expiry_task(bad));
}

TEST_CASE("each task falls to one expirer, as Swift counts") {
  // int(md5(b"1700000000/1700000001-a/c/o").hexdigest(), 16) % 3, 7, 1000003
  CHECK(expirer_of("1700000000/1700000001-a/c/o", 3) == 1);
  CHECK(expirer_of("1700000000/1700000001-a/c/o", 7) == 1);
  CHECK(expirer_of("1700000000/1700000001-a/c/o", 1000003) == 97468);
}

// A queue of containers and rows; objects answer with `status`.
struct Queue {
  Queue() {
    tree.write("ic.conf",
               "[pipeline:main]\npipeline = proxy-server\n[app:proxy-server]\nuse = "
               "egg:swift#proxy\n");
    cluster.on[kAccountNode] = [this](Request& request, std::size_t) {
      if (!has_account) return Response(404);
      Json::Array list;
      for (const auto& [name, rows] : containers) {
        if (name > request.query.get("marker")) list.push_back(named(name));
      }
      Response out = listing(request, std::move(list));
      out.headers.set("X-Account-Container-Count", std::to_string(containers.size()));
      out.headers.set("X-Account-Object-Count", "9");
      return out;
    };
    cluster.on[kContainerNode] = [this](Request& request, std::size_t) {
      const std::lock_guard lock(mutex);
      const std::string start = request.path.substr(0, request.path.find('/', 1)) + "/7/";
      std::string name = request.path.substr(start.size());
      if (!name.starts_with(".expiring_objects/")) {
        Response out(204);
        out.internal.set("X-Backend-Storage-Policy-Index", "0");
        return out;
      }
      name = name.substr(name.find('/') + 1);
      if (request.method == "DELETE") return remove(name);
      Json::Array list;
      for (const auto& [row, type] : containers.at(name)) {
        if (row <= request.query.get("marker") || list.size() == 2) continue;
        Json one = named(row);
        one.set("content_type", type);
        list.push_back(std::move(one));
      }
      Response out = listing(request, std::move(list));
      out.internal.set("X-Backend-Storage-Policy-Index", "0");
      return out;
    };
    cluster.on[kObjectNode] = [this](Request&, std::size_t) { return Response(status); };
  }
  static Json named(const std::string& name) {
    Json out;
    out.set("name", name);
    return out;
  }
  static Response listing(const Request& request, Json::Array list) {
    if (request.method == "HEAD") return Response(204);
    return Response(200, Json(std::move(list)).dump(), "application/json; charset=utf-8");
  }
  Response remove(const std::string& name) {
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos) {
      dropped.insert(name);
    } else {
      popped.insert(name);
    }
    return Response(204);
  }
  void expire(OptionTexts options = {}) {
    options.emplace("dequeue_from_legacy", "true");
    options["internal_client_conf_path"] = (tree.path() / "ic.conf").string();
    options["recon_cache_path"] = tree.path().string();
    load_daemon("object-expirer", options, cluster.host)->run_once({});
  }
  // Objects whose deletion was asked for, in order, each once.
  [[nodiscard]] NameList deleted() const {
    NameList out;
    for (const auto& one : cluster.seen(kObjectNode, "DELETE")) {
      std::string name = one.path.substr(one.path.find("/7/") + 3);
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
    }
    return out;
  }

  FakeCluster cluster;
  TempTree tree;
  std::mutex mutex;
  bool has_account = true;
  int status = 204;
  std::map<std::string, std::map<std::string, std::string>> containers;
  std::set<std::string> popped;
  std::set<std::string> dropped;
};

TEST_CASE_FIXTURE(Queue, "what is due is deleted, in turn by container, and its row goes") {
  containers["1699999200"] = {{"1699999001-a/c1/x", "text/plain"},
                              {"1699999002-a/c1/y", "text/plain"},
                              {"1699999003-a/c1/\xC3\xBC z", "text/plain"},
                              {"1699999004-a/c2/x", "text/plain"}};
  containers["1699999700"] = {{"1699999005-b/c/x", "text/plain"},
                              {"1700099005-b/c/not yet", "text/plain"},
                              {"1700099006-b/c/never looked at", "text/plain"}};
  containers["1699999800"] = {};
  containers["1700099000"] = {{"1600000000-a/c/x", "text/plain"}};
  expire();
  CHECK(deleted() == NameList{"a/c1/x", "a/c2/x", "b/c/x", "a/c1/y", "a/c1/\xC3\xBC z"});
  CHECK(popped ==
        std::set<std::string>{"1699999200/1699999001-a/c1/x", "1699999200/1699999002-a/c1/y",
                              "1699999200/1699999003-a/c1/\xC3\xBC z",
                              "1699999200/1699999004-a/c2/x", "1699999700/1699999005-b/c/x"});
  CHECK(dropped == std::set<std::string>{"1699999800"});
  const auto one = cluster.seen(kObjectNode, "DELETE").front();
  CHECK(one.headers.get("X-If-Delete-At", one.internal.get("X-If-Delete-At")) ==
        "1699999001.00000");
  CHECK(one.headers.get("X-Timestamp", one.internal.get("X-Timestamp")) == "1699999001.00000");
  CHECK(one.internal.get("X-Backend-Clean-Expiring-Object-Queue") == "no");
  CHECK(one.internal.get("X-Backend-Use-Replication-Network") == "true");
  CHECK(cluster.host.log.has("Pass completed in 0s; 5 objects expired"));
  const auto recon = Json::parse(tree.read("object.recon"));
  REQUIRE(recon);
  CHECK(*recon->find("expired_last_pass")->integer() == 5);
  CHECK(recon->find("object_expiration_pass") != nullptr);
}

TEST_CASE_FIXTURE(Queue, "a task whose object is not there is kept for the reclaim age") {
  containers["1699000000"] = {{"1699000000-a/c/old", "text/plain"},
                              {"1699900000-a/c/young", "text/plain"}};
  for (const int answer : {404, 412}) {
    status = answer;
    popped.clear();
    cluster.host.log.clear();
    expire();
    CHECK(popped == std::set<std::string>{"1699000000/1699000000-a/c/old"});
    CHECK(cluster.host.log.has(
        "Unexpected response while deleting object .expiring_objects 1699000000 "
        "1699900000-a/c/young: " +
        std::to_string(answer)));
  }
  status = 409;
  popped.clear();
  expire();
  CHECK(popped.size() == 2);
}

TEST_CASE_FIXTURE(Queue, "servers that fail are asked again, and the task stays") {
  containers["1699000000"] = {{"1699000000-a/c/o", "text/plain"}};
  status = 503;
  expire();
  CHECK(cluster.host.time.slept() >= std::chrono::seconds(6));
  CHECK(popped.empty());
  CHECK(cluster.host.log.has("503"));
  CHECK(cluster.host.numbers.counter("errors") == 1);
}

TEST_CASE_FIXTURE(Queue,
                  "an async delete asks no X-Delete-At, and an object that is gone is well") {
  containers["1699000000"] = {{"1699990000-a/c/o", "application/async-deleted"}};
  status = 404;
  expire();
  CHECK(popped.size() == 1);
  const auto one = cluster.seen(kObjectNode, "DELETE").front();
  CHECK_FALSE(one.headers.has("X-If-Delete-At"));
  CHECK_FALSE(one.internal.has("X-If-Delete-At"));
}

TEST_CASE_FIXTURE(Queue, "several expirers share a queue, and delays keep what expired") {
  for (int i = 0; i < 30; ++i)
    containers["1699000000"]["16990000" + std::to_string(10 + i) + "-a/c/o"] = "text/plain";
  std::size_t all = 0;
  for (const char* process : {"0", "1", "2"}) {
    popped.clear();
    expire({{"processes", "3"}, {"process", process}});
    CHECK(popped.size() < 30);
    all += popped.size();
  }
  CHECK(all == 30);
  CHECK_THROWS_AS(expire({{"processes", "3"}, {"process", "3"}}), std::runtime_error);
  containers = {{"1699990000",
                 {{"1699999950-a/c/o", "text/plain"},
                  {"1699999950-a/kept/o", "text/plain"},
                  {"1699999950-b/c/o", "text/plain"}}}};
  popped.clear();
  expire({{"delay_reaping_a", "10"}, {"delay_reaping_a/kept", "60"}, {"delay_reaping_b", "51"}});
  CHECK(popped == std::set<std::string>{"1699990000/1699999950-a/c/o"});
}

TEST_CASE_FIXTURE(Queue, "odd names are told and stay; no queue is no work") {
  containers["1699000000"] = {{"1699000000-a", "text/plain"}, {"odd", "text/plain"}};
  containers["a container"] = {};
  expire();
  CHECK(popped.empty());
  CHECK(cluster.host.log.has("Unexpected task in .expiring_objects/1699000000: odd"));
  CHECK(cluster.host.log.has("Unexpected container in .expiring_objects: a container"));
  has_account = false;
  cluster.host.log.clear();
  expire();
  CHECK(cluster.host.log.has("0 objects expired"));
  cluster.host.log.clear();
  expire({{"dequeue_from_legacy", "false"}});
  CHECK(cluster.host.log.has("not configured to dequeue"));
}

TEST_CASE_FIXTURE(Queue, "a pipeline that cannot be made is told before any work") {
  tree.write("ic.conf", "[pipeline:main]\npipeline = nonsense proxy-server\n");
  CHECK_THROWS_WITH_AS(expire(), doctest::Contains("ic.conf"), std::runtime_error);
}

}  // namespace
}  // namespace apus::test
