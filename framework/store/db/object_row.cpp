#include "framework/store/db/object_row.h"

#include <apus/text.h>
#include <apus/timestamp.h>

#include <algorithm>

namespace apus {
namespace {

bool is_token(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7F &&
         std::string_view("()<>@,;:\"/[]?={}").find(c) == std::string_view::npos && c != '\\';
}

bool is_blank(char c) { return std::string_view(" \t\r\n\f\v").find(c) != std::string_view::npos; }

// One "; name[=value]" after another, as Swift's pattern finds them; what does not fit is passed
// over.
class Parameters {
 public:
  explicit Parameters(std::string_view text) : text_(text) {}

  bool next() {
    while (at_ < text_.size()) {
      if (text_[at_++] != ';') continue;
      const std::size_t start = at_;
      skip_blanks();
      name = token();
      value = {};
      if (name.empty()) {
        at_ = start;
        continue;
      }
      read_value();
      return true;
    }
    return false;
  }

  std::string_view name;
  std::string_view value;

 private:
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  std::string_view token() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_token(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }
  void read_value() {
    const std::size_t after_name = at_;
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '=') {
      ++at_;
      skip_blanks();
      value = at_ < text_.size() && text_[at_] == '"' ? quoted() : token();
      if (!value.empty()) return;
    }
    at_ = after_name;
  }
  // With its quotes; empty when the closing one is missing.
  std::string_view quoted() {
    const std::size_t start = at_;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == '"') {
        at_ = i + 1;
        return text_.substr(start, at_ - start);
      }
    }
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

TimestampTriple times_of(const ObjectRow& row) {
  TimestampTriple out = decode_timestamps(row.created_at).value_or(TimestampTriple());
  if (const auto type = Timestamp::parse(row.content_type_timestamp))
    out.content_type = out.meta = *type;
  if (const auto meta = Timestamp::parse(row.meta_timestamp)) out.meta = *meta;
  return out;
}

bool is_text_or_none(const pickle::Tuple& tuple, std::size_t index) {
  return index >= tuple.items.size() || tuple.items[index]->string() != nullptr ||
         std::holds_alternative<pickle::None>(tuple.items[index]->data);
}
bool is_number(const pickle::Tuple& tuple, std::size_t index) {
  if (index >= tuple.items.size() || tuple.items[index]->integer()) return true;
  return tuple.items[index]->string() != nullptr && parse_int(tuple.text(index)).has_value();
}

}  // namespace

bool has_times(const ObjectRow& row) {
  const auto fits = [](const std::string& text) { return text.empty() || Timestamp::parse(text); };
  return decode_timestamps(row.created_at).has_value() && fits(row.content_type_timestamp) &&
         fits(row.meta_timestamp);
}

TypeAndSize split_type(std::string_view text) {
  TypeAndSize out;
  const std::size_t semicolon = std::min(text.find(';'), text.size());
  out.type = text.substr(0, semicolon);
  Parameters parameters(text.substr(semicolon));
  while (parameters.next()) {
    if (parameters.name == "swift_bytes") {
      out.swift_bytes = parameters.value;
    } else {
      out.type.append(";").append(parameters.name).append("=").append(parameters.value);
    }
  }
  return out;
}

std::optional<ObjectRow> ObjectRow::from_tuple(const pickle::Tuple& tuple) {
  if (tuple.items.size() < 6 || tuple.items[0]->string() == nullptr ||
      tuple.items[1]->string() == nullptr)
    return std::nullopt;
  for (const std::size_t text : {3U, 4U, 7U, 8U}) {
    if (!is_text_or_none(tuple, text)) return std::nullopt;
  }
  for (const std::size_t number : {2U, 5U, 6U}) {
    if (!is_number(tuple, number)) return std::nullopt;
  }
  ObjectRow out{tuple.text(0),   tuple.text(1), tuple.number(2),
                tuple.text(3),   tuple.text(4), tuple.number(5) != 0,
                tuple.number(6), tuple.text(7), tuple.text(8)};
  return has_times(out) ? std::optional(std::move(out)) : std::nullopt;
}

std::string ObjectRow::to_pickle() const {
  pickle::Writer writer;
  writer.begin_tuple();
  writer.text(name);
  writer.text(created_at);
  writer.integer(size);
  writer.text(content_type);
  writer.text(etag);
  writer.integer(deleted ? 1 : 0);
  writer.integer(policy);
  for (const std::string& when : {content_type_timestamp, meta_timestamp}) {
    if (when.empty()) {
      writer.none();
    } else {
      writer.text(when);
    }
  }
  writer.end_tuple();
  return writer.finish();
}

std::optional<ObjectRow> merge_rows(const std::optional<ObjectRow>& stored, ObjectRow incoming) {
  const TimestampTriple in = times_of(incoming);
  ObjectRow out = std::move(incoming);
  out.content_type_timestamp.clear();
  out.meta_timestamp.clear();
  if (!stored) {
    out.created_at = encode_timestamps(in.data, in.content_type, in.meta, false);
    return out;
  }
  const TimestampTriple have = times_of(*stored);
  const bool newer_data = in.data > have.data;
  const bool newer_type = in.content_type > have.content_type;
  const bool newer_meta = in.meta > have.meta;
  if (!newer_data && !newer_type && !newer_meta) return std::nullopt;
  TypeAndSize type = split_type(out.content_type);
  TypeAndSize stored_type = split_type(stored->content_type);
  if (!newer_data) {
    out.size = stored->size;
    out.etag = stored->etag;
    out.deleted = stored->deleted;
    type.swift_bytes = std::move(stored_type.swift_bytes);
  }
  if (!newer_type) type.type = std::move(stored_type.type);
  out.content_type = std::move(type.type);
  if (type.swift_bytes && !type.swift_bytes->empty())
    out.content_type += ";swift_bytes=" + *type.swift_bytes;
  out.created_at =
      encode_timestamps(std::max(in.data, have.data), std::max(in.content_type, have.content_type),
                        std::max(in.meta, have.meta), false);
  return out;
}

}  // namespace apus
