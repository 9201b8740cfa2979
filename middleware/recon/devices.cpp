#include "middleware/recon/devices.h"

#include <apus/digest.h>
#include <apus/disk.h>
#include <apus/mount_point.h>
#include <apus/text.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <fstream>
#include <map>
#include <vector>

namespace apus::recon {
namespace {

std::optional<std::vector<std::string>> names_in(const std::string& folder) {
  std::vector<std::string> out;
  return real_disk().list(folder, out) ? std::optional(std::move(out)) : std::nullopt;
}

bool is_folder(const std::string& path) {
  struct stat its {};
  return ::stat(path.c_str(), &its) == 0 && S_ISDIR(its.st_mode);
}

bool is_mounted(const std::string& folder, const std::string& name) {
  return quote_plus(name) == name && is_mount_point(folder + "/" + name);
}

// What a folder holds, by its links; those of itself and its parent not counted.
std::int64_t folders_in(const std::string& path) {
  struct stat its {};
  if (::lstat(path.c_str(), &its) != 0) return 0;
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(its.st_nlink) - 2);
}

Json usage_of(const std::string& folder, const std::string& name) {
  Json out;
  out.set("device", name);
  struct statvfs space {};
  const bool mounted =
      is_mounted(folder, name) && ::statvfs((folder + "/" + name).c_str(), &space) == 0;
  out.set("mounted", mounted);
  if (!mounted) {
    for (const char* what : {"size", "used", "avail"}) out.set(what, "");
    return out;
  }
  const auto bytes = [&](std::uint64_t blocks) {
    return static_cast<std::int64_t>(space.f_bsize * blocks);
  };
  out.set("size", bytes(space.f_blocks));
  out.set("used", bytes(space.f_blocks - space.f_bavail));
  out.set("avail", bytes(space.f_bavail));
  return out;
}

}  // namespace

Json devices(const std::string& folder) {
  Json out;
  const auto names = names_in(folder);
  out.set(folder, names ? Json(Json::Array(names->begin(), names->end())) : Json());
  return out;
}

std::optional<Json> unmounted(const std::string& folder) {
  const auto names = names_in(folder);
  if (!names) return std::nullopt;
  Json::Array out;
  for (const std::string& name : *names) {
    if (!is_folder(folder + "/" + name) || is_mounted(folder, name)) continue;
    Json one;
    one.set("device", name);
    one.set("mounted", false);
    out.push_back(std::move(one));
  }
  return Json(std::move(out));
}

std::optional<Json> disk_usage(const std::string& folder) {
  const auto names = names_in(folder);
  if (!names) return std::nullopt;
  Json::Array out;
  for (const std::string& name : *names) {
    if (is_folder(folder + "/" + name)) out.push_back(usage_of(folder, name));
  }
  return Json(std::move(out));
}

std::optional<Json> quarantined(const std::string& folder) {
  const auto names = names_in(folder);
  if (!names) return std::nullopt;
  std::map<std::string, std::int64_t> counts = {{"objects", 0}, {"containers", 0}, {"accounts", 0}};
  std::map<std::string, std::int64_t> policies;
  for (const std::string& name : *names) {
    const std::string place = folder + "/" + name + "/quarantined";
    for (const std::string& kind : names_in(place).value_or(std::vector<std::string>())) {
      const std::int64_t count = folders_in(place + "/" + kind);
      const bool object = kind.starts_with("objects");
      if (count == 0 || (!object && !counts.contains(kind))) continue;
      counts[object ? "objects" : kind] += count;
      const std::size_t dash = kind.find('-');
      if (object) policies[dash == std::string::npos ? "0" : kind.substr(dash + 1)] += count;
    }
  }
  Json out;
  for (const char* kind : {"objects", "containers", "accounts"}) out.set(kind, counts[kind]);
  Json by_policy{Json::Object{}};
  for (const auto& [index, count] : policies) {
    Json one;
    one.set("objects", count);
    by_policy.set(index, std::move(one));
  }
  out.set("policies", std::move(by_policy));
  return out;
}

std::optional<std::string> file_md5(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  Digest digest(DigestKind::kMd5);
  std::array<char, 65536> piece;
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0)
    digest.update({piece.data(), static_cast<std::size_t>(in.gcount())});
  return in.bad() ? std::nullopt : std::optional(digest.finish_hex());
}

}  // namespace apus::recon
