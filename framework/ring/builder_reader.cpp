#include <cerrno>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

#include "framework/pickle/pickle.h"
#include "framework/ring/builder_file.h"

namespace apus {
namespace {

using pickle::Value;

constexpr std::int64_t kMostVersion = std::int64_t{1} << 53;

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  BuilderState read(const Value& root) {
    if (root.dict() == nullptr) broken("it holds no builder");
    BuilderState out;
    out.part_power = static_cast<int>(integer(root, "part_power", 0, 32));
    if (const Value* next = root.find("next_part_power"); next != nullptr && next->integer())
      out.next_part_power = static_cast<int>(integer(root, "next_part_power", 0, 32));
    out.replicas = number(root, "replicas", 1, 1000);
    out.min_part_hours = static_cast<int>(integer(root, "min_part_hours", 0, INT32_MAX));
    out.version = integer(root, "version", 0, kMostVersion);
    if (integer(root, "parts", 1, std::int64_t{1} << 32) !=
        static_cast<std::int64_t>(out.parts())) {
      broken("'parts' is not 2 to the power of 'part_power'");
    }
    if (present(root, "overload")) out.overload = number(root, "overload", 0, 1e9);
    out.dispersion.reset();
    if (present(root, "dispersion")) out.dispersion = number(root, "dispersion", 0, 1e9);
    out.devices_changed = integer(root, "devs_changed", 0, 1) != 0;
    if (const std::string* id = text(root, "id", "_id")) out.id = *id;
    take_devices(out, required(root, "devs"));
    take_removed(out, required(root, "_remove_devs"));
    take_rows(out, required(root, "_replica2part2dev"));
    take_moves(out, root);
    if (const Value* graph = root.find("_dispersion_graph")) take_graph(out, *graph);
    return out;
  }

  [[noreturn]] void broken(const std::string& what) const {
    throw std::runtime_error(name_ + ": is not a usable builder: " + what);
  }

 private:
  static bool present(const Value& dict, std::string_view key) {
    const Value* value = dict.find(key);
    return value != nullptr && !std::holds_alternative<pickle::None>(value->data);
  }
  const Value& required(const Value& dict, std::string_view key) const {
    const Value* value = dict.find(key);
    if (value == nullptr) broken("it has no '" + std::string(key) + "'");
    return *value;
  }
  std::int64_t integer(const Value& dict, std::string_view key, std::int64_t low,
                       std::int64_t high) const {
    const auto value = required(dict, key).integer();
    if (!value || *value < low || *value > high)
      broken("'" + std::string(key) + "' is no whole number in its range");
    return *value;
  }
  double number(const Value& dict, std::string_view key, double low, double high) const {
    const Value& value = required(dict, key);
    const auto* real = std::get_if<double>(&value.data);
    const auto whole = value.integer();
    const double out = real != nullptr ? *real : static_cast<double>(whole.value_or(0));
    if ((real == nullptr && !whole) || !(out >= low && out <= high))
      broken("'" + std::string(key) + "' is no number in its range");
    return out;
  }
  static const std::string* text(const Value& dict, std::string_view key,
                                 std::string_view old_key) {
    for (const std::string_view name : {key, old_key}) {
      const Value* value = dict.find(name);
      if (value != nullptr && value->string() != nullptr) return value->string();
    }
    return nullptr;
  }
  std::string text_of(const Value& dict, std::string_view key, const std::string& fallback) const {
    const std::string* found = text(dict, key, key);
    return found != nullptr ? *found : fallback;
  }
  // A list or an array.
  std::vector<std::int64_t> integers(const Value& value, const char* what) const {
    if (const auto* array = std::get_if<pickle::Array>(&value.data)) return array->items;
    const auto* list = std::get_if<pickle::List>(&value.data);
    if (list == nullptr || !list->items.empty())
      broken(std::string(what) + " is no list of whole numbers");
    return {};
  }

  std::optional<BuilderDevice> device_of(const Value& value, std::size_t id) const {
    if (std::holds_alternative<pickle::None>(value.data)) return std::nullopt;
    if (value.dict() == nullptr) broken("device " + std::to_string(id) + " is no dict");
    BuilderDevice out;
    out.id = static_cast<int>(integer(value, "id", 0, kNoDevice - 1));
    if (static_cast<std::size_t>(out.id) != id)
      broken("device " + std::to_string(id) + " has another id inside");
    if (present(value, "region"))
      out.region = static_cast<int>(integer(value, "region", INT32_MIN, INT32_MAX));
    out.zone = static_cast<int>(integer(value, "zone", INT32_MIN, INT32_MAX));
    out.ip = text_of(value, "ip", "");
    out.port = static_cast<int>(integer(value, "port", 0, INT32_MAX));
    out.replication_ip = text_of(value, "replication_ip", out.ip);
    out.replication_port = out.port;
    if (present(value, "replication_port"))
      out.replication_port = static_cast<int>(integer(value, "replication_port", 0, INT32_MAX));
    out.device = text_of(value, "device", "");
    out.weight = number(value, "weight", 0, 1e15);
    out.meta = text_of(value, "meta", "");
    return out;
  }

