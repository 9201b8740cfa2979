#include "framework/store/db/shard_range.h"

#include <apus/text.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <tuple>

namespace apus {
namespace {

struct StateName {
  ShardRange::State state;
  std::string_view name;
};
constexpr std::array<StateName, 8> kStates = {{{ShardRange::kFound, "found"},
                                               {ShardRange::kCreated, "created"},
                                               {ShardRange::kCleaved, "cleaved"},
                                               {ShardRange::kActive, "active"},
                                               {ShardRange::kShrinking, "shrinking"},
                                               {ShardRange::kSharding, "sharding"},
                                               {ShardRange::kSharded, "sharded"},
                                               {ShardRange::kShrunk, "shrunk"}}};

std::optional<std::int64_t> known_state(double value) {
  for (const StateName& one : kStates) {
    if (static_cast<double>(one.state) == value) return one.state;
  }
  return std::nullopt;
}

std::optional<std::int64_t> resolve_state(std::string_view text) {
  double number = 0;
  const std::string_view digits = trim(text);
  const auto [at, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc() && at == digits.data() + digits.size()) return known_state(number);
  const std::string name = lower(text);
  for (const StateName& one : kStates) {
    if (one.name == name) return one.state;
  }
  return std::nullopt;
}

// Reads the members of one dict; the first that does not fit is remembered.
class Fields {
 public:
  Fields(const Json& dict, std::string& why) : dict_(dict), why_(why) {}

  [[nodiscard]] bool good() const { return why_.empty(); }

  std::string text(const char* name, bool nullable = false) {
    const Json* value = find(name, false);
    if (value == nullptr) return "";
    if (value->text() != nullptr) return *value->text();
    if (!nullable || !value->is_null()) refuse(name);
    return "";
  }
  std::int64_t count(const char* name, bool optional, std::int64_t fallback, std::int64_t least) {
    const Json* value = find(name, optional);
    if (value == nullptr) return fallback;
    if (value->boolean() != nullptr) return *value->boolean() ? 1 : 0;
    std::optional<std::int64_t> number;
    if (value->integer() != nullptr) number = *value->integer();
    if (value->text() != nullptr) number = parse_int(*value->text());
    if (!number || *number < least) refuse(name);
    return number.value_or(fallback);
  }
  std::string timestamp(const char* name, const std::string& fallback) {
    const Json* value = find(name, false);
    if (value == nullptr || value->is_null()) return fallback;
    std::optional<Timestamp> when;
    if (value->text() != nullptr) when = Timestamp::parse(*value->text());
    if (const auto number = value->number(); number && *number >= 0)
      when = Timestamp::from_seconds(*number);
    if (!when) refuse(name);
    return when ? when->internal() : "";
  }
  std::int64_t state(const char* name) {
    const Json* value = find(name, false);
    if (value == nullptr || value->is_null()) return ShardRange::kFound;
    std::optional<std::int64_t> found;
    if (const auto number = value->number()) found = known_state(*number);
    if (value->text() != nullptr) found = resolve_state(*value->text());
    if (!found) refuse(name);
    return found.value_or(ShardRange::kFound);
  }
  void refuse(const char* name) {
    if (why_.empty()) why_ = std::string("bad ") + name;
  }

 private:
  const Json* find(const char* name, bool optional) {
    const Json* value = dict_.find(name);
    if (value == nullptr && !optional && why_.empty()) why_ = std::string("missing ") + name;
    return value;
  }

