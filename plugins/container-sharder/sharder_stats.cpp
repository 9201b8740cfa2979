#include "plugins/container-sharder/sharder_stats.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "framework/backend/moment_text.h"

namespace apus {
namespace {

struct Category {
  const char* name;
  std::vector<const char*> more;  ///< behind attempted, success and failure
};

const std::vector<Category>& categories() {
  static const std::vector<Category> kAll = {
      {"visited", {"skipped", "completed"}},
      {"scanned", {"found", "min_time", "max_time"}},
      {"created", {}},
      {"cleaved", {"min_time", "max_time"}},
      {"misplaced", {"found", "placed", "unplaced"}},
      {"audit_root", {"has_overlap", "num_overlap"}},
      {"audit_shard", {}},
  };
  return kAll;
}

double thousandths(double seconds) { return std::round(seconds * 1000) / 1000; }

std::string short_number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%g", value);
  return text.data();
}

// The most of `key` first, and not more than `limit`.
Json top_of(std::vector<Json> all, const char* key, std::int64_t limit) {
  std::stable_sort(all.begin(), all.end(), [&](const Json& a, const Json& b) {
    return a.integer_at(key) > b.integer_at(key);
  });
  const auto found = static_cast<std::int64_t>(all.size());
  if (limit >= 0 && found > limit) all.resize(static_cast<std::size_t>(limit));
  return Json::Object{{"found", Json(found)}, {"top", Json(std::move(all))}};
}

}  // namespace

void SharderStats::begin() {
  started_ = host_.clock().now();
  counts_.clear();
  times_.clear();
  sharding_.clear();
  shrinking_.clear();
  in_progress_.clear();
}

void SharderStats::add(const std::string& category, const std::string& key, std::int64_t step,
                       bool counted) {
  if (step == 0) return;
  counts_[category][key] += step;
  if (counted) host_.metrics().increment(category + "_" + key, step);
}

void SharderStats::time(const std::string& category, double seconds) {
  seconds = thousandths(seconds);
  auto& times = times_[category];
  const auto least = times.try_emplace("min_time", seconds).first;
  const auto most = times.try_emplace("max_time", seconds).first;
  least->second = std::min(least->second, seconds);
  most->second = std::max(most->second, seconds);
}

void SharderStats::log_to(Logger& log) const {
  for (const Category& category : categories()) {
    std::string text = "Since " + moment_text(started_) + " " + category.name + " -";
    std::vector<const char*> keys = {"attempted", "success", "failure"};
    keys.insert(keys.end(), category.more.begin(), category.more.end());
    const auto counts = counts_.find(category.name);
    const auto times = times_.find(category.name);
    for (const std::string key : keys) {
      text += " " + key + ":";
      if (times != times_.end() && times->second.contains(key)) {
        text += short_number(times->second.at(key));
      } else {
        const bool known = counts != counts_.end() && counts->second.contains(key);
        text += std::to_string(known ? counts->second.at(key) : 0);
      }
    }
    log.info(text);
  }
}

Json SharderStats::to_json(std::int64_t limit) const {
  Json out{Json::Object{}};
  for (const Category& category : categories()) {
    Json one{Json::Object{}};
    for (const char* key : {"attempted", "success", "failure"}) one.set(key, 0);
    for (const char* key : category.more) one.set(key, 0);
    if (const auto counts = counts_.find(category.name); counts != counts_.end()) {
      for (const auto& [key, value] : counts->second) one.set(key, Json(value));
    }
    if (const auto times = times_.find(category.name); times != times_.end()) {
      for (const auto& [key, value] : times->second) one.set(key, Json(value));
    }
    out.set(category.name, std::move(one));
  }
  out.set("sharding_candidates", top_of(sharding_, "object_count", limit));
  out.set("shrinking_candidates", top_of(shrinking_, "compactible_ranges", limit));
  if (!in_progress_.empty())
    out.set("sharding_in_progress", Json::Object{{"all", Json(in_progress_)}});
  return out;
}

Json SharderStats::facts(ContainerBroker& broker, int node_index, const ShardRange& own) {
  struct stat info {};
  const std::string file = broker.file();
  const std::string& path = broker.path();
  const std::size_t slash = path.find('/');
  Json out{Json::Object{}};
  out.set("path", Json(file));
  out.set("node_index", node_index < 0 ? Json("handoff") : Json(node_index));
  out.set("account", Json(path.substr(0, slash)));
  out.set("container", Json(path.substr(slash + 1)));
  out.set("root", Json(broker.root_path()));
  out.set("object_count", Json(own.object_count));
  out.set("meta_timestamp", Json(own.meta_timestamp));
  out.set("file_size", ::stat(file.c_str(), &info) == 0
                           ? Json(static_cast<std::int64_t>(info.st_size))
                           : Json());
  return out;
}

}  // namespace apus
