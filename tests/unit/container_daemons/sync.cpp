// Where containers are synced to, and the sync daemon over databases of its own; the other cluster
// is none, or a server that answers one thing.
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/StreamCopier.h>
#include <Poco/ThreadPool.h>
#include <apus/source.h>
#include <apus/testing/temp_tree.h>

#include <filesystem>

#include "framework/backend/sync_store.h"
#include "framework/backend/sync_target.h"
#include "framework/transport/web_upload.h"
#include "tests/unit/proxy/fake_cluster.h"

namespace apus::test {
namespace {

namespace fs = std::filesystem;

TEST_CASE("targets are containers of a realm, or of a host that is allowed") {
  TempTree tree;
  tree.write("container-sync-realms.conf",
             "[friends]\nkey = k\ncluster_far = https://far.example/v1/\n[empty]\ncluster_x = y\n");
  const SyncRealms realms(tree.path().string());
  const std::vector<std::string> allowed = {"127.0.0.1", "host"};
  const SyncTarget by_realm = find_sync_target("//Friends/FAR/AUTH_a/c%20d/", allowed, realms);
  CHECK(by_realm.error.empty());
  CHECK(by_realm.url == "https://far.example/v1/AUTH_a/c%20d");
  CHECK(by_realm.realm == "FRIENDS");
  CHECK(by_realm.realm_key == "k");
  const SyncTarget by_url = find_sync_target("http://host:8080/v1/a/c/", allowed, realms);
  CHECK(by_url.error.empty());
  CHECK(by_url.url == "http://host:8080/v1/a/c");
  CHECK(by_url.realm_key.empty());
  CHECK(find_sync_target("/", allowed, realms).error.empty());
  for (const char* bad : {"//friends/far/a", "//friends/far/a/c/o", "//nobody/far/a/c",
                          "//friends/near/a/c", "//empty/x/a/c", "http://elsewhere/v1/a/c",
                          "ftp://host/v1/a/c", "http://host", "http://host/v1/a/c?x"})
    CHECK_FALSE(find_sync_target(bad, allowed, realms).error.empty());
}

// Answers every request with one status, and keeps what it was sent.
class OneAnswer {
 public:
  struct Seen {
    std::string line;
    std::string key;
    std::string timestamp;
    std::string body;
  };

  OneAnswer()
      : socket_(Poco::Net::SocketAddress("127.0.0.1", 0)),
        server_(new Factory(*this), threads_, socket_, new Poco::Net::HTTPServerParams) {
    server_.start();
  }
  /// Handlers have this to the end.
  ~OneAnswer() {
    server_.stopAll(true);
    threads_.joinAll();
  }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(socket_.address().port());
  }
  [[nodiscard]] std::vector<Seen> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  void answer(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
    seen_.clear();
  }

 private:
  class Handler final : public Poco::Net::HTTPRequestHandler {
   public:
    explicit Handler(OneAnswer& owner) : owner_(owner) {}
    void handleRequest(Poco::Net::HTTPServerRequest& request,
                       Poco::Net::HTTPServerResponse& response) override {
      Seen one{request.getMethod() + " " + request.getURI(),
               request.get("X-Container-Sync-Key", ""), request.get("X-Timestamp", ""), ""};
      if (request.hasContentLength()) Poco::StreamCopier::copyToString(request.stream(), one.body);
      const std::lock_guard lock(owner_.mutex_);
      owner_.seen_.push_back(std::move(one));
      response.setStatus(Poco::Net::HTTPResponse::HTTPStatus(owner_.status_));
      response.setContentLength(0);
      response.send();
    }

   private:
    OneAnswer& owner_;
  };
  class Factory final : public Poco::Net::HTTPRequestHandlerFactory {
   public:
    explicit Factory(OneAnswer& owner) : owner_(owner) {}
    Poco::Net::HTTPRequestHandler* createRequestHandler(
        const Poco::Net::HTTPServerRequest& /*request*/) override {
      return new Handler(owner_);
    }

   private:
    OneAnswer& owner_;
  };

