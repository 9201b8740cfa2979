#include "framework/store/object/async_pending.h"

#include "framework/pickle/pickle.h"

namespace apus {
namespace {

void add(pickle::Writer& writer, std::string_view key, std::string_view value) {
  writer.text(key);
  writer.text(value);
}

template <typename Items, typename Write>
void add_list(pickle::Writer& writer, std::string_view key, const Items& items, Write write) {
  writer.text(key);
  writer.begin_list();
  for (const auto& item : items) write(item);
  writer.end_list();
}

std::string text_at(const pickle::Value& value, std::string_view key) {
  const pickle::Value* found = value.find(key);
  const std::string* text = found == nullptr ? nullptr : found->string();
  return text == nullptr ? "" : *text;
}

// A header's value in wire bytes: Swift keeps them as latin-1 text, the policy as a number too.
std::optional<std::string> header_value(const pickle::Value& value) {
  if (const auto number = value.integer()) return std::to_string(*number);
  const std::string* text = value.string();
  if (text == nullptr) return std::nullopt;
  if (!std::holds_alternative<pickle::Text>(value.data)) return *text;
  const auto latin = pickle::utf8_to_latin1(*text);
  return latin ? *latin : *text;
}

const std::vector<pickle::Ref>* items_of(const pickle::Value* value) {
  if (value == nullptr) return nullptr;
  if (const auto* list = std::get_if<pickle::List>(&value->data)) return &list->items;
  if (const auto* tuple = std::get_if<pickle::Tuple>(&value->data)) return &tuple->items;
  return nullptr;
}

bool read_headers(const pickle::Value* from, Headers& to) {
  if (from == nullptr || from->dict() == nullptr) return false;
  for (const auto& [key, value] : from->dict()->items) {
    const std::string* name = key->string();
    if (name == nullptr) return false;
    if (auto text = header_value(*value)) to.set(*name, std::move(*text));
  }
  return true;
}

}  // namespace

std::optional<Timestamp> AsyncPending::timestamp() const {
  return Timestamp::parse(headers.get("X-Meta-Timestamp", headers.get("X-Timestamp")));
}

std::string AsyncPending::target() const {
  return container_path.empty() ? account + "/" + container : container_path;
}

std::string AsyncPending::encode() const {
  pickle::Writer writer;
  writer.begin_dict();
  add(writer, "op", operation);
  add(writer, "account", account);
  add(writer, "container", container);
  add(writer, "obj", object);
  writer.text("headers");
  writer.begin_dict();
  for (const auto& [name, value] : headers) add(writer, name, pickle::latin1_to_utf8(value));
  writer.end_dict();
  if (db_state) add(writer, "db_state", *db_state);
  if (!container_path.empty()) add(writer, "container_path", container_path);
  if (!successes.empty())
    add_list(writer, "successes", successes, [&](std::int64_t id) { writer.integer(id); });
  if (!redirect_history.empty()) {
    add_list(writer, "redirect_history", redirect_history,
             [&](const std::string& path) { writer.text(path); });
  }
  writer.end_dict();
  return writer.finish();
}

std::optional<AsyncPending> AsyncPending::decode(std::string_view text) {
  const pickle::Ref root = pickle::parse(text);
  if (root == nullptr || root->dict() == nullptr) return std::nullopt;
  AsyncPending out;
  out.operation = text_at(*root, "op");
  out.account = text_at(*root, "account");
  out.container = text_at(*root, "container");
  out.object = text_at(*root, "obj");
  out.container_path = text_at(*root, "container_path");
  if (const std::string state = text_at(*root, "db_state"); !state.empty()) out.db_state = state;
  if (out.operation.empty() || out.account.empty() || out.container.empty() || out.object.empty())
    return std::nullopt;
  if (!read_headers(root->find("headers"), out.headers)) return std::nullopt;
  if (const auto* items = items_of(root->find("successes"))) {
    for (const pickle::Ref& item : *items) {
      if (const auto id = item->integer()) out.successes.push_back(*id);
    }
  }
  if (const auto* items = items_of(root->find("redirect_history"))) {
    for (const pickle::Ref& item : *items) {
      if (const std::string* path = item->string()) out.redirect_history.push_back(*path);
    }
  }
  return out;
}

}  // namespace apus
