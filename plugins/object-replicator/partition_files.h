// A handed-over partition goes: the files that were handed over, and no other.
#pragma once

#include <apus/disk.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "framework/store/object/object_store.h"

namespace apus {

/// The files of a partition as they were before it was handed over. What is written meanwhile is
/// not among them and stays, for the next pass. One thread.
class PartitionFiles {
 public:
  /// Lists the partition. `store` outlives this.
  PartitionFiles(const ObjectStore& store, PartitionPlace place);

  /// Folders with names of three characters, in order.
  [[nodiscard]] const std::vector<std::string>& suffixes() const { return suffixes_; }
  /// Removes the files of all objects but those in `kept` (hashes), and folders that are empty
  /// then. True when the partition is gone.
  bool remove_all_but(const std::set<std::string>& kept) const;
  /// Removes the files of these objects. The same otherwise.
  bool remove(const std::set<std::string>& hashes) const;

 private:
  bool remove_where(const std::set<std::string>& hashes, bool listed) const;
  bool remove_folder() const;

  const ObjectStore& store_;
  Disk& disk_;
  PartitionPlace place_;
  std::string folder_;
  std::vector<std::string> suffixes_;
  std::map<std::string, std::map<std::string, std::vector<std::string>>>
      files_;  ///< by suffix and hash
};

}  // namespace apus
