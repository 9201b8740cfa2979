// Rows of an account's container table outside of SQLite.
#include <apus/text.h>

#include "framework/store/db/account_broker.h"

namespace apus {
namespace {

Timestamp moment(const std::optional<std::string>& text) {
  return text ? Timestamp::parse(*text).value_or(Timestamp()) : Timestamp();
}

bool is_time(const std::optional<std::string>& text) {
  return !text || Timestamp::parse(*text).has_value();
}

// Nothing inside = none; nothing at all = it does not fit.
using MaybeText = std::optional<std::optional<std::string>>;
using MaybeNumber = std::optional<std::optional<std::int64_t>>;

MaybeText text_of(const pickle::Tuple& tuple, std::size_t index) {
  const pickle::Value& item = *tuple.items[index];
  if (std::holds_alternative<pickle::None>(item.data)) return std::optional<std::string>();
  if (item.string() == nullptr) return std::nullopt;
  return std::optional(*item.string());
}
MaybeNumber number_of(const pickle::Tuple& tuple, std::size_t index) {
  const pickle::Value& item = *tuple.items[index];
  if (std::holds_alternative<pickle::None>(item.data)) return std::optional<std::int64_t>();
  if (const auto number = item.integer()) return std::optional(*number);
  const auto number = item.string() != nullptr ? parse_int(*item.string()) : std::nullopt;
  return number ? MaybeNumber(number) : std::nullopt;
}
MaybeText text_of(const Json& dict, const char* name) {
  const Json* item = dict.find(name);
  if (item == nullptr) return std::nullopt;
  if (item->is_null()) return std::optional<std::string>();
  if (item->text() == nullptr) return std::nullopt;
  return std::optional(*item->text());
}
MaybeNumber number_of(const Json& dict, const char* name) {
  const Json* item = dict.find(name);
  if (item == nullptr) return std::nullopt;
  if (item->is_null()) return std::optional<std::int64_t>();
  if (item->boolean() != nullptr) return std::optional<std::int64_t>(*item->boolean() ? 1 : 0);
  if (item->integer() != nullptr) return std::optional(*item->integer());
  const auto number = item->text() != nullptr ? parse_int(*item->text()) : std::nullopt;
  return number ? MaybeNumber(number) : std::nullopt;
}

std::optional<ContainerRow> row_of(const MaybeText& name, const MaybeText& put,
                                   const MaybeText& gone, const MaybeNumber& objects,
                                   const MaybeNumber& bytes, const MaybeNumber& deleted,
                                   const MaybeNumber& policy) {
  if (!name || !*name || !put || !gone || !objects || !bytes || !deleted || !policy)
    return std::nullopt;
  ContainerRow out{
      **name, *put, *gone, *objects, *bytes, deleted->value_or(0) != 0, policy->value_or(0)};
  return is_time(out.put_timestamp) && is_time(out.delete_timestamp) ? std::optional(std::move(out))
                                                                     : std::nullopt;
}

}  // namespace

std::optional<ContainerRow> ContainerRow::from_tuple(const pickle::Tuple& tuple) {
  if (tuple.items.size() < 6) return std::nullopt;
  const MaybeNumber policy =
      tuple.items.size() > 6 ? number_of(tuple, 6) : MaybeNumber(std::optional<std::int64_t>(0));
  return row_of(text_of(tuple, 0), text_of(tuple, 1), text_of(tuple, 2), number_of(tuple, 3),
                number_of(tuple, 4), number_of(tuple, 5), policy);
}

std::optional<ContainerRow> ContainerRow::from_json(const Json& dict) {
  const MaybeNumber policy = dict.find("storage_policy_index") != nullptr
                                 ? number_of(dict, "storage_policy_index")
                                 : MaybeNumber(std::optional<std::int64_t>(0));
  return row_of(text_of(dict, "name"), text_of(dict, "put_timestamp"),
                text_of(dict, "delete_timestamp"), number_of(dict, "object_count"),
                number_of(dict, "bytes_used"), number_of(dict, "deleted"), policy);
}

std::string ContainerRow::to_pickle() const {
  pickle::Writer writer;
  writer.begin_tuple();
  writer.text(name);
  writer.text(put_timestamp.value_or("0"));
  writer.text(delete_timestamp.value_or("0"));
  writer.integer(object_count.value_or(0));
  writer.integer(bytes_used.value_or(0));
  writer.integer(deleted ? 1 : 0);
  writer.integer(policy);
  writer.end_tuple();
  return writer.finish();
}

ContainerRow merge_rows(const std::optional<ContainerRow>& stored, ContainerRow incoming) {
  if (!stored) return incoming;
  if (!incoming.object_count) incoming.object_count = stored->object_count;
  if (!incoming.bytes_used) incoming.bytes_used = stored->bytes_used;
  const auto newest = [](std::optional<std::string>& in, const std::optional<std::string>& have) {
    if (!in || moment(have) > moment(in)) in = have;
  };
  newest(incoming.put_timestamp, stored->put_timestamp);
  newest(incoming.delete_timestamp, stored->delete_timestamp);
  incoming.deleted = moment(incoming.delete_timestamp) > moment(incoming.put_timestamp) &&
                     incoming.object_count.value_or(0) == 0;
  return incoming;
}

}  // namespace apus
