#include "framework/ssync/offers.h"

#include <algorithm>

namespace apus::ssync {

Offers::Offers(const ObjectStore& store, PartitionPlace place, std::vector<std::string> suffixes)
    : store_(store), place_(std::move(place)), suffixes_(std::move(suffixes)) {}

std::optional<Offer> Offers::next() {
  while (hash_ < hashes_.size() || next_suffix()) {
    if (hash_ == hashes_.size()) continue;
    if (auto offer = look_at(hashes_[hash_++])) return offer;
  }
  return std::nullopt;
}

bool Offers::next_suffix() {
  if (!found_files_) store_.invalidate(place_, suffixes_[suffix_ - 1]);
  found_files_ = true;
  hashes_.clear();
  hash_ = 0;
  if (suffix_ == suffixes_.size()) return false;
  const std::string& suffix = suffixes_[suffix_++];
  if (!store_.disk().list(place_.partition_folder() + "/" + suffix, hashes_)) return true;
  std::sort(hashes_.begin(), hashes_.end());
  found_files_ = false;
  return true;
}

std::optional<Offer> Offers::look_at(const std::string& hash) {
  if (!is_hash(hash) || !hash.ends_with(suffixes_[suffix_ - 1])) return std::nullopt;
  const auto files = store_.clean_up(ObjectPlace{place_, hash, ""});
  if (!files) return std::nullopt;
  found_files_ = found_files_ || files->left > 0;
  Offer out;
  out.hash = hash;
  if (files->data) {
    out.data = files->data->timestamp;
    out.meta = files->meta ? files->meta->timestamp : out.data;
    out.content_type = files->content_type.value_or(out.data);
  } else if (files->tombstone) {
    out.data = out.meta = out.content_type = files->tombstone->timestamp;
  } else {
    return std::nullopt;
  }
  return out;
}

}  // namespace apus::ssync
