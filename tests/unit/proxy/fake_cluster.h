// A proxy from its own shared object in front of fake back ends: each device is a function.
#pragma once

#include <apus/account_info.h>
#include <apus/json.h>
#include <apus/ring.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "framework/transport/local_transport.h"

namespace apus::test {

using namespace apus::testing;

/// Device i of n; the first `replicas` are every partition's primaries, the others its handoffs in
/// order. Regions 1 and 2 in turn.
class FakeRing final : public Ring {
 public:
  FakeRing(int kind, std::size_t replicas, std::size_t devices) : replicas_(replicas) {
    for (std::size_t i = 0; i < devices; ++i) {
      RingDevice device;
      device.id = static_cast<int>(i);
      device.region = static_cast<int>(i % 2) + 1;
      device.zone = static_cast<int>(i);
      device.ip = "10.0." + std::to_string(kind) + "." + std::to_string(i);
      device.port = 6200 + kind;
      device.replication_ip = "10.1." + std::to_string(kind) + "." + std::to_string(i);
      device.replication_port = 6300 + kind;
      device.device = "d" + std::to_string(i);
      devices_.emplace_back(device);
    }
  }
  [[nodiscard]] std::uint32_t partition_count() const override { return 16; }
  [[nodiscard]] int part_power() const override { return 4; }
  [[nodiscard]] std::optional<int> next_part_power() const override { return next_part_power_; }
  [[nodiscard]] double replica_count() const override { return static_cast<double>(replicas_); }
  [[nodiscard]] const std::vector<std::optional<RingDevice>>& devices() const override {
    return devices_;
  }
  [[nodiscard]] std::uint32_t partition_of(std::string_view /*hash*/) const override { return 7; }
  [[nodiscard]] std::vector<RingNode> primaries(std::uint32_t /*partition*/) const override {
    std::vector<RingNode> out;
    for (std::size_t i = 0; i < replicas_; ++i)
      out.push_back({&*devices_[i], static_cast<int>(i), -1});
    return out;
  }
  [[nodiscard]] std::unique_ptr<HandoffWalk> handoffs(std::uint32_t /*partition*/) const override {
    return std::make_unique<Walk>(*this);
  }
  std::optional<int> next_part_power_;

 private:
  class Walk final : public HandoffWalk {
   public:
    explicit Walk(const FakeRing& ring) : ring_(ring), at_(ring.replicas_) {}
    std::optional<RingNode> next() override {
      if (at_ >= ring_.devices_.size()) return std::nullopt;
      const RingNode out{&*ring_.devices_[at_], -1, static_cast<int>(at_ - ring_.replicas_)};
      ++at_;
      return out;
    }

   private:
    const FakeRing& ring_;
    std::size_t at_;
  };
  std::size_t replicas_;
  std::vector<std::optional<RingDevice>> devices_;
};

enum Kind { kAccountNode = 0, kContainerNode = 1, kObjectNode = 2 };

class FakeCluster final : public RingDirectory {
 public:
  FakeCluster(const FakeCluster&) = delete;
  FakeCluster& operator=(const FakeCluster&) = delete;
  using Answer = std::function<Response(Request&, std::size_t device)>;
  /// One request that reached a device.
  struct Seen {
    Kind kind;
    std::size_t device;
    std::string method;
    std::string path;
    Query query;
    Headers headers;
    Headers internal;
    std::string body;
  };

  /// Copies that nobody waited for may still be in a function of the test.
  ~FakeCluster() override { transport.settle(); }
  explicit FakeCluster(OptionTexts options = {}, std::size_t replicas = 3, std::size_t devices = 6)
      : options_(std::move(options)) {
    for (int kind = 0; kind < 3; ++kind) {
      rings_.push_back(std::make_shared<FakeRing>(kind, replicas, devices));
      for (std::size_t i = 0; i < devices; ++i) {
        apps_.emplace_back([this, kind, i](Request& request) {
          return serve(static_cast<Kind>(kind), i, request);
        });
        transport.add({"10.0." + std::to_string(kind) + "." + std::to_string(i), 6200 + kind},
                      apps_.back());
        transport.add({"10.1." + std::to_string(kind) + "." + std::to_string(i), 6300 + kind},
                      apps_.back());
      }
    }
    host.use_rings(*this);
    host.use_transport(transport);
    on[kAccountNode] = [](Request&, std::size_t) {
      Response out(204);
      out.headers.set("X-Account-Container-Count", "1");
      return out;
    };
    on[kContainerNode] = [](Request& request, std::size_t) {
      const bool reads = request.method == "HEAD" || request.method == "GET";
      Response out(reads ? 204 : 201);
      out.internal.set("X-Backend-Storage-Policy-Index", "0");
      return out;
    };
    on[kObjectNode] = [](Request&, std::size_t) { return Response(404); };
  }

  std::shared_ptr<const Ring> account() override { return rings_[0]; }
  std::shared_ptr<const Ring> container() override { return rings_[1]; }
  std::shared_ptr<const Ring> object(int /*policy*/) override { return rings_[2]; }

  /// The proxy; made at the first use, so that a test can change `host.conf` before.
  const App& proxy() {
    if (!proxy_) proxy_ = load_app("proxy", options_, host);
    return *proxy_;
  }
  Response ask(Request& request) {
    request.context.cache = cached ? &host.cache() : nullptr;
    if (request.context.trans_id.empty()) request.context.trans_id = "tx-test";
    return proxy()(request);
  }
  Response ask(std::string method, std::string_view target, Headers headers = {},
               std::optional<std::string> body = std::nullopt) {
    Request request = make_request(std::move(method), target, std::move(headers), std::move(body));
    return ask(request);
  }
  [[nodiscard]] std::vector<Seen> seen(Kind kind, std::string_view method = {}) const {
    std::vector<Seen> out;
    const std::lock_guard lock(mutex_);
    for (const Seen& one : seen_) {
      if (one.kind == kind && (method.empty() || one.method == method)) out.push_back(one);
    }
    return out;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    seen_.clear();
  }

  TestHost host;
  LocalTransport transport;
  std::map<Kind, Answer> on;
  bool read_bodies = true;  ///< before the function answers; else it reads itself
  bool cached = true;

  FakeRing& ring(Kind kind) { return *rings_[kind]; }

 private:
  Response serve(Kind kind, std::size_t device, Request& request) {
    std::string body;
    if (read_bodies && request.body != nullptr) body = read_all(request.body.get(), 1U << 20U);
    Answer answer;
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back({kind, device, request.method, request.path, request.query, request.headers,
                       request.internal, std::move(body)});
      answer = on.at(kind);
    }
    return answer(request, device);
  }

  OptionTexts options_;
  std::vector<std::shared_ptr<FakeRing>> rings_;
  std::deque<FunctionApp> apps_;
  mutable std::mutex mutex_;
  std::vector<Seen> seen_;
  std::unique_ptr<const App> proxy_;
};

/// An object as an object server answers it, `at` its timestamp.
inline Response object_answer(std::string body, std::string_view etag, std::string_view at) {
  Response out(200, std::move(body), "text/plain");
  out.headers.set("Etag", std::string(etag));
  out.headers.set("X-Timestamp", std::string(at));
  out.internal.set("X-Backend-Timestamp", std::string(at));
  return out;
}

}  // namespace apus::test
