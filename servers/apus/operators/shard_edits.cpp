// Commands of `apus manage-shard-ranges` that make shard ranges, drop them and let sharding begin.
#include <apus/text.h>

#include <algorithm>
#include <iostream>

#include "framework/sharding/shard_paths.h"
#include "framework/sharding/shard_plan.h"
#include "servers/apus/operators/indented_json.h"
#include "servers/apus/operators/shard_tool.h"

namespace apus {
namespace {

bool told_invalid(const ShardRange& own, const std::vector<ShardRange>& ranges) {
  std::string reasons;
  for (const std::string& reason : not_contiguous(own, ranges))
    reasons += (reasons.empty() ? "" : ", ") + python_repr(reason);
  if (reasons.empty()) return false;
  std::cout << "WARNING: invalid shard ranges: [" << reasons << "].\nAborting.\n";
  return true;
}

std::optional<FoundRange> found_range(const Json& dict, std::string& why) {
  FoundRange out;
  for (const auto& [name, to] : {std::pair("lower", &out.lower), {"upper", &out.upper}}) {
    const Json* value = dict.find(name);
    if (value->is_null()) continue;
    if (value->text() == nullptr) {
      why = std::string(name) + " is no text";
      return std::nullopt;
    }
    *to = *value->text();
  }
  for (const auto& [name, to] :
       {std::pair("index", &out.index), {"object_count", &out.object_count}}) {
    const Json* value = dict.find(name);
    if (value->integer() == nullptr || *value->integer() < 0) {
      why = std::string(name) + " is no number";
      return std::nullopt;
    }
    *to = *value->integer();
  }
  if (!out.upper.empty() && out.upper < out.lower) why = "upper is before lower";
  return why.empty() ? std::optional(std::move(out)) : std::nullopt;
}

void turn_to_sharding(ContainerBroker& broker, ShardRange& own, Clock& clock) {
  if (own.update_state(ShardRange::kSharding) || own.epoch.empty())
    own.epoch = own.state_timestamp = clock.timestamp().internal();
  broker.merge_shard_ranges({own});
  broker.merge_metadata({{"X-Container-Sysmeta-Sharding", {"True", clock.timestamp().normal()}}});
}

}  // namespace

std::optional<ShardRange> ShardTool::own_range() const {
  const bool is_shard = broker.path().starts_with(arguments.prefix);
  if (is_shard && !broker.stored_own_range()) {
    std::cout << "WARNING: shard container missing own shard range.\nAborting.\n";
    return std::nullopt;
  }
  return broker.measured(broker.own_shard_range());
}

int ShardTool::remove() const {
  std::vector<ShardRange> ranges = broker.shard_ranges();
  if (ranges.empty()) {
    std::cout << "No shard ranges found to delete.\n";
    return kShardToolDone;
  }
  while (!arguments.force) {
    std::cout << "This will delete existing " << ranges.size() << " shard ranges.\n";
    if (const ShardingState state = broker.state(); state != ShardingState::kUnsharded) {
      const auto begun = std::count_if(ranges.begin(), ranges.end(), [](const ShardRange& range) {
        return range.state != ShardRange::kFound;
      });
      std::cout << "WARNING: other replicas of this database keep the ranges that they know.\n"
                << "  - this db is in state " << sharding_state_name(state) << "\n  - " << begun
                << " existing shard ranges have started sharding\n";
    }
    std::cout << "Do you want to show the existing ranges [s], delete the existing ranges [yes] "
                 "or quit without deleting [q]? "
              << std::flush;
    std::string choice;
    if (!std::getline(std::cin, choice) || choice == "q") return kShardToolQuit;
    if (choice == "yes") break;
    if (choice == "s") {
      (void)show();
    } else {
      std::cout << "Please make a valid choice.\n\n";
    }
  }
  const std::string now = clock.timestamp().internal();
  for (ShardRange& range : ranges) {
    range.deleted = true;
    range.timestamp = now;
  }
  const std::size_t count = ranges.size();
  broker.merge_shard_ranges(std::move(ranges));
  std::cout << "Deleted " << count << " existing shard ranges.\n";
  return kShardToolDone;
}

int ShardTool::store(const std::vector<FoundRange>& found) const {
  const auto own = own_range();
  if (!own) return kShardToolBadArguments;
  std::vector<ShardRange> ranges =
      make_shard_ranges(broker, found, arguments.prefix, clock.timestamp());
  if (told_invalid(*own, ranges)) return kShardToolError;
  if (arguments.verbose) {
    Json::Array dicts;
    for (const ShardRange& range : ranges) dicts.push_back(range.to_json());
    std::cout << "New shard ranges to be injected:\n"
              << indented_json(Json(std::move(dicts))) << "\n";
  }
  if (const int status = remove(); status != kShardToolDone) return status;
  const std::size_t count = ranges.size();
  broker.merge_shard_ranges(std::move(ranges));
  std::cout << "Injected " << count << " shard ranges.\n"
            << "Run container-replicator to replicate them to other nodes.\n";
  if (arguments.enable) return enable();
  std::cout << "Use the enable sub-command to enable sharding.\n";
  return kShardToolDone;
}

int ShardTool::replace() const {
  const auto dicts = read_shard_data(arguments.input, {"lower", "upper", "object_count", "index"});
  if (!dicts) return kShardToolBadArguments;
  std::vector<FoundRange> found;
  for (const Json& dict : *dicts) {
    std::string why;
    auto range = found_range(dict, why);
    if (!range) {
      std::cerr << "Failed to load valid shard range data: " << why << "\n";
      return kShardToolBadArguments;
    }
    found.push_back(std::move(*range));
  }
  return store(found);
}

int ShardTool::find_and_replace() const {
  double seconds = 0;
  return store(search(std::cout, seconds));
}

int ShardTool::enable() const {
  auto own = own_range();
  if (!own) return kShardToolBadArguments;
  if (told_invalid(*own, broker.shard_ranges())) return kShardToolError;
  if (own->state == ShardRange::kActive) {
    turn_to_sharding(broker, *own, clock);
    std::cout << "Container moved to state 'sharding' with epoch " << own->epoch << ".\n";
  } else if (own->state == ShardRange::kSharding && !own->epoch.empty()) {
    std::cout << "Container already in state 'sharding' with epoch " << own->epoch
              << ".\nNo action required.\n";
  } else if (own->state == ShardRange::kSharding) {
    std::cout << "Container already in state 'sharding' but missing epoch.\n";
    turn_to_sharding(broker, *own, clock);
    std::cout << "Container in state 'sharding' given epoch " << own->epoch << ".\n";
  } else {
    std::cout << "WARNING: container in state " << shard_state_name(own->state)
              << " (should be active or sharding).\nAborting.\n";
    return kShardToolError;
  }
  std::cout << "Run container-sharder on all nodes to shard the container.\n";
  return kShardToolDone;
}

}  // namespace apus
