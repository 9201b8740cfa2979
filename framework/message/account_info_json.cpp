// The values of "account/A" and "container/A/C" in the shared cache: Swift's key names and types.
#include <apus/account_info.h>
#include <apus/json.h>

namespace apus {
namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json object_of(const InfoFields& fields) {
  Json::Object out;
  for (const auto& [name, value] : fields) out.emplace_back(name, value);
  return out;
}

Json text_or_null(const InfoFields& fields, std::string_view name) {
  const auto at = fields.find(name);
  return at == fields.end() ? Json() : Json(at->second);
}

// Counters are texts from some writers and numbers from others.
std::int64_t number_in(const Json& from, std::string_view name) {
  const Json* value = from.find(name);
  if (value == nullptr) return 0;
  if (value->integer() != nullptr) return *value->integer();
  return value->text() != nullptr ? parse_int(*value->text()).value_or(0) : 0;
}

InfoFields fields_in(const Json& from, std::string_view name) {
  InfoFields out;
  const Json* value = from.find(name);
  if (value == nullptr || value->object() == nullptr) return out;
  for (const auto& [key, field] : *value->object()) {
    if (field.text() != nullptr) out[key] = *field.text();
  }
  return out;
}

}  // namespace

std::string to_json(const AccountInfo& info) {
  Json::Object policies;
  for (const auto& [index, use] : info.storage_policies) {
    policies.emplace_back(std::to_string(index),
                          Json::Object{{"container_count", use.container_count},
                                       {"object_count", use.object_count},
                                       {"bytes", use.bytes}});
  }
  Json::Object out{{"status", info.status},
                   {"container_count", std::to_string(info.container_count)},
                   {"total_object_count", std::to_string(info.total_object_count)},
                   {"bytes", std::to_string(info.bytes)},
                   {"storage_policies", std::move(policies)},
                   {"meta", object_of(info.meta)},
                   {"sysmeta", object_of(info.sysmeta)}};
  if (info.is_success()) out.emplace_back("account_really_exists", info.really_exists);
  return Json(std::move(out)).dump();
}

std::string to_json(const ContainerInfo& info) {
  Json::Object cors{{"allow_origin", text_or_null(info.meta, "access-control-allow-origin")},
                    {"expose_headers", text_or_null(info.meta, "access-control-expose-headers")},
                    {"max_age", text_or_null(info.meta, "access-control-max-age")}};
  Json::Object out{{"status", info.status},
                   {"read_acl", text_or_null(info.read_acl)},
                   {"write_acl", text_or_null(info.write_acl)},
                   {"sync_to", text_or_null(info.sync_to)},
                   {"sync_key", text_or_null(info.sync_key)},
                   {"object_count", std::to_string(info.object_count)},
                   {"bytes", std::to_string(info.bytes)},
                   {"versions", text_or_null(info.versions)},
                   {"storage_policy", std::to_string(info.storage_policy)},
                   {"cors", std::move(cors)},
                   {"meta", object_of(info.meta)},
                   {"sysmeta", object_of(info.sysmeta)},
                   {"sharding_state", info.sharding_state},
                   {"created_at", text_or_null(info.created_at)},
                   {"put_timestamp", text_or_null(info.put_timestamp)},
                   {"delete_timestamp", text_or_null(info.delete_timestamp)},
                   {"status_changed_at", text_or_null(info.status_changed_at)}};
  return Json(std::move(out)).dump();
}

std::optional<AccountInfo> parse_account_info(std::string_view json) {
  const auto value = Json::parse(json);
  if (!value || value->object() == nullptr || value->find("status") == nullptr) return std::nullopt;
  AccountInfo out;
  out.status = static_cast<int>(number_in(*value, "status"));
  out.container_count = number_in(*value, "container_count");
  out.total_object_count = number_in(*value, "total_object_count");
  out.bytes = number_in(*value, "bytes");
  out.meta = fields_in(*value, "meta");
  out.sysmeta = fields_in(*value, "sysmeta");
  const Json* really = value->find("account_really_exists");
  out.really_exists = really == nullptr || really->boolean() == nullptr || *really->boolean();
  const Json* policies = value->find("storage_policies");
  if (policies == nullptr || policies->object() == nullptr) return out;
  for (const auto& [index, use] : *policies->object()) {
    const auto number = parse_digits(index);
    if (!number) continue;
    out.storage_policies[static_cast<int>(*number)] = {
        number_in(use, "container_count"), number_in(use, "object_count"), number_in(use, "bytes")};
  }
  return out;
}

std::optional<ContainerInfo> parse_container_info(std::string_view json) {
  const auto value = Json::parse(json);
  if (!value || value->object() == nullptr || value->find("status") == nullptr) return std::nullopt;
  ContainerInfo out;
  out.status = static_cast<int>(number_in(*value, "status"));
  out.read_acl = value->text_at("read_acl");
  out.write_acl = value->text_at("write_acl");
  out.sync_to = value->text_at("sync_to");
  out.sync_key = value->text_at("sync_key");
  out.object_count = number_in(*value, "object_count");
  out.bytes = number_in(*value, "bytes");
  out.versions = value->text_at("versions");
  out.storage_policy = static_cast<int>(number_in(*value, "storage_policy"));
  out.meta = fields_in(*value, "meta");
  out.sysmeta = fields_in(*value, "sysmeta");
  const std::string state = value->text_at("sharding_state");
  if (!state.empty()) out.sharding_state = state;
  out.created_at = value->text_at("created_at");
  out.put_timestamp = value->text_at("put_timestamp");
  out.delete_timestamp = value->text_at("delete_timestamp");
  out.status_changed_at = value->text_at("status_changed_at");
  return out;
}

}  // namespace apus
