#include "plugins/object-auditor/audit_status.h"

#include <apus/disk.h>
#include <apus/json.h>
#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "framework/store/object/small_file.h"

namespace apus {
namespace {

constexpr std::size_t kLargest = 64U << 20U;
constexpr double kBetweenWrites = 60;  // seconds

bool is_entry(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

std::optional<std::vector<std::string>> partitions_of(const std::string& text) {
  const auto json = Json::parse(text, kLargest);
  const Json* list = json ? json->find("partitions") : nullptr;
  if (list == nullptr || list->array() == nullptr) return std::nullopt;
  std::vector<std::string> out;
  for (const Json& one : *list->array()) {
    if (one.text() != nullptr && is_entry(*one.text())) out.push_back(*one.text());
  }
  return out;
}

}  // namespace

AuditStatus::AuditStatus(Host& host, Logger& log, const std::string& folder,
                         const std::string& kind)
    : host_(host),
      log_(log),
      folder_(folder),
      path_(folder + "/auditor_status_" + kind + ".json") {}

std::vector<std::string> AuditStatus::read() const {
  if (const auto text = read_small_file(host_.disk(), path_, kLargest)) {
    if (auto left = partitions_of(*text)) return *std::move(left);
    log_.warning("Loading JSON from " + path_ + " failed: it has no list of partitions");
  } else if (errno != ENOENT && errno != ENOTDIR) {
    log_.warning("Cannot read " + path_ + " (" + std::strerror(errno) + ")");
  }
  std::vector<std::string> all;
  host_.disk().list(folder_, all);
  return all;
}

std::size_t AuditStatus::count() const {
  const auto text = read_small_file(host_.disk(), path_, kLargest);
  if (const auto left = text ? partitions_of(*text) : std::nullopt) return left->size();
  std::vector<std::string> all;
  host_.disk().list(folder_, all);
  return all.size();
}

void AuditStatus::write(std::span<const std::string> left, bool now) const {
  Disk& disk = host_.disk();
  struct stat info {};
  if (!now && !left.empty() && disk.stat(path_, info) == 0 &&
      static_cast<double>(info.st_mtime) + kBetweenWrites > host_.clock().now())
    return;
  Json list{Json::Array(left.begin(), left.end())};
  Json status;
  status.set("partitions", std::move(list));
  const std::string text = status.dump();
  const Fd fd(disk, disk.open(path_, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  if (!fd || disk.write(fd.get(), text) != static_cast<ssize_t>(text.size()))
    log_.warning("Cannot write " + path_ + " (" + std::strerror(errno) + ")");
}

void AuditStatus::clear() const { host_.disk().unlink(path_); }

}  // namespace apus
