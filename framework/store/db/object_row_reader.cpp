// Rows of a container from JSON, without a tree.
#include <apus/text.h>

#include <array>
#include <utility>

#include "framework/store/db/object_row.h"

namespace apus {
namespace {

// Bytes of JSON, so that room for the rows is made once.
constexpr std::size_t kTypicalRow = 180;

enum class Field : std::uint8_t {
  kOther,
  kNumber,
  kName,
  kCreatedAt,
  kSize,
  kContentType,
  kEtag,
  kDeleted,
  kPolicy,
  kContentTypeTime,
  kMetaTime,
};

constexpr std::array<std::pair<std::string_view, Field>, 10> kFields = {
    {{"ROWID", Field::kNumber},
     {"name", Field::kName},
     {"created_at", Field::kCreatedAt},
     {"size", Field::kSize},
     {"content_type", Field::kContentType},
     {"etag", Field::kEtag},
     {"deleted", Field::kDeleted},
     {"storage_policy_index", Field::kPolicy},
     {"ctype_timestamp", Field::kContentTypeTime},
     {"meta_timestamp", Field::kMetaTime}}};

// Sees a list of dicts. Once something was wrong, nothing is looked at or kept any more.
class Reader final : public JsonHandler {
 public:
  explicit Reader(std::size_t expected) { out_.rows.reserve(expected); }

  ObjectRows take() { return std::move(out_); }
  [[nodiscard]] bool good() const { return good_; }

  void begin_array() override {
    if (depth_ == 1) good_ = false;
    begin();
  }
  void end_array() override { --depth_; }
  void begin_object() override {
    if (depth_ == 0) good_ = false;
    begin();
    if (depth_ != 2 || !good_) return;
    out_.rows.emplace_back();
    out_.last_number.reset();
    has_name_ = has_size_ = has_deleted_ = false;
  }
  void end_object() override {
    if (--depth_ != 1 || !good_) return;
    good_ = has_name_ && has_size_ && has_deleted_ && has_times(out_.rows.back());
  }
  void key(std::string_view name) override {
    if (depth_ == 2) field_ = field_of(name);
  }
  void text(std::string_view value) override {
    if (!in_row()) return;
    if (std::string* const member = text_member()) {
      *member = value;
    } else if (field_ != Field::kOther) {
      number(parse_int(value));
    }
  }
  void integer(std::int64_t value) override {
    if (!in_row()) return;
    if (field_ == Field::kNumber) out_.last_number = value;
    number(value);
  }
  void other(const Json& value) override {
    if (!in_row()) return;
    std::string* const member = text_member();
    if (member != nullptr && value.is_null() && field_ != Field::kName) {
      member->clear();
    } else {
      number(value.boolean() != nullptr ? std::optional<std::int64_t>(*value.boolean() ? 1 : 0)
                                        : std::nullopt);
    }
  }

 private:
  // Most rows have their fields in this order: the one behind the last is looked at first.
  Field field_of(std::string_view name) {
    for (std::size_t tries = 0; tries < kFields.size(); ++tries) {
      const auto& [text, field] = kFields[next_];
      next_ = (next_ + 1) % kFields.size();
      if (text == name) return field;
    }
    return Field::kOther;
  }
  void begin() {
    if (depth_ == 2 && field_ != Field::kOther) good_ = false;
    ++depth_;
  }
  // Whether a value is one of a row's own; what stands where a row should is wrong.
  bool in_row() {
    if (depth_ < 2) good_ = false;
    return good_ && depth_ == 2;
  }
  // Null when the field is no text. Asked for when the text comes.
  std::string* text_member() {
    ObjectRow& row = out_.rows.back();
    switch (field_) {
      case Field::kName:
        has_name_ = true;
        return &row.name;
      case Field::kCreatedAt:
        return &row.created_at;
      case Field::kContentType:
        return &row.content_type;
      case Field::kEtag:
        return &row.etag;
      case Field::kContentTypeTime:
        return &row.content_type_timestamp;
      case Field::kMetaTime:
        return &row.meta_timestamp;
      default:
        return nullptr;
    }
  }
  void number(std::optional<std::int64_t> value) {
    ObjectRow& row = out_.rows.back();
    switch (field_) {
      case Field::kOther:
      case Field::kNumber:
        return;
      case Field::kSize:
        row.size = value.value_or(0);
        has_size_ = true;
        break;
      case Field::kDeleted:
        row.deleted = value.value_or(0) != 0;
        has_deleted_ = true;
        break;
      case Field::kPolicy:
        row.policy = value.value_or(0);
        break;
      default:  // a text
        value.reset();
        break;
    }
    if (!value) good_ = false;
  }

  ObjectRows out_;
  bool good_ = true;
  int depth_ = 0;  // 1 in the list, 2 in a row
  Field field_ = Field::kOther;
  std::size_t next_ = 0;  // in kFields
  bool has_name_ = false;
  bool has_size_ = false;
  bool has_deleted_ = false;
};

}  // namespace

std::optional<ObjectRows> read_object_rows(std::string_view json) {
  Reader reader(json.size() / kTypicalRow);
  if (!read_json(json, reader) || !reader.good()) return std::nullopt;
  return reader.take();
}

}  // namespace apus
