#include "servers/apus/operators/relink_state.h"

#include <apus/json.h>
#include <apus/text.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "framework/store/object/small_file.h"

namespace apus {
namespace {

constexpr std::size_t kLargestState = 512U << 20U;

std::uint64_t number_of(const std::string& partition) {
  const auto number = parse_digits(partition);
  return number ? static_cast<std::uint64_t>(*number) : UINT64_MAX;
}

std::string path_of(const std::string& device, const std::string& directory) {
  return device + "/relink." + directory + ".json";
}

}  // namespace

RelinkState::RelinkState(Disk& disk, std::string device, std::string directory, PartPowers powers)
    : disk_(disk), device_(std::move(device)), directory_(std::move(directory)), powers_(powers) {
  const std::string path = path_of(device_, directory_);
  const auto text = read_small_file(disk_, path, kLargestState);
  if (!text && errno == ENOENT) return;
  if (!text) throw std::system_error(errno, std::generic_category(), path);
  if (take(*text)) return;
  partitions_.clear();
  disk_.unlink(path);
}

// False: it is of another step, or rubbish.
bool RelinkState::take(const std::string& text) {
  const auto json = Json::parse(text, kLargestState);
  if (!json) return false;
  const Json* from = json->find("part_power");
  const Json* to = json->find("next_part_power");
  if (from == nullptr || from->integer() == nullptr || to == nullptr || to->integer() == nullptr ||
      *to->integer() != powers_.to) {
    return false;
  }
  if (*from->integer() != powers_.from) {
    previous_ = static_cast<int>(*from->integer());
    return false;
  }
  const Json* state = json->find("state");
  if (state == nullptr || state->object() == nullptr) return false;
  for (const auto& [partition, is_done] : *state->object()) {
    if (is_done.boolean() == nullptr || number_of(partition) == UINT64_MAX) return false;
    partitions_[partition] = *is_done.boolean();
  }
  return true;
}

std::vector<std::string> RelinkState::begin(const std::vector<std::string>& names) {
  // The upper half has new numbers alone. That is known of the step before too, where it is told.
  const int power = powers_.relinking() ? powers_.from : previous_.value_or(32);
  const bool fresh = partitions_.empty();
  for (const std::string& name : names) {
    if (number_of(name) >> static_cast<unsigned>(std::clamp(power, 0, 32)) != 0) continue;
    partitions_.try_emplace(name, !fresh && powers_.relinking());
  }
  std::vector<std::string> out;
  for (const auto& [name, is_done] : partitions_) {
    if (!is_done) out.push_back(name);
  }
  done_ = parts() - static_cast<std::int64_t>(out.size());
  // What is linked to a higher number is not looked at again under that.
  std::sort(out.begin(), out.end(),
            [](const std::string& a, const std::string& b) { return number_of(a) > number_of(b); });
  return out;
}

int RelinkState::write() const {
  Json::Object state;
  state.reserve(partitions_.size());
  for (const auto& [partition, is_done] : partitions_) state.emplace_back(partition, is_done);
  Json json;
  json.set("part_power", powers_.from);
  json.set("next_part_power", powers_.to);
  json.set("state", Json(std::move(state)));
  if (previous_) json.set("prev_part_power", *previous_);
  return write_small_file(disk_, device_, ".relink." + directory_ + ".json.tmp",
                          path_of(device_, directory_), json.dump());
}

void RelinkState::done(const std::string& partition) {
  bool& is_done = partitions_[partition];
  done_ += is_done ? 0 : 1;
  is_done = true;
}

}  // namespace apus
