// The sender's side of SSYNC: hands objects of one partition to another server, Swift's or ours.
#pragma once

#include <apus/host.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "framework/ssync/protocol.h"
#include "framework/store/object/object_store.h"
#include "framework/transport/duplex.h"

namespace apus::ssync {

/// The device that shall have the objects.
struct Peer {
  Endpoint endpoint;
  std::string device;
  /// Of an erasure-coded policy: the fragment that it holds. Receivers from 2.4.0 on are told.
  std::optional<int> fragment;

  /// "IP:PORT/DEVICE"
  [[nodiscard]] std::string name() const {
    return endpoint.ip + ":" + std::to_string(endpoint.port) + "/" + device;
  }
};

struct Job {
  PartitionPlace place;  ///< of this server
  int policy = 0;
  std::vector<std::string> suffixes;
  /// Asks of these hashes alone, and only whether the peer has them: nothing is sent.
  const std::set<std::string>* only_check = nullptr;
  std::size_t most = 0;  ///< objects offered; 0 = all
};

struct APUS_API Report {
  bool good = false;
  std::string problem;  ///< when not good: for the log, without the peer's name
  bool truncated = false;
  std::map<std::string, Offer> offered;  ///< by hash
  std::set<std::string> wanted;
  std::set<std::string> unsent;  ///< wanted, but not to be read here
  std::size_t puts = 0;
  std::size_t posts = 0;
  std::size_t deletes = 0;
  std::uint64_t bytes = 0;  ///< of bodies

  /// Hashes that the peer has now as they were offered; valid when good.
  [[nodiscard]] std::set<std::string> in_sync(bool only_checked) const;
};

/// One exchange. No suffixes, or nothing in them that the peer lacks, is a success. A refusal (any
/// status but 200) and an error under way are told in the report; nothing is thrown. An object that
/// proves damaged while it is read is quarantined, and the peer refuses it. Blocks; ends within a
/// deadline, or soon after `stop`.
APUS_API Report send(const ObjectStore& store, Host& host, Logger& log, const Peer& peer,
                     const Job& job, const DuplexDeadlines& deadlines, const std::stop_token& stop);

}  // namespace apus::ssync
