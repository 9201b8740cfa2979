#include "framework/sharding/cleaving_context.h"

#include <string_view>

namespace apus {
namespace {

constexpr std::string_view kPrefix = "X-Container-Sysmeta-Shard-Context-";

Json maybe(const std::optional<std::int64_t>& number) { return number ? Json(*number) : Json(); }

std::optional<std::int64_t> number_in(const Json& dict, const char* name) {
  const Json* value = dict.find(name);
  if (value == nullptr || value->integer() == nullptr) return std::nullopt;
  return *value->integer();
}
bool flag_in(const Json& dict, const char* name) {
  const Json* value = dict.find(name);
  return value != nullptr && value->boolean() != nullptr && *value->boolean();
}

}  // namespace

std::optional<CleavingContext> CleavingContext::from_text(const std::string& text) {
  const auto dict = Json::parse(text);
  if (!dict || dict->object() == nullptr) return std::nullopt;
  CleavingContext out;
  out.ref = dict->text_at("ref");
  out.cursor = dict->text_at("cursor");
  out.max_row = number_in(*dict, "max_row");
  out.cleave_to_row = number_in(*dict, "cleave_to_row");
  out.last_cleave_to_row = number_in(*dict, "last_cleave_to_row");
  out.cleaving_done = flag_in(*dict, "cleaving_done");
  out.misplaced_done = flag_in(*dict, "misplaced_done");
  out.ranges_done = number_in(*dict, "ranges_done").value_or(0);
  out.ranges_todo = number_in(*dict, "ranges_todo").value_or(0);
  return out;
}

Json CleavingContext::to_json() const {
  Json::Object out;
  out.emplace_back("ref", Json(ref));
  out.emplace_back("cursor", Json(cursor));
  out.emplace_back("max_row", maybe(max_row));
  out.emplace_back("cleave_to_row", maybe(cleave_to_row));
  out.emplace_back("last_cleave_to_row", maybe(last_cleave_to_row));
  out.emplace_back("cleaving_done", Json(cleaving_done));
  out.emplace_back("misplaced_done", Json(misplaced_done));
  out.emplace_back("ranges_done", Json(ranges_done));
  out.emplace_back("ranges_todo", Json(ranges_todo));
  return Json(std::move(out));
}

CleavingContext CleavingContext::load(ContainerBroker& broker) {
  ContainerBroker retiring = broker.oldest();
  const auto stat = retiring.info();
  const std::string ref = stat ? stat->id : std::string();
  const auto kept = from_text(broker.sharding_sysmeta("Context-" + ref).first);
  CleavingContext out = kept.value_or(CleavingContext());
  out.ref = ref;
  out.max_row = retiring.max_row();
  return out;
}

std::vector<std::pair<CleavingContext, Timestamp>> CleavingContext::load_all(
    ContainerBroker& broker) {
  std::vector<std::pair<CleavingContext, Timestamp>> out;
  for (const auto& [name, value] : broker.metadata()) {
    if (!name.starts_with(kPrefix) || value.first.empty()) continue;
    auto context = from_text(value.first);
    if (!context) continue;
    context->ref = name.substr(kPrefix.size());
    out.emplace_back(std::move(*context), Timestamp::parse(value.second).value_or(Timestamp()));
  }
  return out;
}

void CleavingContext::store(ContainerBroker& broker) const {
  broker.set_sharding_sysmeta("Context-" + ref, to_json().dump());
}
void CleavingContext::remove(ContainerBroker& broker) const {
  broker.set_sharding_sysmeta("Context-" + ref, "");
}

void CleavingContext::reset() {
  cursor.clear();
  ranges_done = ranges_todo = 0;
  cleaving_done = misplaced_done = false;
  last_cleave_to_row = cleave_to_row;
}

void CleavingContext::start() {
  cursor.clear();
  ranges_done = ranges_todo = 0;
  cleaving_done = false;
  cleave_to_row = max_row;
}

void CleavingContext::range_done(const std::string& upper) {
  ++ranges_done;
  --ranges_todo;
  cursor = upper;
}

bool CleavingContext::done() const {
  return misplaced_done && cleaving_done && max_row == cleave_to_row;
}

}  // namespace apus
