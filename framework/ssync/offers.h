// What a sender offers of one partition, found as it goes.
#pragma once

#include <apus/abi.h>

#include <optional>
#include <string>
#include <vector>

#include "framework/ssync/protocol.h"
#include "framework/store/object/object_store.h"

namespace apus::ssync {

/// Walks suffix folders, one object folder at a time, each cleaned up first. What is neither an
/// object nor a tombstone is passed over; a suffix in which no file is left is marked to be hashed
/// anew, so that it goes. One thread.
class APUS_API Offers {
 public:
  /// `store` outlives this.
  Offers(const ObjectStore& store, PartitionPlace place, std::vector<std::string> suffixes);
  /// Nothing at the end.
  std::optional<Offer> next();

 private:
  bool next_suffix();
  std::optional<Offer> look_at(const std::string& hash);

  const ObjectStore& store_;
  PartitionPlace place_;
  std::vector<std::string> suffixes_;
  std::size_t suffix_ = 0;  ///< one past that of `hashes_`
  std::vector<std::string> hashes_;
  std::size_t hash_ = 0;
  bool found_files_ = true;
};

}  // namespace apus::ssync
