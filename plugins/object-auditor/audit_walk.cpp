#include "plugins/object-auditor/audit_walk.h"

#include <apus/disk.h>

#include <cerrno>
#include <cstring>
#include <span>

namespace apus {

AuditWalk::AuditWalk(Host& host, Logger& log, const Devices& mounted, Where where)
    : host_(host), log_(log), mounted_(mounted), where_(std::move(where)) {}

std::size_t AuditWalk::count() const {
  std::size_t out = 0;
  for (const std::string& name : where_.devices) {
    const std::string folder = mounted_.folder(name);
    if (!folder.empty())
      out += AuditStatus(host_, log_, folder + "/" + where_.directory, where_.kind).count();
  }
  return out;
}

std::optional<ObjectPlace> AuditWalk::next() {
  while (hashes_.empty()) {
    if (!next_suffix()) return std::nullopt;
  }
  ObjectPlace out{{folder_, where_.directory, partitions_[partition_ - 1]}, hashes_.back(), ""};
  hashes_.pop_back();
  return out;
}

bool AuditWalk::next_suffix() {
  while (suffixes_.empty()) {
    if (!next_partition()) return false;
  }
  const std::string folder =
      PartitionPlace{folder_, where_.directory, partitions_[partition_ - 1]}.partition_folder() +
      "/" + suffixes_.back();
  if (suffixes_.back().size() == 3) host_.disk().list(folder, hashes_);
  // What is no hash is nobody's object.
  std::erase_if(hashes_, [&](const std::string& hash) {
    return hash.size() != 32 || !hash.ends_with(suffixes_.back());
  });
  suffixes_.pop_back();
  return true;
}

bool AuditWalk::next_partition() {
  while (partition_ == partitions_.size()) {
    if (!next_device()) return false;
  }
  if (progress_ != nullptr) progress_->add();
  status_->write(std::span(partitions_).subspan(partition_));
  const std::string& name = partitions_[partition_++];
  const std::string folder = PartitionPlace{folder_, where_.directory, name}.partition_folder();
  if (!host_.disk().list(folder, suffixes_) && errno != ENOTDIR && errno != ENOENT)
    log_.error("ERROR Trying to audit " + folder + ": " + std::strerror(errno));
  return true;
}

bool AuditWalk::next_device() {
  if (status_) status_->write({});
  status_.reset();
  partitions_.clear();
  partition_ = 0;
  while (device_ < where_.devices.size()) {
    const std::string& name = where_.devices[device_++];
    folder_ = mounted_.folder(name);
    if (folder_.empty()) {
      log_.debug("Skipping: " + where_.root + "/" + name + " is not mounted");
      continue;
    }
    const std::string objects = folder_ + "/" + where_.directory;
    struct stat info {};
    if (host_.disk().stat(objects, info) != 0) continue;
    status_.emplace(host_, log_, objects, where_.kind);
    partitions_ = status_->read();
    return true;
  }
  return false;
}

void AuditWalk::keep() const {
  if (!status_ || partitions_.empty()) return;
  const std::size_t present = partition_ == 0 ? 0 : partition_ - 1;
  status_->write(std::span(partitions_).subspan(present), true);
}

void AuditWalk::clear() const {
  for (const std::string& name : where_.devices) {
    const std::string folder = mounted_.folder(name);
    if (!folder.empty())
      AuditStatus(host_, log_, folder + "/" + where_.directory, where_.kind).clear();
  }
}

}  // namespace apus
