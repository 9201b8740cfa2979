#include "plugins/object-auditor/audit_pass.h"

#include <apus/digest.h>
#include <apus/disk.h>
#include <apus/json.h>
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "framework/backend/moment_text.h"
#include "plugins/object-auditor/audit_walk.h"

namespace apus {
namespace {

std::string fixed(double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.2f", value);
  return text.data();
}

std::string sorted_names(std::vector<std::string> names, const char* between) {
  std::sort(names.begin(), names.end());
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : between) + name;
  return out;
}

ObjectStore::Settings store_settings(const AuditSettings& settings) {
  ObjectStore::Settings out;
  out.known_objects = 0;  // each is looked at once
  out.reclaim_age = settings.reclaim_age;
  return out;
}

// ".NAME.XXXXXX": what rsync names a file that it has not received whole.
bool is_rsync_temporary(std::string_view name) {
  if (name.size() < 8 || name.front() != '.' || name[name.size() - 7] != '.') return false;
  return name.substr(name.size() - 6)
             .find_first_not_of(
                 "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") ==
         std::string_view::npos;
}

}  // namespace

AuditPass::AuditPass(Host& host, Logger& log, const AuditSettings& settings,
                     const WatcherPlugins& watchers, AuditKind kind, double rate,
                     std::vector<std::string> devices, std::string mode)
    : host_(host),
      log_(log),
      settings_(settings),
      kind_(kind),
      kind_name_(kind == AuditKind::kAll ? "ALL" : "ZBF"),
      devices_(std::move(devices)),
      mode_(std::move(mode)),
      mounted_(settings.root, settings.mount_check),
      recon_(host, log, settings.recon_folder, "object"),
      store_(host.disk(), host.clock(), log, host.entropy(), host.swift_conf(),
             store_settings(settings)),
      file_pace_(host.clock(), rate),
      byte_pace_(host.clock(), settings.bytes_per_second),
      watchers_(watchers, host, log),
      buffer_(kind == AuditKind::kAll ? settings.piece : 0) {
  if (!devices_.empty())
    description_ =
        (kind == AuditKind::kAll ? " - parallel, " : " - ") + sorted_names(devices_, ",");
  for (const std::int64_t size : settings.sizes) sizes_[size] = 0;
}

void AuditPass::run(const std::stop_token& stop) {
  log_.info("Begin object audit \"" + mode_ + "\" mode (" + kind_name_ + description_ + ")");
  watchers_.start(kind_);
  begin_ = reported_ = host_.clock().now();
  std::vector<std::string> names = devices_;
  if (names.empty()) host_.disk().list(settings_.root, names);
  std::vector<AuditWalk> walks;
  for (const StoragePolicy& policy : host_.swift_conf().policies) {
    if (policy.type != "replication") continue;
    for (std::size_t i = names.size(); i > 1; --i)
      std::swap(names[i - 1], names[host_.entropy().below(i)]);
    walks.emplace_back(
        host_, log_, mounted_,
        AuditWalk::Where{settings_.root, names, policy.directory("objects"), kind_name_});
  }
  PassProgress progress(
      host_, &recon_,
      "object_auditor_" + kind_name_ + (devices_.empty() ? "" : "_" + sorted_names(devices_, "_")),
      "partitions", 0);
  for (AuditWalk& walk : walks) {
    progress.expect(walk.count());
    walk.tell(progress);
  }
  double last = 0;
  std::vector<AuditWalk*> open;
  open.reserve(walks.size());
  for (AuditWalk& walk : walks) open.push_back(&walk);
  for (std::size_t turn = 0; !open.empty() && !stop.stop_requested();) {
    turn %= open.size();
    const double started = host_.clock().now();
    const auto place = open[turn]->next();
    if (!place) {
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(turn));
      continue;
    }
    ++turn;
    audit(*place, stop);
    const double done = host_.clock().now();
    host_.metrics().timing("timing", (done - started) * 1000);
    auditing_ += done - started;
    file_pace_.wait(stop);
    ++files_;
    const double now = host_.clock().now();
    if (now - last < std::chrono::duration<double>(settings_.log_time).count()) continue;
    report(now);
    last = now;
  }
  if (stop.stop_requested()) {
    for (const AuditWalk* walk : open) walk->keep();
    return;
  }
  report_end(host_.clock().now());
  for (const AuditWalk& walk : walks) walk.clear();
}