  void take_devices(BuilderState& out, const Value& value) const {
    const auto* list = std::get_if<pickle::List>(&value.data);
    if (list == nullptr) broken("'devs' is no list");
    if (list->items.size() > kNoDevice) broken("it has more than 65535 devices");
    for (const pickle::Ref& item : list->items)
      out.devices.push_back(device_of(*item, out.devices.size()));
  }
  void take_removed(BuilderState& out, const Value& value) const {
    const auto* list = std::get_if<pickle::List>(&value.data);
    if (list == nullptr) broken("'_remove_devs' is no list");
    std::set<int> seen;
    for (const pickle::Ref& item : list->items) {
      const auto id = static_cast<int>(integer(*item, "id", 0, kNoDevice - 1));
      if (static_cast<std::size_t>(id) >= out.devices.size() ||
          !out.devices[static_cast<std::size_t>(id)]) {
        broken("a device to be removed is not there");
      }
      out.devices[static_cast<std::size_t>(id)]->weight = 0;
      if (seen.insert(id).second) out.removed.push_back(id);
    }
  }
  // Counts each device's partitions anew.
  void take_rows(BuilderState& out, const Value& value) const {
    if (std::holds_alternative<pickle::None>(value.data)) return;
    const auto* list = std::get_if<pickle::List>(&value.data);
    if (list == nullptr) broken("'_replica2part2dev' is no list of arrays");
    for (std::size_t row = 0; row < list->items.size(); ++row) {
      const auto ids = integers(*list->items[row], "a row of '_replica2part2dev'");
      const bool last = row + 1 == list->items.size();
      if (ids.size() > out.parts() || (ids.size() < out.parts() && (!last || row == 0)))
        broken("row " + std::to_string(row) + " of '_replica2part2dev' has a wrong length");
      auto& to = out.rows.emplace_back();
      to.reserve(ids.size());
      for (const std::int64_t id : ids) {
        if (id < 0 || static_cast<std::size_t>(id) >= out.devices.size() ||
            !out.devices[static_cast<std::size_t>(id)]) {
          broken("a partition is on device " + std::to_string(id) + ", which is not there");
        }
        ++out.devices[static_cast<std::size_t>(id)]->parts;
        to.push_back(static_cast<std::uint16_t>(id));
      }
    }
  }
  void take_moves(BuilderState& out, const Value& root) const {
    if (present(root, "_last_part_moves_epoch"))
      out.last_part_moves_epoch = integer(root, "_last_part_moves_epoch", 0, kMostVersion);
    if (present(root, "_last_part_gather_start"))
      out.last_part_gather_start =
          integer(root, "_last_part_gather_start", 0, std::int64_t{1} << 32);
    std::vector<std::int64_t> hours;
    if (present(root, "_last_part_moves"))
      hours = integers(*root.find("_last_part_moves"), "'_last_part_moves'");
    // A builder without rows may be told of any power: the hours come with the first rebalance.
    if (!hours.empty() && hours.size() != out.parts())
      broken("'_last_part_moves' has not one number for each partition");
    if (hours.empty() && out.rows.empty() && out.part_power > 24)
      broken("'_last_part_moves' has not one number for each partition");
    out.last_part_moves.reserve(out.parts());
    for (const std::int64_t value : hours) {
      if (value < 0 || value > 255) broken("'_last_part_moves' has hours that are not 0 to 255");
      out.last_part_moves.push_back(static_cast<std::uint8_t>(value));
    }
    out.last_part_moves.resize(out.parts());
  }
  // Only a record of the last measurement: what is odd in it is left out.
  static void take_graph(BuilderState& out, const Value& value) {
    const auto* dict = value.dict();
    if (dict == nullptr) return;
    for (const auto& [key, counts] : dict->items) {
      const auto* names = std::get_if<pickle::Tuple>(&key->data);
      const auto* array = std::get_if<pickle::Array>(&counts->data);
      if (names == nullptr || array == nullptr || names->items.empty() || names->items.size() > 4 ||
          array->items.empty() || array->items.size() > 1001) {
        continue;
      }
      TierName tier;
      tier.depth = static_cast<int>(names->items.size());
      tier.region = static_cast<int>(names->number(0));
      if (tier.depth >= 2) tier.zone = static_cast<int>(names->number(1));
      if (tier.depth >= 3) tier.ip = names->text(2);
      if (tier.depth >= 4) tier.device = static_cast<int>(names->number(3));
      bool sane = true;
      for (const std::int64_t count : array->items)
        sane = sane && count >= 0 && count <= std::int64_t{1} << 32;
      if (sane) out.dispersion_graph[tier] = array->items;
    }
  }

  const std::string& name_;
};

}  // namespace

BuilderState parse_builder(std::string_view bytes, const std::string& name) {
  Reader reader(name);
  const pickle::Ref root = pickle::parse(bytes, pickle::ListsOfIntegers::kPacked);
  if (root == nullptr) reader.broken("it is no pickle of a builder");
  return reader.read(*root);
}

BuilderState read_builder(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  if (!in || !(content << in.rdbuf())) {
    const int error = errno != 0 ? errno : EIO;
    throw std::system_error(error, std::generic_category(), path);
  }
  return parse_builder(content.view(), path);
}

}  // namespace apus
