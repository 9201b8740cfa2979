// Looks for errors of drives in the kernel's log, and takes a drive that has some out of use.
#include <apus/disk.h>
#include <apus/json.h>
#include <apus/pattern.h>
#include <apus/plugin.h>
#include <glob.h>
#include <pwd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "framework/backend/pace.h"
#include "framework/backend/recon_cache.h"
#include "framework/store/object/small_file.h"
#include "plugins/drive-audit/drive_log.h"
#include "plugins/drive-audit/mounted_drives.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"device_dir", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"minutes", kInt, "60", "how far back the log is read", 0, 1e9},
    OptionSpec{"error_limit", kInt, "1", "errors from which a drive counts as failed", 1, 1e9},
    OptionSpec{"unmount_failed_device", kBool, "true",
               "unmount it, and make its line of /etc/fstab a comment"},
    OptionSpec{"log_file_pattern", kText, "/var/log/kern.*[!.][!g][!z]",
               "the kernel's logs, as a shell's pattern"},
    OptionSpec{"regex_pattern_*", kText, nullptr,
               "what a line of an error looks like; its first group is the device"},
    OptionSpec{"recon_cache_path", kText, "/var/cache/swift", "where drive.recon is written"},
    OptionSpec{"user", kText, "swift", "who is to own drive.recon"},
    OptionSpec{"interval", kNumber, "3600", "seconds between the starts of passes (not Swift's)", 1,
               1e9},
};
constexpr std::array kUsual = {R"(\berror\b.*\b(sd[a-z]{1,2}\d?)\b)",
                               R"(\b(sd[a-z]{1,2}\d?)\b.*\berror\b)"};
constexpr std::size_t kLargestTable = 16U << 20U;
constexpr const char* kFstab = "/etc/fstab";

std::vector<Pattern> patterns_of(const Options& options) {
  std::vector<Pattern> out;
  for (const auto& [name, value] : options.family("regex_pattern_")) {
    try {
      out.emplace_back(value.text);
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(name + ": " + error.what());
    }
  }
  if (out.empty()) {
    for (const char* pattern : kUsual) out.emplace_back(pattern);
  }
  return out;
}

// The newest first.
std::vector<std::string> log_files(Disk& disk, const std::string& pattern) {
  glob_t found{};
  std::vector<std::pair<timespec, std::string>> files;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      struct stat known {};
      // One that was rotated away meanwhile has another name.
      if (disk.stat(found.gl_pathv[i], known) == 0)
        files.emplace_back(known.st_mtim, found.gl_pathv[i]);
    }
  }
  ::globfree(&found);
  std::stable_sort(files.begin(), files.end(), [](const auto& one, const auto& other) {
    return std::pair(one.first.tv_sec, one.first.tv_nsec) >
           std::pair(other.first.tv_sec, other.first.tv_nsec);
  });
  std::vector<std::string> out;
  out.reserve(files.size());
  for (auto& [time, path] : files) out.push_back(std::move(path));
  return out;
}

// A user who is not there gets nothing.
void give_away(const std::string& path, const std::string& user) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer;
  if (::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0) return;
  if (found == nullptr) return;
  // Readable for all in any case.
  [[maybe_unused]] const int done = ::chown(path.c_str(), entry.pw_uid, entry.pw_gid);
}

class DriveAudit final : public Daemon {
 public:
  explicit DriveAudit(const PluginArgs& args)
      : host_(args.host),
        log_(args.host.logger(args.options)),
        options_(args.options),
        patterns_(patterns_of(args.options)),
        recon_(host_, log_, options_.text("recon_cache_path"), "drive") {}

  void run_once(std::stop_token) override {
    const auto mounts = read_small_file(host_.disk(), "/proc/mounts", kLargestTable);
    if (!mounts) {
      log_.error(std::string("/proc/mounts: ") + std::strerror(errno));
      return;
    }
    const auto drives = drives_below(options_.text("device_dir"), *mounts, log_);
    if (drives.empty()) log_.error("Error: No devices found!");
    try {
      judge(drives, errors());
    } catch (const std::system_error& error) {
      log_.error(std::string("Error: ") + error.what());
    }
  }

  void run_forever(std::stop_token stop) override {
    repeat_passes(host_, options_.seconds("interval"), stop, [&] { run_once(stop); });
  }

 private:
  [[nodiscard]] DriveErrors errors() {
    const auto now = static_cast<std::time_t>(host_.clock().now());
    const auto files = log_files(host_.disk(), options_.text("log_file_pattern"));
    if (files.empty()) {
      log_.warning("No log files fit log_file_pattern = " + options_.text("log_file_pattern"));
    }
    return count_drive_errors(host_.disk(), files, patterns_,
                              now - options_.integer("minutes") * 60, now);
  }

  void judge(const std::vector<MountedDrive>& drives, const DriveErrors& errors) {
    Json told{Json::Object{}};
    std::int64_t total = 0;
    bool any = false;
    for (const MountedDrive& drive : drives) {
      const auto at = errors.find(drive.kernel);
      const int count = at == errors.end() ? 0 : at->second;
      const bool failed = count >= options_.integer("error_limit");
      told.set(drive.folder, Json(std::int64_t{failed ? count : 0}));
      if (!failed) continue;
      total += count;
      any = take_out(drive, count) || any;
    }
    told.set("drive_audit_errors", Json(total));
    recon_.dump(told);
    give_away(options_.text("recon_cache_path") + "/drive.recon", options_.text("user"));
    if (!any) log_.info("No drives were unmounted");
  }

  // True when it is unmounted.
  bool take_out(const MountedDrive& drive, int count) {
    const std::string with = drive.folder + " with " + std::to_string(count) + " errors";
    if (!options_.flag("unmount_failed_device")) {
      log_.info("Detected " + with + " (Device not unmounted)");
      return false;
    }
    log_.info("Unmounting " + with);
    if (::umount2(drive.folder.c_str(), MNT_FORCE | MNT_DETACH) != 0) {
      log_.error("Could not unmount " + drive.folder + ": " + std::strerror(errno));
      return false;
    }
    forget_at_boot(drive.folder);
    return true;
  }

  void forget_at_boot(const std::string& folder) {
    const auto fstab = read_small_file(host_.disk(), kFstab, kLargestTable);
    const auto changed = fstab ? commented_out(*fstab, folder) : std::nullopt;
    if (!changed) return;
    log_.info("Commenting out " + folder + " from " + kFstab);
    const int error = write_small_file(host_.disk(), "/etc", "fstab.new", kFstab, *changed);
    if (error != 0) log_.error(std::string(kFstab) + ": " + std::strerror(error));
  }

  Host& host_;
  Logger& log_;
  Options options_;
  std::vector<Pattern> patterns_;
  ReconCache recon_;
};

}  // namespace

APUS_EXPORT_DAEMON("drive-audit", "1.0", DriveAudit, kOptions)

}  // namespace apus