  mutable std::mutex mutex_;
  int status_ = 404;
  std::vector<Seen> seen_;
  Poco::ThreadPool threads_;
  Poco::Net::ServerSocket socket_;
  Poco::Net::HTTPServer server_;
};

TEST_CASE("a body streams to another cluster, through a proxy too, whole or not at all") {
  OneAnswer far;
  far.answer(201);
  WebRequest put;
  put.method = "PUT";
  put.url = far.url() + "/v1/a/c/o";
  const std::string bytes(200'000, 'x');
  StringSource body(bytes);
  CHECK(fetch_through("", put, {&body, bytes.size()}, {}).status == 201);
  CHECK(far.seen().back().body == bytes);
  StringSource again(bytes);
  put.url = "http://no.such.host.example/v1/a/c/o";  // the proxy's to find
  CHECK(fetch_through(far.url(), put, {&again, bytes.size()}, {}).status == 201);
  CHECK(far.seen().back().line == "PUT http://no.such.host.example:80/v1/a/c/o");
  StringSource half(bytes);
  put.url = far.url() + "/v1/a/c/o";
  CHECK_THROWS_AS(fetch_through("", put, {&half, bytes.size() + 1}, {}), BodyError);
  CHECK_THROWS_AS(fetch_through("http://", put, {}, {}), TransportError);
}

struct Synced {
  Synced() : broker(services(), place(), "AUTH_a", "c") {
    fs::create_directories(tree.path() / "d0");
    tree.write("client.conf",
               "[pipeline:main]\npipeline = proxy-server\n[app:proxy-server]\nuse = "
               "egg:swift#proxy\n");
    cluster.on[kObjectNode] = [](Request&, std::size_t) {
      return object_answer("some bytes", "etag", "1690000005.00000");
    };
    broker.create(Timestamp::from_seconds(1690000000), 0);
    aim_at(far.url() + "/v1/AUTH_b/d");
    for (const char* name : {"o", "p"})
      broker.put_object({name, "1690000005.00000", 10, "text/plain", "etag", false, 0, "", ""});
    broker.put_object({"gone \xC3\xBC", "1690000006.00000", 0, "", "", true, 0, "", ""});
  }
  DatabasePlace place() {
    return {(tree.path() / "d0").string(), "containers", "7",
            cluster.host.conf.hash_path("AUTH_a", "c")};
  }
  BrokerServices services() {
    TestHost& host = cluster.host;
    return {host.disk(), host.clock(),         host.entropy(), host.logger(Options()),
            pool,        host.conf.constraints};
  }
  void aim_at(const std::string& url) {
    when += 1;
    broker.update_metadata({{"X-Container-Sync-To", url}, {"X-Container-Sync-Key", "sesame"}},
                           Timestamp::from_seconds(when));
    update_sync_store(cluster.host.disk(), cluster.host.logger(Options()), broker);
  }
  void sync() {
    cluster.host.log.clear();
    load_daemon("container-sync",
                {{"devices", tree.path().string()},
                 {"mount_check", "false"},
                 {"bind_ip", "10.0.1.0"},
                 {"bind_port", "6201"},
                 {"internal_client_conf_path", (tree.path() / "client.conf").string()}},
                cluster.host)
        ->run_once({});
  }
  [[nodiscard]] bool reported(const std::string& what) const {
    return cluster.host.log.has(": " + what);
  }
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> points() {
    const auto stat = broker.info();
    return {stat->sync_point1, stat->sync_point2};
  }

  OneAnswer far;
  FakeCluster cluster{{}, 1, 1};
  TempTree tree;
  DatabasePool pool;
  double when = 1690000000;
  ContainerBroker broker;
};

TEST_CASE_FIXTURE(Synced, "what is new is sent, and once more looked at by the next pass") {
  far.answer(404);
  sync();  // nothing there, and nothing taken: rows are behind the second point
  CHECK(reported("1 synced [1 deletes, 0 puts], 0 skipped, 2 failed"));
  CHECK(points() == std::pair<std::int64_t, std::int64_t>{3, -1});
  sync();
  CHECK(points() == std::pair<std::int64_t, std::int64_t>{3, -1});
  far.answer(200);  // there, but of no known age: sent
  sync();
  CHECK(reported("1 synced [1 deletes, 2 puts], 0 skipped, 0 failed"));
  CHECK(points() == std::pair<std::int64_t, std::int64_t>{3, 3});
  const auto seen = far.seen();
  REQUIRE(seen.size() == 5);
  CHECK(seen[0].line == "HEAD /v1/AUTH_b/d/o?symlink=get");
  CHECK(seen[1].line == "PUT /v1/AUTH_b/d/o");
  CHECK(seen[1].body == "some bytes");
  CHECK(seen[1].timestamp == "1690000005.00000");
  CHECK(seen[4].line == "DELETE /v1/AUTH_b/d/gone%20%C3%BC");
  CHECK(seen[4].timestamp == "1690000006.00000");
  for (const auto& one : seen) CHECK(one.key == "sesame");
  sync();
  CHECK(far.seen().size() == 5);
}

TEST_CASE_FIXTURE(Synced, "what cannot be reached or is not wanted is told, and nothing is lost") {
  far.answer(401);
  sync();
  CHECK(cluster.host.log.has("Unauth 'AUTH_a/c' => '" + far.url() + "/v1/AUTH_b/d'"));
  CHECK(reported("1 synced [0 deletes, 0 puts], 0 skipped, 3 failed"));
  CHECK(points() == std::pair<std::int64_t, std::int64_t>{3, -1});
  aim_at("http://127.0.0.1:1/v1/AUTH_b/d");
  sync();
  CHECK(cluster.host.log.has("ERROR Syncing AUTH_a/c 'o' (row 1): "));
  CHECK(points() == std::pair<std::int64_t, std::int64_t>{3, -1});
  aim_at("http://elsewhere/v1/AUTH_b/d");
  sync();
  CHECK(reported("0 synced [0 deletes, 0 puts], 0 skipped, 1 failed"));
  CHECK(cluster.host.log.has("Invalid host"));
  aim_at("");
  CHECK_FALSE(fs::exists(tree.path() / "d0/sync_containers"));
  sync();
  CHECK(reported("0 synced [0 deletes, 0 puts], 0 skipped, 0 failed"));
}

TEST_CASE_FIXTURE(Synced, "links that lead nowhere go, and containers with versions are left out") {
  when += 1;
  broker.update_metadata({{"X-Container-Sysmeta-Versions-Container", "v"}},
                         Timestamp::from_seconds(when));
  sync();
  CHECK(reported("0 synced [0 deletes, 0 puts], 1 skipped, 0 failed"));
  CHECK(far.seen().empty());
  fs::remove_all(tree.path() / "d0/containers");
  sync();
  CHECK(reported("0 synced [0 deletes, 0 puts], 0 skipped, 1 failed"));
  CHECK_FALSE(fs::exists(tree.path() / "d0/sync_containers"));
}

}  // namespace
}  // namespace apus::test
