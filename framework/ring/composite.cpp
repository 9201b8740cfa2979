#include "framework/ring/composite.h"

#include <apus/json.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "framework/ring/replaced_file.h"

namespace apus {
namespace {

Json component_json(const RingComponent& component) {
  Json out;
  out.set("id", component.id);
  out.set("replicas", component.replicas);
  out.set("version", component.version);
  return out;
}

Json composite_json(const CompositeState& state) {
  Json::Array components;
  Json files;
  for (const RingComponent& component : state.components) {
    components.push_back(component_json(component));
    files.set(component.id, component.file);
  }
  Json out;
  out.set("component_builder_files", std::move(files));
  out.set("components", std::move(components));
  out.set("version", state.version);
  return out;
}

std::string at_index(std::size_t index) { return " at index " + std::to_string(index); }

void check_components(const std::vector<BuilderState>& builders) {
  if (builders.size() < 2) throw BuilderError("two or more component builders are required");
  std::map<int, std::size_t> regions;
  std::map<std::string, std::size_t> devices;
  std::map<std::string, std::size_t> ids;
  for (std::size_t i = 0; i < builders.size(); ++i) {
    const BuilderState& builder = builders[i];
    if (builder.part_power != builders[0].part_power) {
      throw BuilderError(
          "all builders need one part power: " + std::to_string(builders[0].part_power) +
          at_index(0) + ", " + std::to_string(builder.part_power) + at_index(i));
    }
    if (builder.replicas != std::floor(builder.replicas))
      throw BuilderError("the replica count is no whole number" + at_index(i));
    if (builder.devices_changed || builder.rows.empty())
      throw BuilderError("the builder needs a rebalance" + at_index(i));
    if (builder.id.empty()) throw BuilderError("the builder has no id" + at_index(i));
    const auto [id, fresh] = ids.emplace(builder.id, i);
    if (!fresh)
      throw BuilderError("one builder is there twice" + at_index(id->second) + " and" +
                         at_index(i));
    for (const auto& device : builder.devices) {
      if (!device) continue;
      const auto [region, first] = regions.emplace(device->region, i);
      if (!first && region->second != i) {
        throw BuilderError("region " + std::to_string(device->region) +
                           " is in two rings:" + at_index(region->second) + " and" + at_index(i));
      }
      const std::string name =
          device->ip + ":" + std::to_string(device->port) + "/" + device->device;
      const auto [known, single] = devices.emplace(name, i);
      if (!single && known->second != i)
        throw BuilderError("device " + name + " is in two rings:" + at_index(known->second) +
                           " and" + at_index(i));
    }
  }
}

// True when some component is newer than the one on record.
bool newer(const CompositeState& state, const std::vector<BuilderState>& builders) {
  if (state.components.size() != builders.size()) {
    throw BuilderError("the composite has " + std::to_string(state.components.size()) +
                       " components, not " + std::to_string(builders.size()));
  }
  bool out = false;
  for (std::size_t i = 0; i < builders.size(); ++i) {
    const RingComponent& before = state.components[i];
    if (before.id != builders[i].id || before.replicas != builders[i].replicas)
      throw BuilderError("another builder or replica count than the composite has" + at_index(i));
    if (builders[i].version < before.version)
      throw BuilderError("an older builder than the composite has" + at_index(i));
    out = out || builders[i].version > before.version;
  }
  return out;
}

}  // namespace

CompositeState read_composite(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) throw std::runtime_error(path + ": cannot be read");
  const auto broken = [&] {
    throw std::runtime_error(path + ": is not a usable composite ring builder");
  };
  const auto json = Json::parse(text.view());
  const Json* components = json ? json->find("components") : nullptr;
  const Json* files = json ? json->find("component_builder_files") : nullptr;
  const Json* version = json ? json->find("version") : nullptr;
  if (components == nullptr || components->array() == nullptr || files == nullptr ||
      version == nullptr || version->integer() == nullptr) {
    broken();
  }
  CompositeState out;
  out.version = *version->integer();
  for (const Json& component : *components->array()) {
    const Json* id = component.find("id");
    const Json* its_version = component.find("version");
    const Json* replicas = component.find("replicas");
    if (id == nullptr || id->text() == nullptr || its_version == nullptr ||
        its_version->integer() == nullptr || replicas == nullptr || !replicas->number()) {
      broken();
    }
    const Json* file = files->find(*id->text());
    if (file == nullptr || file->text() == nullptr) broken();
    out.components.push_back(
        {*id->text(), *replicas->number(), *its_version->integer(), *file->text()});
  }
  return out;
}

void write_composite(const CompositeState& state, const std::string& path) {
  Json json = composite_json(state);
  json.set("saved_path", std::filesystem::absolute(path).lexically_normal().string());
  json.set("serialization_version", 1);
  replace_file(path, json.dump());
}

std::string composite_text(const CompositeState& state) {
  std::string out = "{\n    \"component_builder_files\": {\n";
  std::map<std::string, std::string> files;
  for (const RingComponent& component : state.components) files[component.id] = component.file;
  std::size_t left = files.size();
  for (const auto& [id, file] : files) {
    out += "        " + Json(id).dump() + ": " + Json(file).dump() + (--left > 0 ? ",\n" : "\n");
  }
  out += "    },\n    \"components\": [\n";
  left = state.components.size();
  for (const RingComponent& component : state.components) {
    out += "        {\n            \"id\": " + Json(component.id).dump() +
           ",\n            \"replicas\": " + Json(component.replicas).dump() +
           ",\n            \"version\": " + std::to_string(component.version) + "\n        }" +
           (--left > 0 ? ",\n" : "\n");
  }
  return out + "    ],\n    \"version\": " + std::to_string(state.version) + "\n}\n";
}

RingData compose_rings(const std::vector<BuilderState>& builders) {
  check_components(builders);
  RingData out;
  out.part_shift = 32 - builders[0].part_power;
  for (const BuilderState& builder : builders) {
    const auto offset = static_cast<int>(out.devices.size());
    if (out.devices.size() + builder.devices.size() > kNoDevice)
      throw BuilderError("the rings have more than 65535 devices together");
    for (const auto& device : builder.devices) {
      out.devices.emplace_back();
      if (!device) continue;
      out.devices.back() = static_cast<const RingDevice&>(*device);
      out.devices.back()->id += offset;
    }
    for (auto row : builder.rows) {
      for (std::uint16_t& id : row) id = static_cast<std::uint16_t>(id + offset);
      out.rows.push_back(std::move(row));
    }
  }
  return out;
}

void update_composite(CompositeState& state, const std::vector<BuilderState>& builders,
                      const std::vector<std::string>& files, bool force) {
  if (!state.components.empty() && !force && !newer(state, builders))
    throw BuilderError("no component is newer than what the composite was made of");
  state.components.clear();
  for (std::size_t i = 0; i < builders.size(); ++i) {
    state.components.push_back({builders[i].id, builders[i].replicas, builders[i].version,
                                std::filesystem::absolute(files[i]).lexically_normal().string()});
  }
  ++state.version;
}

}  // namespace apus
