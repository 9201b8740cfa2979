#include "plugins/object-auditor/audit_settings.h"

#include <apus/text.h>

#include <algorithm>
#include <optional>

#include "framework/conf/paste.h"

namespace apus {
namespace {

constexpr std::size_t kSmallestPiece = 1U << 20U;
constexpr double kReclaimAge = 604800;
constexpr double kTempfileAge = 86400;  // where nothing is known of the replicator
constexpr double kRsyncTimeout = 900;

// The section of the replicator in the same conf: what the auditor does not say itself is as there.
std::optional<Options::Map> replicator_of(const Options& options) {
  for (const auto& [name, value] : options.all()) {
    if (value.origin.line == 0) continue;
    std::vector<ConfProblem> ignored;
    const ConfFile file = read_conf(value.origin.file, ignored);
    if (file.find("object-replicator") == nullptr) return std::nullopt;
    return resolve_daemon(file, "object-replicator", ignored);
  }
  return std::nullopt;
}

double number_of(const Options::Map& values, const char* name, double otherwise) {
  const auto at = values.find(name);
  const auto number = at == values.end() ? std::nullopt : parse_int(at->second.text);
  return number ? static_cast<double>(*number) : otherwise;
}

std::vector<std::int64_t> sizes_of(const Options& options) {
  std::vector<std::int64_t> out;
  for (const std::string& text : options.list("object_size_stats")) {
    if (const auto size = parse_int(text)) out.push_back(*size);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

AuditSettings::AuditSettings(const Options& options)
    : root(options.text("devices")),
      mount_check(options.flag("mount_check")),
      recon_folder(options.text("recon_cache_path")),
      interval(options.seconds("interval")),
      log_time(options.seconds("log_time")),
      files_per_second(options.number("files_per_second")),
      zero_byte_files_per_second(options.number("zero_byte_files_per_second")),
      bytes_per_second(options.number("bytes_per_second")),
      concurrency(static_cast<std::size_t>(options.integer("concurrency"))),
      piece(std::max(kSmallestPiece, static_cast<std::size_t>(options.integer("disk_chunk_size")))),
      reclaim_age(kReclaimAge),
      tempfile_age(kTempfileAge),
      sizes(sizes_of(options)),
      devices(options.list("override_devices")),
      zero_byte_only(options.number("zero_byte_fps")) {
  const auto replicator = replicator_of(options);
  if (replicator) {
    tempfile_age = number_of(*replicator, "rsync_timeout", kRsyncTimeout) + kRsyncTimeout;
    reclaim_age = number_of(*replicator, "reclaim_age", kReclaimAge);
  }
  if (options.find("reclaim_age")) reclaim_age = options.number("reclaim_age");
  const std::string age = options.text("rsync_tempfile_timeout");
  if (const auto seconds = parse_int(age)) tempfile_age = static_cast<double>(*seconds);
}

}  // namespace apus
