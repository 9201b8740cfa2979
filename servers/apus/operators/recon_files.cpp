// Checks of the files that all nodes have alike: rings and swift.conf.
#include <apus/digest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "servers/apus/operators/recon_checks.h"
#include "servers/apus/operators/recon_stats.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

std::string md5_of_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(path.string() + ": cannot be read");
  Digest digest(DigestKind::kMd5);
  std::string piece(65536, '\0');
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())), in.gcount() > 0)
    digest.update(std::string_view(piece).substr(0, static_cast<std::size_t>(in.gcount())));
  return digest.finish_hex();
}

std::map<std::string, std::string> local_rings(const ReconOptions& options) {
  std::map<std::string, std::string> out;
  const auto take = [&](const fs::path& path) {
    out[path.filename().string()] = md5_of_file(path);
  };
  if (options.server_type != "object") {
    take(fs::path(options.swift_dir) / (options.server_type + ".ring.gz"));
    return out;
  }
  for (const auto& entry : fs::directory_iterator(options.swift_dir)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("object") && name.ends_with(".ring.gz")) take(entry.path());
  }
  return out;
}

void print_totals(std::size_t matches, std::size_t hosts, std::size_t errors) {
  std::cout << matches << "/" << hosts << " hosts matched, " << errors
            << " error[s] while checking hosts.\n";
  print_end();
}

}  // namespace

void check_ring_md5(const ReconOptions& options) {
  const auto rings = local_rings(options);
  print_begin("Checking ring md5sums");
  if (options.verbose) {
    for (const auto& [name, sum] : rings)
      std::cout << "-> On disk " << name << " md5sum: " << sum << "\n";
  }
  std::size_t matches = 0;
  std::size_t errors = 0;
  for (const ReconAnswer& answer : ask_recon(options, "ringmd5")) {
    bool good = answer.good() && answer.content.object() != nullptr;
    for (const auto& [path, sum] : good ? *answer.content.object() : Json::Object()) {
      const std::string name = fs::path(path).filename().string();
      if (!name.starts_with(options.server_type)) continue;
      const auto here = rings.find(name);
      if (here != rings.end() && sum.text() != nullptr && *sum.text() == here->second) continue;
      good = false;
      std::cout << "!! " << answer.url << " (" << name << " => "
                << (sum.text() == nullptr ? json_repr(sum) : *sum.text())
                << ") doesn't match on disk md5sum\n";
    }
    ++(good ? matches : errors);
    if (good && options.verbose) std::cout << "-> " << answer.url << " matches.\n";
  }
  print_totals(matches, options.hosts.size(), errors);
}

void check_swift_conf_md5(const ReconOptions& options) {
  const std::string here = md5_of_file(fs::path(options.swift_dir) / "swift.conf");
  print_begin("Checking swift.conf md5sum");
  if (options.verbose) std::cout << "-> On disk swift.conf md5sum: " << here << "\n";
  std::size_t matches = 0;
  std::size_t errors = 0;
  for (const ReconAnswer& answer : ask_recon(options, "swiftconfmd5")) {
    const Json::Object* sums = answer.good() ? answer.content.object() : nullptr;
    if (sums == nullptr || sums->empty()) {
      ++errors;
      continue;
    }
    const Json& sum = sums->front().second;  // one file, wherever that node has it
    if (sum.text() != nullptr && *sum.text() == here) {
      ++matches;
      if (options.verbose) std::cout << "-> " << answer.url << " matches.\n";
    } else {
      std::cout << "!! " << answer.url << " ("
                << (sum.text() == nullptr ? json_repr(sum) : *sum.text())
                << ") doesn't match on disk md5sum\n";
    }
  }
  print_totals(matches, options.hosts.size(), errors);
}

}  // namespace apus
