// What a pass of the sharder did: the lines of its report and the numbers for recon.
#pragma once

#include <apus/host.h>
#include <apus/json.h>

#include <map>
#include <string>
#include <vector>

#include "framework/store/db/container_broker.h"

namespace apus {

/// One thread.
class SharderStats {
 public:
  explicit SharderStats(Host& host) : host_(host) {}

  /// Forgets all: a pass begins.
  void begin();
  /// `counted` goes to the metrics too, as CATEGORY_KEY.
  void add(const std::string& category, const std::string& key, std::int64_t step = 1,
           bool counted = false);
  /// Seconds, as min_time and max_time of the category.
  void time(const std::string& category, double seconds);

  void sharding_candidate(Json facts) { sharding_.push_back(std::move(facts)); }
  void shrinking_candidate(Json facts) { shrinking_.push_back(std::move(facts)); }
  void in_progress(Json facts) { in_progress_.push_back(std::move(facts)); }

  /// Logs a line a category, each in Swift's words.
  void log_to(Logger& log) const;
  /// The member "sharding" of Swift's sharding_stats. Of candidates the first `limit` (-1 = all).
  [[nodiscard]] Json to_json(std::int64_t limit) const;
  /// Of the pass.
  [[nodiscard]] double started() const { return started_; }

  /// What recon shows of a container: its file, names, numbers. `node_index` -1 = a handoff.
  static Json facts(ContainerBroker& broker, int node_index, const ShardRange& own);

 private:
  Host& host_;
  double started_ = 0;
  std::map<std::string, std::map<std::string, std::int64_t>> counts_;
  std::map<std::string, std::map<std::string, double>> times_;
  std::vector<Json> sharding_;
  std::vector<Json> shrinking_;
  std::vector<Json> in_progress_;
};

}  // namespace apus
