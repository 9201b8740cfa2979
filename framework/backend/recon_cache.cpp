#include "framework/backend/recon_cache.h"

#include <apus/disk.h>
#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "framework/store/object/small_file.h"

namespace apus {
namespace {

constexpr std::size_t kLargest = 4U << 20U;
constexpr std::chrono::milliseconds kPatience{2000};
constexpr std::chrono::milliseconds kBetweenTries{5};

bool is_empty_object(const Json& value) {
  return value.object() != nullptr && value.object()->empty();
}

// `from` without the member of that name.
Json without(const Json& from, std::string_view name) {
  Json::Object kept;
  if (from.object() != nullptr) {
    for (const auto& member : *from.object()) {
      if (member.first != name) kept.push_back(member);
    }
  }
  return kept;
}

void put(Json& to, const std::string& name, const Json& value) {
  if (is_empty_object(value)) {
    to = without(to, name);
  } else if (value.object() == nullptr) {
    to.set(name, value);
  } else {
    const Json* old = to.find(name);
    Json merged = old != nullptr && old->object() != nullptr ? *old : Json(Json::Object{});
    for (const auto& [key, item] : *value.object()) {
      if (is_empty_object(item)) {
        merged = without(merged, key);
      } else {
        merged.set(key, item);
      }
    }
    to.set(name, std::move(merged));
  }
}

// The lock is on the file that has the name: another process may have replaced it meanwhile.
bool is_still_named(Disk& disk, const Fd& fd, const std::string& path) {
  struct stat open {};
  struct stat named {};
  return disk.fstat(fd.get(), open) == 0 && disk.stat(path, named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

}  // namespace

ReconCache::ReconCache(Host& host, Logger& log, std::string folder, const std::string& kind)
    : host_(host), log_(log), folder_(std::move(folder)), path_(folder_ + "/" + kind + ".recon") {}

void ReconCache::dump(const Json& entry) const {
  const std::string wrong = replace(entry);
  if (!wrong.empty()) log_.error("Exception dumping recon cache: " + path_ + ": " + wrong);
}

std::string ReconCache::replace(const Json& entry) const {
  Disk& disk = host_.disk();
  Fd lock;
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!lock) {
    lock = Fd(disk, disk.open(path_, O_RDWR | O_CREAT, 0644));
    if (!lock) return std::strerror(errno);
    if (disk.flock(lock.get(), LOCK_EX | LOCK_NB) == 0 && is_still_named(disk, lock, path_)) break;
    lock.reset();
    if (std::chrono::steady_clock::now() >= end) return "another process holds its lock";
    std::this_thread::sleep_for(kBetweenTries);
  }
  Json all{Json::Object{}};
  if (const auto text = read_small_file(disk, path_, kLargest)) {
    if (auto old = Json::parse(*text, kLargest); old && old->object() != nullptr)
      all = std::move(*old);
  }
  if (entry.object() != nullptr) {
    for (const auto& [name, value] : *entry.object()) put(all, name, value);
  }
  const int error = write_small_file(disk, folder_, "tmp" + host_.entropy().hex(8), path_,
                                     all.dump(false, true) + "\n");
  return error == 0 ? "" : std::strerror(error);
}

}  // namespace apus