  const Json& dict_;
  std::string& why_;
};

bool is_container_path(std::string_view name) {
  const std::size_t slash = name.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < name.size() &&
         name.find('/', slash + 1) == std::string_view::npos;
}

}  // namespace

std::optional<ShardRange> ShardRange::from_json(const Json& dict, std::string& why) {
  why.clear();
  Fields fields(dict, why);
  if (dict.object() == nullptr) {
    why = "not an object";
    return std::nullopt;
  }
  ShardRange out;
  out.name = fields.text("name");
  if (fields.good() && !is_container_path(out.name)) fields.refuse("name");
  out.timestamp = fields.timestamp("timestamp", "");
  if (out.timestamp.empty()) fields.refuse("timestamp");
  out.lower = fields.text("lower", true);
  out.upper = fields.text("upper", true);
  if (!out.upper.empty() && out.lower > out.upper) fields.refuse("upper");
  out.object_count = fields.count("object_count", false, 0, 0);
  out.bytes_used = fields.count("bytes_used", false, 0, 0);
  out.meta_timestamp = fields.timestamp("meta_timestamp", out.timestamp);
  out.deleted = fields.count("deleted", false, 0, 0) != 0;
  out.state = fields.state("state");
  out.state_timestamp = fields.timestamp("state_timestamp", out.timestamp);
  out.epoch = fields.timestamp("epoch", "");
  out.reported = fields.count("reported", true, 0, 0) != 0;
  out.tombstones = fields.count("tombstones", true, -1, INT64_MIN);
  if (!fields.good()) return std::nullopt;
  return out;
}

Json ShardRange::to_json() const {
  Json::Object out;
  out.emplace_back("name", Json(name));
  out.emplace_back("timestamp", Json(timestamp));
  out.emplace_back("lower", Json(lower));
  out.emplace_back("upper", Json(upper));
  out.emplace_back("object_count", Json(object_count));
  out.emplace_back("bytes_used", Json(bytes_used));
  out.emplace_back("meta_timestamp", Json(meta_timestamp));
  out.emplace_back("deleted", Json(deleted ? 1 : 0));
  out.emplace_back("state", Json(state));
  out.emplace_back("state_timestamp", Json(state_timestamp));
  out.emplace_back("epoch", epoch.empty() ? Json() : Json(epoch));
  out.emplace_back("reported", Json(reported ? 1 : 0));
  out.emplace_back("tombstones", Json(tombstones));
  return Json(std::move(out));
}

bool ShardRange::contains(std::string_view object) const {
  return !object.empty() && lower < object && (upper.empty() || object <= upper);
}

bool ShardRange::includes(const ShardRange& other) const {
  return lower <= other.lower && !upper_less(upper, other.upper);
}

bool ShardRange::overlaps(const ShardRange& other) const {
  return lower_less(std::max(lower, other.lower),
                    upper_less(upper, other.upper) ? upper : other.upper);
}

std::string ShardRange::account() const { return name.substr(0, name.find('/')); }
std::string ShardRange::container() const { return name.substr(name.find('/') + 1); }

std::string ShardRange::end_marker() const {
  return upper.empty() ? std::string() : upper + std::string(1, '\0');
}

std::int64_t ShardRange::row_count() const {
  return object_count + std::max<std::int64_t>(tombstones, 0);
}

bool ShardRange::update_state(std::int64_t new_state, const std::string& when) {
  if (when.empty() && state == new_state) return false;
  state = new_state;
  if (!when.empty()) state_timestamp = when;
  reported = false;
  return true;
}

void ShardRange::update_numbers(std::int64_t objects, std::int64_t bytes, const Timestamp& now) {
  if (object_count != objects || bytes_used != bytes) reported = false;
  object_count = objects;
  bytes_used = bytes;
  meta_timestamp = now.internal();
}

void ShardRange::update_tombstones(std::int64_t count, const Timestamp& now) {
  if (count >= 0 && count != tombstones) {
    tombstones = count;
    reported = false;
  }
  meta_timestamp = now.internal();
}

bool ShardRange::mark_deleted(const Timestamp& now) {
  if (deleted) return false;
  deleted = true;
  timestamp = now.internal();
  return true;
}

bool ShardRange::expand(const std::vector<ShardRange>& others) {
  bool changed = false;
  for (const ShardRange& other : others) {
    if (other.lower < lower) {
      lower = other.lower;
      changed = true;
    }
    if (upper_less(upper, other.upper)) {
      upper = other.upper;
      changed = true;
    }
  }
  return changed;
}

bool lower_less(std::string_view lower, std::string_view upper) {
  return upper.empty() || lower < upper;
}

std::string_view shard_state_name(std::int64_t state) {
  for (const StateName& one : kStates) {
    if (one.state == state) return one.name;
  }
  return {};
}

bool upper_less(std::string_view a, std::string_view b) {
  return !a.empty() && (b.empty() || a < b);
}

bool shard_order(const ShardRange& a, const ShardRange& b) {
  if (a.upper != b.upper) return upper_less(a.upper, b.upper);
  return std::tie(a.state, a.lower, a.name) < std::tie(b.state, b.lower, b.name);
}

bool merge_shard_range(ShardRange& incoming, const ShardRange& stored) {
  if (stored.timestamp < incoming.timestamp) {
    incoming.reported = false;
    return true;
  }
  if (stored.timestamp > incoming.timestamp) return false;
  bool fresh = false;
  incoming.lower = stored.lower;
  incoming.upper = stored.upper;
  incoming.deleted = stored.deleted;
  if (stored.meta_timestamp >= incoming.meta_timestamp) {
    incoming.object_count = stored.object_count;
    incoming.bytes_used = stored.bytes_used;
    incoming.meta_timestamp = stored.meta_timestamp;
    incoming.tombstones = stored.tombstones;
  } else {
    fresh = true;
  }
  const bool same = stored.object_count == incoming.object_count &&
                    stored.bytes_used == incoming.bytes_used &&
                    stored.tombstones == incoming.tombstones && stored.state == incoming.state &&
                    stored.epoch == incoming.epoch;
  if (stored.reported && same) {
    incoming.reported = true;
  } else if (incoming.reported && !stored.reported) {
    fresh = true;
  }
  if (stored.state_timestamp == incoming.state_timestamp && incoming.state > stored.state) {
    fresh = true;
  } else if (stored.state_timestamp >= incoming.state_timestamp) {
    incoming.state = stored.state;
    incoming.state_timestamp = stored.state_timestamp;
    incoming.epoch = stored.epoch;
  } else {
    fresh = true;
  }
  return fresh;
}

std::optional<std::set<std::int64_t>> shard_states(const std::vector<std::string>& names) {
  using S = ShardRange;
  std::set<std::int64_t> out;
  for (const std::string& name : names) {
    if (name == "listing") {
      out.insert({S::kActive, S::kSharding, S::kShrinking, S::kCleaved});
    } else if (name == "updating") {
      out.insert({S::kCreated, S::kCleaved, S::kActive, S::kSharding});
    } else if (name == "auditing") {
      out.insert({S::kCreated, S::kCleaved, S::kActive, S::kSharding, S::kSharded, S::kShrinking,
                  S::kShrunk});
    } else if (const auto state = resolve_state(name)) {
      out.insert(*state);
    } else {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace apus
