#include "tests/cluster/sim/world.h"

#include <apus/testing/load.h>
#include <apus/testing/message.h>

#include <array>
#include <chrono>

namespace apus::sim {
namespace {

using Kind = ObjectHistory::Change::Kind;

constexpr std::size_t kNodes = 5;
constexpr std::size_t kProxies = 2;
constexpr std::size_t kObjects = 4;  // in each container: few, so that writes meet
constexpr std::array kContainers = {"c0", "c1"};
constexpr double kSkew = 3;  // seconds that clocks are apart at most

constexpr std::array kDaemons = {"object-replicator", "object-updater", "container-replicator"};

}  // namespace

World::World(std::uint64_t seed, bool keep_hashes)
    : chance_(seed), rings_(kNodes, chance_), keep_hashes_(keep_hashes) {
  const auto find = [this](std::size_t node, int port) -> const App* {
    return node < nodes_.size() ? nodes_[node]->server(port) : nullptr;
  };
  network_ = std::make_unique<Network>(kNodes + kProxies, kNodes, find);
  const auto skew = [&] {
    return testing::FakeClock::kStart + kSkew * static_cast<double>(below(1000)) / 1000;
  };
  for (std::size_t i = 0; i < kNodes; ++i) {
    nodes_.push_back(std::make_unique<Node>(i, tree_.path(), rings_, network_->from(i)));
    nodes_.back()->host.time.set(skew());
  }
  for (std::size_t i = 0; i < kProxies; ++i) {
    auto proxy = std::make_unique<Proxy>();
    proxy->host.use_rings(rings_);
    proxy->host.use_transport(network_->from(kNodes + i));
    proxy->host.time.set(skew());
    // Whole answers: which copy was asked first in real time must not matter.
    proxy->app = testing::load_app(
        "proxy",
        {{"account_autocreate", "yes"}, {"post_quorum_timeout", "60"}, {"node_timeout", "60"}},
        proxy->host);
    proxies_.push_back(std::move(proxy));
  }
  if (!make_containers()) found_ = "a container could not be made";
}
World::~World() = default;

void World::advance(double seconds) {
  const auto step = std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
  for (const auto& node : nodes_) node->host.time.advance(step);
  for (const auto& proxy : proxies_) proxy->host.time.advance(step);
}

World::Answer World::ask(std::size_t proxy, const std::string& method, const std::string& path,
                         Headers headers, std::optional<std::string> body) {
  Request request =
      testing::make_request(method, "/v1/a/" + path, std::move(headers), std::move(body));
  Response response = (*proxies_[proxy]->app)(request);
  Answer out{response.status, "", response.headers};
  try {
    out.body = testing::body_of(response);
  } catch (const BodyError&) {
    out.status = 0;  // the answer broke off
  }
  response.body.reset();
  network_->from(kNodes + proxy).settle();
  return out;
}

bool World::make_containers() {
  for (const char* container : kContainers) {
    if (ask(0, "PUT", container).status / 100 != 2) return false;
    advance(1);
  }
  return true;
}

void World::run(std::size_t events) {
  for (std::size_t i = 0; i < events && found_.empty(); ++i) one_event();
}

void World::one_event() {
  advance(0.1 + static_cast<double>(below(100)) / 20);
  const std::size_t draw = below(100);
  if (draw < 60) {
    client();
  } else if (draw < 80) {
    fault();
  } else {
    daemon();
  }
}

void World::client() {
  const std::string name =
      std::string(kContainers[below(kContainers.size())]) + "/o" + std::to_string(below(kObjects));
  const std::size_t proxy = below(kProxies);
  const std::size_t draw = below(10);
  if (draw < 5) {
    change(Kind::kPut, name, proxy);
  } else if (draw < 7) {
    change(Kind::kDelete, name, proxy);
  } else if (draw < 8) {
    change(Kind::kPost, name, proxy);
  } else {
    look(name, proxy);
  }
}

void World::change(Kind kind, const std::string& name, std::size_t proxy) {
  ObjectHistory::Change change;
  change.kind = kind;
  change.moment = proxies_[proxy]->host.time.timestamp().internal();
  Headers headers;
  std::optional<std::string> body;
  const char* method = kind == Kind::kPut ? "PUT" : kind == Kind::kPost ? "POST" : "DELETE";
  if (kind != Kind::kDelete) {
    change.colour = "colour-" + std::to_string(++writes_);
    headers.set("X-Object-Meta-Colour", change.colour);
  }
  if (kind == Kind::kPut) {
    headers.set("Content-Type", "text/plain");
    change.body = "write " + std::to_string(writes_) + std::string(below(3) * 700, '.');
    body = change.body;
  }
  const Answer answer = ask(proxy, method, name, std::move(headers), std::move(body));
  change.acknowledged = answer.status / 100 == 2;
  tell(std::string(method) + " " + name + " at " + change.moment + " by proxy " +
       std::to_string(proxy) + ": " + std::to_string(answer.status) + " " + change.colour);
  model_[name].add(std::move(change));
}

void World::look(const std::string& name, std::size_t proxy) {
  const Answer answer = ask(proxy, "GET", name);
  tell("GET " + name + " by proxy " + std::to_string(proxy) + ": " + std::to_string(answer.status) +
       " " + answer.body.substr(0, 12));
  if (answer.status == 200 && !model_[name].was_written(answer.body))
    found_ = "GET " + name + " gave bytes that nobody wrote";
}

void World::fault() {
  const std::size_t node = below(kNodes);
  const std::size_t draw = below(10);
  Node& one = *nodes_[node];
  const std::string name = "node " + std::to_string(node);
  if (!one.is_up()) {
    if (draw < 2 && !disk_swapped_) {
      disk_swapped_ = true;
      one.power_off();
      one.swap_disk();
      tell(name + " has a new disk");
    }
    one.boot(chance_, keep_hashes_);
    tell(name + " boots");
  } else if (draw < 2) {
    one.power_off();
    tell(name + " loses power");
  } else if (draw < 5) {
    const std::size_t changes = 1 + below(25);
    one.power_off_after(changes);
    tell(name + " will lose power after " + std::to_string(changes) + " changes");
  } else if (draw < 8) {
    const std::size_t place = below(kNodes + kProxies);
    network_->cut(place, node);
    tell("link " + std::to_string(place) + " to " + std::to_string(node) + " is cut");
  } else if (draw < 9 || ring_changed_) {
    network_->heal();
    tell("links heal");
  } else {
    ring_changed_ = true;
    rings_.rebalance(chance_);
    tell("the object ring changes");
  }
}

void World::daemon() { pass(below(kNodes), kDaemons[below(kDaemons.size())]); }

void World::pass(std::size_t node, const char* daemon) {
  nodes_[node]->pass(daemon);
  network_->from(node).settle();
  tell(std::string(daemon) + " of node " + std::to_string(node) +
       (nodes_[node]->is_up() ? "" : ": down"));
}

}  // namespace apus::sim
