// What the commands of `apus manage-shard-ranges` share, and those that only look.
#include "servers/apus/operators/shard_tool.h"

#include <apus/text.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "framework/sharding/cleaving_context.h"
#include "framework/sharding/shard_plan.h"
#include "servers/apus/formatted.h"
#include "servers/apus/operators/indented_json.h"

namespace apus {
namespace {

constexpr std::int64_t kScanAtOnce = 5;
constexpr double kReportEvery = 10;

}  // namespace

std::optional<Json::Array> read_shard_data(const std::string& input,
                                           const std::vector<const char*>& names) {
  std::string text;
  if (input == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream file(input, std::ios::binary);
    if (!file) {
      std::cerr << "Failed to open file " << input << "\n";
      return std::nullopt;
    }
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  const auto refuse = [](const std::string& why) {
    std::cerr << "Failed to load valid shard range data: " << why << "\n";
    return std::nullopt;
  };
  const auto data = Json::parse(text);
  if (!data || data->array() == nullptr) return refuse("it is not a JSON list");
  for (const Json& dict : *data->array()) {
    for (const char* name : names) {
      if (dict.find(name) == nullptr) return refuse(std::string("missing ") + python_repr(name));
    }
  }
  return *data->array();
}

Json shown_shard_range(const ShardRange& range) {
  Json out = range.to_json();
  out.set("state", Json(std::string(shard_state_name(range.state))));
  return out;
}

void print_shard_range(const ShardRange& range, int level) {
  const std::string indent(static_cast<std::size_t>(level) * 2, ' ');
  std::cout << indent << python_repr(range.name) << "\n"
            << indent
            << formatted("  objects: %9lld, tombstones: %9lld, lower: ",
                         static_cast<long long>(range.object_count),
                         static_cast<long long>(range.tombstones))
            << python_repr(range.lower) << "\n"
            << indent
            << formatted("    state: %9s, deleted: %d             upper: ",
                         std::string(shard_state_name(range.state)).c_str(), range.deleted ? 1 : 0)
            << python_repr(range.upper) << "\n";
}

bool may_change(const ShardToolArguments& arguments) {
  std::string choice = arguments.yes ? "yes" : "no";
  if (!arguments.yes && !arguments.dry_run) {
    std::cout << "Do you want to apply these changes to the container DB? [yes/N]" << std::flush;
    std::getline(std::cin, choice);
  }
  if (choice != "yes") std::cout << "No changes applied\n";
  return choice == "yes";
}

std::vector<FoundRange> ShardTool::search(std::ostream& report, double& seconds) const {
  const Clock::Steady begin = clock.steady();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(clock.steady() - begin).count();
  };
  bool last = false;
  double reported = 0;
  std::vector<FoundRange> out = broker.find_shard_ranges(
      limits.rows_per_shard, limits.minimum_shard_size, kScanAtOnce, {}, last);
  while (!out.empty() && !last) {
    if (elapsed() - reported > kReportEvery) {
      reported = elapsed();
      report << "Found " << out.size() << " ranges in " << formatted("%g", reported)
             << "s; looking for more...\n";
    }
    const auto more = broker.find_shard_ranges(
        limits.rows_per_shard, limits.minimum_shard_size, kScanAtOnce,
        make_shard_ranges(broker, out, arguments.prefix, clock.timestamp()), last);
    if (more.empty()) break;
    out.insert(out.end(), more.begin(), more.end());
  }
  seconds = elapsed();
  return out;
}

int ShardTool::find() const {
  double seconds = 0;
  Json::Array dicts;
  std::int64_t objects = 0;
  for (const FoundRange& range : search(std::cerr, seconds)) {
    dicts.push_back(Json::Object{{"index", Json(range.index)},
                                 {"lower", Json(range.lower)},
                                 {"upper", Json(range.upper)},
                                 {"object_count", Json(range.object_count)}});
    objects += range.object_count;
  }
  const std::size_t count = dicts.size();
  std::cout << indented_json(Json(std::move(dicts))) << "\n" << std::flush;
  std::cerr << "Found " << count << " ranges in " << formatted("%g", seconds)
            << "s (total object count " << objects << ")\n";
  return kShardToolDone;
}

int ShardTool::show() const {
  ShardQuery query;
  query.includes = arguments.includes.value_or("");
  query.include_deleted = arguments.include_deleted;
  Json::Array dicts;
  for (const ShardRange& range : broker.shard_ranges(query)) {
    dicts.push_back(arguments.brief ? Json(Json::Array{Json(range.lower), Json(range.upper)})
                                    : shown_shard_range(range));
  }
  if (dicts.empty()) {
    std::cerr << "No shard data found.\n";
    return kShardToolDone;
  }
  std::cerr << "Existing shard ranges:\n";
  std::cout << indented_json(Json(std::move(dicts))) << "\n";
  return kShardToolDone;
}

int ShardTool::info() const {
  std::cout << "Sharding enabled = " << (sharding_enabled(broker) ? "True" : "False") << "\n";
  const auto own = broker.stored_own_range();
  std::cout << "Own shard range: "
            << (own ? indented_json(shown_shard_range(broker.measured(*own))) : "None") << "\n";
  const ShardingState state = broker.state();
  std::cout << "db_state = " << sharding_state_name(state) << "\n";
  if (state == ShardingState::kSharding) {
    const CleavingContext context = CleavingContext::load(broker);
    std::cout << "Retiring db id: " << context.ref
              << "\nCleaving context: " << indented_json(context.to_json()) << "\n";
  }
  std::cout << "Metadata:\n";
  for (const auto& [name, value] : broker.metadata())
    std::cout << "  " << name << " = " << value.first << "\n";
  return kShardToolDone;
}

}  // namespace apus
