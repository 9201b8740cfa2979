#include "framework/cache/server_ring.h"

#include <apus/digest.h>

#include <algorithm>

namespace apus {
namespace {

constexpr int kPointsPerServer = 50;

}  // namespace

ServerRing::ServerRing(const std::vector<std::string>& servers) : servers_(servers.size()) {
  for (std::size_t i = 0; i < servers.size(); ++i) {
    for (int point = 0; point < kPointsPerServer; ++point)
      points_.emplace_back(md5_hex(servers[i] + "-" + std::to_string(point)), i);
  }
  std::sort(points_.begin(), points_.end());
}

std::vector<std::size_t> ServerRing::choose(std::string_view hashed_key, std::size_t tries) const {
  std::vector<std::size_t> out;
  if (points_.empty()) return out;
  const auto above =
      std::upper_bound(points_.begin(), points_.end(), hashed_key,
                       [](std::string_view key, const auto& point) { return key < point.first; });
  auto at = static_cast<std::size_t>(above - points_.begin());
  // The point behind the next one, not the next one itself: Swift's proxies do the same.
  for (std::size_t step = 0; step < points_.size() && out.size() < std::min(tries, servers_);
       ++step) {
    at = (at + 1) % points_.size();
    const std::size_t server = points_[at].second;
    if (std::find(out.begin(), out.end(), server) == out.end()) out.push_back(server);
  }
  return out;
}

}  // namespace apus
