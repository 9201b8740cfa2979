// The exact datagrams StatsD gets, and what /metrics shows.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "framework/metrics/number.h"
#include "framework/metrics/registry.h"

using namespace apus;

namespace {

struct Collector {
  Collector() : fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port = ntohs(at.sin_port);
  }
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  ~Collector() { ::close(fd); }
  std::string next(int patience = 5000) const {
    pollfd entry{fd, POLLIN, 0};
    if (::poll(&entry, 1, patience) <= 0) return "";
    char packet[2048];
    const ssize_t size = ::recv(fd, packet, sizeof packet, 0);
    return {packet, static_cast<std::size_t>(size)};
  }
  int fd;
  int port = 0;
};

}  // namespace

TEST_CASE("statsd lines are those of Swift") {
  const Collector collector;
  MetricsRegistry registry;
  const StatsdSocket socket({.host = "127.0.0.1", .port = collector.port, .metric_prefix = "dc1"},
                            nullptr);
  PrefixedMetrics metrics(registry, socket, "proxy-server");
  metrics.increment("errors", 1);
  CHECK(collector.next() == "dc1.proxy-server.errors:1|c");
  metrics.increment("handoff_count", -3);
  CHECK(collector.next() == "dc1.proxy-server.handoff_count:-3|c");
  metrics.timing("object.GET.200.timing", 12.5);
  CHECK(collector.next() == "dc1.proxy-server.object.GET.200.timing:12.5|ms");
  metrics.timing("x.timing", 5);
  CHECK(collector.next() == "dc1.proxy-server.x.timing:5.0|ms");
  metrics.gauge("left", 7);
  CHECK(collector.next() == "dc1.proxy-server.left:7.0|g");
}

TEST_CASE("without prefixes the name stands alone") {
  const Collector collector;
  MetricsRegistry registry;
  const StatsdSocket socket({.host = "localhost", .port = collector.port}, nullptr);
  PrefixedMetrics(registry, socket, "").increment("a", 1);
  CHECK(collector.next() == "a:1|c");
}

TEST_CASE("sampled events tell their rate, and about that share is sent") {
  const Collector collector;
  MetricsRegistry registry;
  const StatsdSocket socket({.host = "127.0.0.1",
                             .port = collector.port,
                             .default_sample_rate = 0.5,
                             .sample_rate_factor = 0.5},
                            nullptr);
  PrefixedMetrics metrics(registry, socket, "s");
  int sent = 0;
  for (int i = 0; i < 400; ++i) {
    metrics.increment("n", 1);
    while (true) {
      const std::string line = collector.next(0);
      if (line.empty()) break;
      ++sent;
      CHECK(line == "s.n:1|c|@0.25");
    }
  }
  CHECK(sent > 40);
  CHECK(sent < 200);
  CHECK(metrics.prometheus_text().find("apus_n_total 400\n") != std::string::npos);
}

TEST_CASE("a host without an address sends nothing and says so") {
  MetricsRegistry registry;
  const StatsdSocket socket({.host = "no.such.host.invalid"}, nullptr);
  PrefixedMetrics(registry, socket, "s").increment("n", 1);
  CHECK(registry.prometheus_text().find("apus_n_total 1\n") != std::string::npos);
}

TEST_CASE("numbers are printed as Python prints them") {
  CHECK(number_text(0) == "0.0");
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(100000) == "100000.0");
  CHECK(number_text(0.00001) == "1e-05");
  CHECK(number_text(1e22) == "1e+22");
  CHECK(number_text(-2.5) == "-2.5");
}

TEST_CASE("prometheus text: counters, histograms, stages") {
  MetricsRegistry registry;
  registry.increment("tempauth.AUTH_.errors", 2);
  registry.timing("GET.timing", 0.2);
  registry.timing("GET.timing", 400);
  registry.timing("GET.timing", 99000);
  registry.stage("quo\"te").add(0.0002);
  const std::string text = registry.prometheus_text();
  const auto has = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  CHECK(
      has("# TYPE apus_tempauth_AUTH__errors_total counter\napus_tempauth_AUTH__errors_total 2\n"));
  CHECK(has("# TYPE apus_GET_timing_seconds histogram\n"));
  CHECK(has("apus_GET_timing_seconds_bucket{le=\"0.00025\"} 1\n"));
  CHECK(has("apus_GET_timing_seconds_bucket{le=\"0.5\"} 2\n"));
  CHECK(has("apus_GET_timing_seconds_bucket{le=\"+Inf\"} 3\n"));
  CHECK(has("apus_GET_timing_seconds_count 3\n"));
  CHECK(has("apus_stage_seconds_bucket{stage=\"quo\\\"te\",le=\"0.00025\"} 1\n"));
}

TEST_CASE("threads count together") {
  MetricsRegistry registry;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          registry.increment("n", 1);
          registry.timing("t", 1);
          registry.stage("s").add(0.001);
        }
      });
    }
  }
  const std::string text = registry.prometheus_text();
  CHECK(text.find("apus_n_total 4000\n") != std::string::npos);
  CHECK(text.find("apus_t_seconds_count 4000\n") != std::string::npos);
  CHECK(text.find("apus_stage_seconds_count{stage=\"s\"} 4000\n") != std::string::npos);
}