void AuditPass::audit(const ObjectPlace& place, const std::stop_token& stop) {
  const std::int64_t errors = window_.errors;
  std::vector<std::string> names;
  const bool listed = host_.disk().list(place.folder(), names);
  OpenObject object = store_.open(place, host_.clock().timestamp(), false);
  if (object.quarantined) {
    tell_quarantined(place, object.why);
  } else if (object.state == ObjectState::kFound) {
    audit_open(place, object, choose_files(names), stop);
  } else if (object.state == ObjectState::kDeleted) {
    const double age = host_.clock().now() - object.timestamp.seconds();
    if (kind_ == AuditKind::kAll && age > settings_.reclaim_age)
      store_.invalidate(place, place.suffix());
  } else if (object.state == ObjectState::kFailed &&
             (object.error == ENODATA || object.error == EUCLEAN)) {
    const std::string why = std::string("Failed to open it: ") + std::strerror(object.error);
    store_.quarantine(place, why);
    tell_quarantined(place, why);
  } else if (object.state == ObjectState::kFailed) {
    fail(place, std::strerror(object.error));
  } else if (object.state == ObjectState::kNotSupported) {
    fail(place, "the file system has no extended attributes");
  }
  if (window_.errors == errors) ++window_.passes;
  if (listed && !object.quarantined) drop_temporaries(place, names);
}

void AuditPass::audit_open(const ObjectPlace& place, OpenObject& object, const FileSet& files,
                           const std::stop_token& stop) {
  count_size(object.size);
  add_checksums(place, object, files);
  if (object.size == 0 || kind_ != AuditKind::kAll || read_body(place, object, files, stop))
    show(place, object, files);
}

void AuditPass::show(const ObjectPlace& place, const OpenObject& object, const FileSet& files) {
  if (!files.data) return;
  const std::string data_file = place.folder() + "/" + files.data->name;
  const std::string who = watchers_.see_object({object.metadata(), data_file});
  if (!who.empty()) set_aside(place, files, "Requested by " + who);
}

// True when it is whole.
bool AuditPass::read_body(const ObjectPlace& place, const OpenObject& object, const FileSet& files,
                          const std::stop_token& stop) {
  const std::string* etag = object.metadata().find("ETag");
  if (etag == nullptr) {
    fail(place, "its metadata has no ETag");
    return false;
  }
  const int fd = object.data.get();
  if (object.size > buffer_.size()) ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  Digest digest(DigestKind::kMd5);
  std::uint64_t at = 0;
  while (at < object.size) {
    if (stop.stop_requested()) return false;
    const ssize_t count = host_.disk().pread(fd, buffer_, at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      fail(place, std::strerror(errno));
      return false;
    }
    if (count == 0) break;
    const auto size = static_cast<std::size_t>(count);
    digest.update(std::string_view(buffer_.data(), size));
    // What nobody asked for shall not push out what clients read.
    ::posix_fadvise(fd, static_cast<off_t>(at), static_cast<off_t>(size), POSIX_FADV_DONTNEED);
    at += size;
    window_.bytes += size;
    byte_pace_.wait(stop, size);
  }
  std::string why;
  const std::string found = digest.finish_hex();
  if (at != object.size) {
    why = "Bytes read: " + std::to_string(at) +
          ", does not match metadata: " + std::to_string(object.size);
  } else if (found != *etag) {
    why = "ETag " + *etag + " and file's md5 " + found + " do not match";
  }
  return why.empty() || set_aside(place, files, why);
}

// False. Replaced meanwhile: what lies there now is another object, to be judged by the next pass.
bool AuditPass::set_aside(const ObjectPlace& place, const FileSet& files, const std::string& why) {
  struct stat info {};
  if (!files.data || host_.disk().stat(place.folder() + "/" + files.data->name, info) != 0)
    return false;
  store_.quarantine(place, why);
  tell_quarantined(place, why);
  return false;
}

