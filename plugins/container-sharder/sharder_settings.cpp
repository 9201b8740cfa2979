#include "plugins/container-sharder/sharder_settings.h"

#include <apus/text.h>

#include <algorithm>
#include <stdexcept>

namespace apus {
namespace {

std::set<std::string> words_of(const Options& options, const char* name) {
  const auto words = options.list(name);
  return {words.begin(), words.end()};
}

std::string checked_quorum(const Options& options, const char* name) {
  std::string text = lower(options.text(name));
  if (text != "auto" && parse_digits(text).value_or(0) < 1)
    throw std::runtime_error(std::string(name) + ": '" + text + "' is neither auto nor a number");
  return text;
}

}  // namespace

SharderSettings::SharderSettings(const Options& options, const SwiftConf& conf)
    : limits(options),
      auto_shard(options.flag("auto_shard")),
      scanner_batch(options.integer("shard_scanner_batch_size")),
      cleave_batch(options.integer("cleave_batch_size")),
      row_batch(options.integer("cleave_row_batch_size")),
      broker_timeout(options.integer("broker_timeout")),
      candidates_limit(options.integer("recon_candidates_limit")),
      sharded_timeout(options.number("recon_sharded_timeout")),
      stats_interval(options.number("stats_interval")),
      reclaim_age(options.number("reclaim_age")),
      shards_prefix(conf.constraints.auto_create_account_prefix + "shards_"),
      recon_folder(options.text("recon_cache_path")),
      devices(words_of(options, "override_devices")),
      partitions(words_of(options, "override_partitions")),
      new_quorum_(checked_quorum(options, "shard_replication_quorum")),
      existing_quorum_(checked_quorum(options, "existing_shard_replication_quorum")) {
  if (const std::string wrong = limits.wrong(); !wrong.empty()) throw std::runtime_error(wrong);
}

CompactionLimits SharderSettings::compaction() const {
  return {limits.shrink_threshold, limits.expansion_limit, limits.max_shrinking,
          limits.max_expanding};
}

std::int64_t quorum_of(double replicas) { return static_cast<std::int64_t>((replicas + 1) / 2); }

std::int64_t SharderSettings::quorum_of_new(double replicas) const {
  const auto most = static_cast<std::int64_t>(replicas);
  return new_quorum_ == "auto" ? quorum_of(replicas)
                               : std::min(parse_digits(new_quorum_).value_or(most), most);
}

std::int64_t SharderSettings::quorum_of_existing(double replicas) const {
  const auto most = static_cast<std::int64_t>(replicas);
  return existing_quorum_ == "auto" ? quorum_of_new(replicas)
                                    : std::min(parse_digits(existing_quorum_).value_or(most), most);
}

}  // namespace apus
