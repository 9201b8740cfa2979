// `apus ring analyzer`: plays a scenario of changes and rebalances, and tells how each went.
#include <apus/json.h>

#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>

#include "framework/ring/builder_file.h"
#include "servers/apus/ring_options.h"
#include "servers/apus/ring_session.h"

namespace apus {
namespace {

using Step = std::function<void(RingBuilder&)>;

struct Scenario {
  int part_power = 1;
  double replicas = 1;
  double overload = 0;
  std::string seed;
  std::vector<std::vector<Step>> rounds;
};

[[noreturn]] void wrong(const std::string& what) {
  throw RingArgumentError("Invalid scenario: " + what);
}

double number_of(const Json* value, const std::string& what, double low, double high) {
  if (value == nullptr) wrong(what + " missing");
  if (value->text() != nullptr) return real_number(*value->text(), what, low, high);
  const auto number = value->number();
  if (!number || !(*number >= low && *number <= high))
    wrong(what + ": expected a number, " + shown_number(low) + " or more");
  return *number;
}

std::string text_of(const Json& value, const std::string& where) {
  if (value.text() == nullptr) wrong(where + ": expected a text");
  return *value.text();
}

// An id is looked at when the step is made: devices come and go.
int known_id(const RingBuilder& builder, int id) {
  const auto& devices = builder.state().devices;
  if (static_cast<std::size_t>(id) >= devices.size() || !devices[static_cast<std::size_t>(id)])
    wrong("device " + std::to_string(id) + " is not there");
  return id;
}

Step step_of(const Json& json, const std::string& where) {
  const auto* words = json.array();
  if (words == nullptr || words->empty()) wrong(where + ": expected an array, as [\"remove\", 3]");
  const std::string name = text_of(words->front(), where);
  const auto need = [&](std::size_t count) {
    if (words->size() != count)
      wrong(where + ": expected an array of length " + std::to_string(count) + " for " + name);
  };
  if (name == "add") {
    need(3);
    bool region_given = false;
    RingDevice device = parse_added_device(text_of((*words)[1], where), region_given);
    device.weight = number_of(&(*words)[2], where + ", weight", 0, 1e15);
    return [device](RingBuilder& builder) { builder.add(device); };
  }
  if (name == "remove" || name == "set_weight") {
    need(name == "remove" ? 2 : 3);
    const auto id =
        static_cast<int>(number_of(&(*words)[1], where + ", device id", 0, kNoDevice - 1));
    if (name == "remove")
      return [id](RingBuilder& builder) { builder.remove(known_id(builder, id)); };
    const double weight = number_of(&(*words)[2], where + ", weight", 0, 1e15);
    return
        [id, weight](RingBuilder& builder) { builder.set_weight(known_id(builder, id), weight); };
  }
  if (name == "save") {
    need(2);
    const std::string path = text_of((*words)[1], where);
    return [path](RingBuilder& builder) { write_builder(builder.state(), path); };
  }
  wrong(where + ": '" + name + "' should be one of add, remove, set_weight, save");
}

Scenario parse_scenario(const std::string& text) {
  const auto json = Json::parse(text);
  if (!json || json->object() == nullptr) wrong("expected a JSON object");
  Scenario out;
  out.part_power = static_cast<int>(number_of(json->find("part_power"), "part_power", 1, 32));
  out.replicas = number_of(json->find("replicas"), "replicas", 1, 1000);
  out.overload = number_of(json->find("overload"), "overload", 0, 1e9);
  out.seed =
      Json(std::floor(number_of(json->find("random_seed"), "random_seed", -1e18, 1e18))).dump();
  const Json* rounds = json->find("rounds");
  if (rounds == nullptr) wrong("rounds missing");
  if (rounds->array() == nullptr) wrong("rounds must be an array");
  for (const Json& round : *rounds->array()) {
    const std::string number = std::to_string(out.rounds.size());
    if (round.array() == nullptr) wrong("round " + number + " not an array");
    auto& steps = out.rounds.emplace_back();
    for (const Json& step : *round.array()) {
      const std::string at = std::to_string(steps.size());
      steps.push_back(step_of(step, "round " + number + ", command " + at));
    }
  }
  return out;
}

// Rebalances until it settles.
void settle(RingBuilder& builder, const std::string& seed) {
  double last = 0;
  for (int count = 1;; ++count) {
    const RebalanceResult result = builder.rebalance(seed, std::time(nullptr));
    builder.pretend_min_part_hours_passed();
    std::printf("\tRebalance %d: moved %lld parts, balance is %.6f, %d removed devs\n", count,
                static_cast<long long>(result.moved), result.balance, result.removed);
    if (count > 1) {
      if (result.moved == 0 && result.removed == 0) break;
      const bool stuck = last == kMaxBalance && result.balance == kMaxBalance;
      if (std::abs(result.balance - last) < 1 && !stuck) break;
    }
    last = result.balance;
  }
}

}  // namespace

int analyze_ring(const std::string& program, const std::vector<std::string>& words) {
  bool check = false;
  std::string path;
  CLI::App options("Plays a scenario (JSON) of changes to a ring; tells how it rebalances.",
                   program);
  options.add_flag("-c,--check", check, "only look whether the scenario is one");
  options.add_option("SCENARIO", path, "its file")->required();
  if (!parse_ring_options(options, words)) return kRingDone;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) {
    std::cerr << program << ": " << path << ": cannot be read\n";
    return kRingWarning;
  }
  try {
    const Scenario scenario = parse_scenario(text.str());
    if (check) return kRingDone;
    RingBuilder builder(scenario.part_power, scenario.replicas, 1);
    builder.set_overload(scenario.overload);
    for (std::size_t round = 0; round < scenario.rounds.size(); ++round) {
      std::printf("Round %zu\n", round + 1);
      for (const Step& step : scenario.rounds[round]) step(builder);
      settle(builder, scenario.seed);
    }
    std::fflush(stdout);
    return kRingDone;
  } catch (const std::invalid_argument& error) {
    std::fflush(stdout);
    std::cerr << program << ": " << path << ": " << error.what() << "\n";
    return kRingWarning;
  }
}

}  // namespace apus
