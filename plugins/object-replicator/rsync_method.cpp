#include "plugins/object-replicator/rsync_method.h"

#include <apus/disk.h>
#include <apus/text.h>

#include <cstdio>

#include "framework/backend/child_process.h"

namespace apus {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string with_milliseconds(std::chrono::steady_clock::duration time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", std::chrono::duration<double>(time).count());
  return text;
}

}  // namespace

RsyncMethod::RsyncMethod(Host& host, Logger& log, const Options& options)
    : host_(host),
      log_(log),
      module_(options.text("rsync_module")),
      io_timeout_(options.text("rsync_io_timeout")),
      bandwidth_(options.text("rsync_bwlimit")),
      timeout_(options.seconds("rsync_timeout")),
      compress_(options.flag("rsync_compress")),
      log_transfers_(options.flag("log_rsync_transfers")),
      line_length_(static_cast<std::size_t>(options.integer("rsync_error_log_line_length"))) {}

std::vector<std::string> RsyncMethod::command(const PartitionJob& job, const RingDevice& to,
                                              const std::vector<std::string>& suffixes) const {
  std::string exclude = "--exclude=.*.";
  for (int i = 0; i < 6; ++i) exclude += "[0-9a-zA-Z]";
  const std::string module = rsync_module_for(module_, to);
  std::vector<std::string> out = {
      "rsync",    "--recursive",       "--whole-file",      "--human-readable",
      "--xattrs", "--itemize-changes", "--ignore-existing", "--timeout=" + io_timeout_};
  if (is_rsync_daemon(module)) out.push_back("--contimeout=" + io_timeout_);
  out.push_back("--bwlimit=" + bandwidth_);
  out.push_back(std::move(exclude));
  if (compress_ && job.own->region != to.region) out.emplace_back("--compress");
  for (const std::string& suffix : suffixes)
    out.push_back(job.place.partition_folder() + "/" + suffix);
  out.push_back(module + "/" + to.device + "/" + job.place.directory + "/" + job.place.partition);
  return out;
}

std::string RsyncMethod::cut(std::string line) const {
  if (line_length_ > 0 && line.size() > line_length_) line.resize(line_length_);
  return line;
}

bool RsyncMethod::push(const PartitionJob& job, const RingDevice& to,
                       const std::vector<std::string>& suffixes,
                       const std::stop_token& stop) const {
  std::vector<std::string> there;
  for (const std::string& suffix : suffixes) {
    struct stat info {};
    if (host_.disk().stat(job.place.partition_folder() + "/" + suffix, info) == 0)
      there.push_back(suffix);
  }
  if (there.empty()) return false;
  const std::vector<std::string> words = command(job, to, there);
  const Clock::Steady begin = host_.clock().steady();
  const ChildResult result = run_child(words, timeout_, stop);
  tell(result.output, result.good);
  if (!result.good) {
    log_.error(cut("Bad rsync return code: " + joined(words)));
    return false;
  }
  const std::string line = "Successful rsync of " + job.place.partition_folder() + "/... to " +
                           words.back() + " (" + with_milliseconds(host_.clock().steady() - begin) +
                           ")";
  result.output.empty() ? log_.debug(line) : log_.info(line);
  return true;
}

void RsyncMethod::tell(const std::string& output, bool good) const {
  if (good && !log_.enabled(LogLevel::kDebug)) return;
  for (const std::string& line : split_list(output, '\n')) {
    if (line.starts_with("cd+") || (line.starts_with('<') && !log_transfers_)) continue;
    good ? log_.debug(line) : log_.error(cut(line));
  }
}

}  // namespace apus