void AuditPass::add_checksums(const ObjectPlace& place, const OpenObject& object,
                              const FileSet& files) {
  Disk& disk = host_.disk();
  const auto add = [&](int fd) {
    if (const int error = add_missing_checksum(disk, fd); error != 0)
      log_.error("Error adding metadata checksum in " + place.folder() + ": " +
                 std::strerror(error));
  };
  add(object.data.get());
  for (const auto* file : {&files.meta, &files.content_type_meta}) {
    if (!*file) continue;
    const Fd fd(disk, disk.open(place.folder() + "/" + (*file)->name, O_RDONLY));
    if (fd) add(fd.get());
  }
}

void AuditPass::drop_temporaries(const ObjectPlace& place, const std::vector<std::string>& names) {
  const double horizon = host_.clock().now() - settings_.tempfile_age;
  for (const std::string& name : names) {
    if (!is_rsync_temporary(name)) continue;
    const std::string path = place.folder() + "/" + name;
    struct stat info {};
    if (host_.disk().stat(path, info) == 0 && static_cast<double>(info.st_mtime) < horizon)
      host_.disk().unlink(path);
  }
}

void AuditPass::tell_quarantined(const ObjectPlace& place, const std::string& why) {
  ++window_.quarantined;
  host_.metrics().increment("quarantines");
  log_.error("ERROR Object " + place.folder() + " failed audit and was quarantined: " + why);
}

void AuditPass::fail(const ObjectPlace& place, const std::string& why) {
  ++window_.errors;
  host_.metrics().increment("errors");
  log_.error("ERROR Trying to audit " + place.folder() + ": " + why);
}

void AuditPass::count_size(std::uint64_t size) {
  if (settings_.sizes.empty()) return;
  const auto at = sizes_.lower_bound(static_cast<std::int64_t>(size));
  ++(at == sizes_.end() ? oversize_ : at->second);
}

void AuditPass::report(double now) {
  const double span = std::max(now - reported_, 1e-6);
  const double total = now - begin_;
  log_.info("Object audit (" + kind_name_ + description_ + "). Since " + moment_text(reported_) +
            ": Locally: " + std::to_string(window_.passes) + " passed, " +
            std::to_string(window_.quarantined) + " quarantined, " +
            std::to_string(window_.errors) +
            " errors, files/sec: " + fixed(static_cast<double>(window_.passes) / span) +
            ", bytes/sec: " + fixed(static_cast<double>(window_.bytes) / span) +
            ", Total time: " + fixed(total) + ", Auditing time: " + fixed(auditing_) +
            ", Rate: " + fixed(auditing_ / std::max(total, 1e-6)));
  Json stats;
  stats.set("errors", window_.errors);
  stats.set("passes", window_.passes);
  stats.set("quarantined", window_.quarantined);
  stats.set("bytes_processed", static_cast<std::int64_t>(window_.bytes));
  stats.set("start_time", reported_);
  stats.set("audit_time", auditing_);
  Json entry;
  if (devices_.empty()) {
    entry.set("object_auditor_stats_" + kind_name_, std::move(stats));
  } else {
    Json by_device;
    by_device.set(sorted_names(devices_, ""), std::move(stats));
    entry.set("object_auditor_stats_" + kind_name_, std::move(by_device));
  }
  recon_.dump(entry);
  whole_.quarantined += window_.quarantined;
  whole_.errors += window_.errors;
  whole_.bytes += window_.bytes;
  window_ = Counts();
  reported_ = now;
}

void AuditPass::report_end(double now) {
  if (window_.passes + window_.errors > 0) report(now);
  const double elapsed = std::max(now - begin_, 1e-6);
  log_.info("Object audit (" + kind_name_ + description_ + ") \"" + mode_ + "\" mode completed: " +
            fixed(elapsed) + "s. Total quarantined: " + std::to_string(whole_.quarantined) +
            ", Total errors: " + std::to_string(whole_.errors) +
            ", Total files/sec: " + fixed(static_cast<double>(files_) / elapsed) +
            ", Total bytes/sec: " + fixed(static_cast<double>(whole_.bytes) / elapsed) +
            ", Auditing time: " + fixed(auditing_) + ", Rate: " + fixed(auditing_ / elapsed));
  watchers_.end();
  if (settings_.sizes.empty()) return;
  Json sizes;
  for (const auto& [size, count] : sizes_) sizes.set(std::to_string(size), count);
  sizes.set("OVER", oversize_);
  log_.info("Object audit stats: " + sizes.dump());
}

}  // namespace apus
