// Look-ups in a ring file. A line of input is a path hash and a number: the partition, its devices'
// ids, and those of the first so many handoffs (all, if fewer) are a line of output.
#include <cstdio>
#include <iostream>
#include <string>

#include "framework/ring/ring_file.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: bench_ring_lookup RING.gz < HASHES\n", stderr);
    return 2;
  }
  const auto ring = apus::make_ring(apus::read_ring(argv[1]));
  std::string hash;
  std::size_t handoffs = 0;
  while (std::cin >> hash >> handoffs) {
    const std::uint32_t part = ring->partition_of(hash);
    std::string line = std::to_string(part);
    for (const apus::RingNode& node : ring->primaries(part))
      line += " " + std::to_string(node.device->id);
    line += " :";
    const auto walk = ring->handoffs(part);
    while (handoffs-- > 0) {
      const auto node = walk->next();
      if (!node) break;
      line += " " + std::to_string(node->device->id);
    }
    std::cout << line << "\n";
  }
}
