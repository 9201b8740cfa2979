#include <apus/digest.h>
#include <apus/json.h>
#include <apus/slo_manifest.h>
#include <apus/text.h>

namespace apus {
namespace {

// A number, or a text that is one.
std::optional<std::uint64_t> size_of(const Json* value) {
  if (value == nullptr) return std::nullopt;
  const auto number = value->integer() != nullptr ? std::optional(*value->integer())
                      : value->text() != nullptr  ? parse_digits(*value->text())
                                                  : std::nullopt;
  return number && *number >= 0 ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

// "first-last".
std::optional<ByteRange> parse_stored_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_digits(text.substr(0, dash));
  const auto last = parse_digits(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return ByteRange{static_cast<std::uint64_t>(*first), static_cast<std::uint64_t>(*last)};
}

// Old manifests have the size of a manifest among their segments in its content type.
void take_swift_bytes(SloSegment& segment) {
  constexpr std::string_view kMark = "swift_bytes=";
  const std::size_t semicolon = segment.content_type.rfind(';');
  if (semicolon == std::string::npos) return;
  const std::string_view parameter =
      trim(std::string_view(segment.content_type).substr(semicolon + 1));
  if (!parameter.starts_with(kMark)) return;
  if (const auto bytes = parse_digits(parameter.substr(kMark.size())))
    segment.bytes = static_cast<std::uint64_t>(*bytes);
  segment.content_type.resize(semicolon);
}

std::optional<SloSegment> read_segment(const Json& entry) {
  SloSegment out;
  if (const Json* data = entry.find("data")) {
    const auto bytes = data->text() != nullptr ? base64_decode(*data->text()) : std::nullopt;
    if (!bytes) return std::nullopt;
    out.data = *bytes;
    return out;
  }
  const auto bytes = size_of(entry.find("bytes"));
  out.name = entry.text_at("name");
  if (!bytes || out.name.empty()) return std::nullopt;
  out.bytes = *bytes;
  out.hash = entry.text_at("hash");
  out.content_type = entry.text_at("content_type");
  out.last_modified = entry.text_at("last_modified");
  const Json* sub = entry.find("sub_slo");
  out.sub_slo = sub != nullptr && ((sub->boolean() != nullptr && *sub->boolean()) ||
                                   (sub->text() != nullptr && is_true(*sub->text())));
  if (const std::string range = entry.text_at("range"); !range.empty()) {
    out.range = parse_stored_range(range);
    if (!out.range) return std::nullopt;
  }
  if (out.sub_slo) take_swift_bytes(out);
  return out;
}

std::string range_text(const ByteRange& range) {
  return std::to_string(range.first) + "-" + std::to_string(range.last);
}

// What a segment's name, size and hash are called in a stored manifest, and in one that is put.
struct Names {
  const char* name;
  const char* bytes;
  const char* hash;
};
constexpr Names kStoredNames = {"name", "bytes", "hash"};
constexpr Names kPutNames = {"path", "size_bytes", "etag"};

Json entry_of(const SloSegment& segment, const Names& names) {
  Json out;
  if (segment.name.empty()) {
    out.set("data", base64_encode(segment.data));
    return out;
  }
  out.set(names.name, segment.name);
  out.set(names.bytes, static_cast<std::int64_t>(segment.bytes));
  out.set(names.hash, segment.hash);
  return out;
}

void add_range(Json& entry, const SloSegment& segment) {
  if (!segment.name.empty() && segment.range) entry.set("range", range_text(*segment.range));
}

}  // namespace

std::uint64_t SloSegment::length() const {
  if (name.empty()) return data.size();
  return range ? range->length() : bytes;
}

std::optional<std::vector<SloSegment>> parse_slo_manifest(std::string_view json) {
  const auto parsed = Json::parse(json);
  if (!parsed || parsed->array() == nullptr) return std::nullopt;
  std::vector<SloSegment> out;
  std::uint64_t total = 0;
  for (const Json& entry : *parsed->array()) {
    auto segment = read_segment(entry);
    // What adds up to more than a number can hold was not written by anybody.
    if (!segment || segment->length() > INT64_MAX - total) return std::nullopt;
    total += segment->length();
    out.push_back(std::move(*segment));
  }
  return out;
}

std::string to_json(const std::vector<SloSegment>& segments) {
  Json::Array out;
  for (const SloSegment& segment : segments) {
    Json entry = entry_of(segment, kStoredNames);
    if (!segment.name.empty()) {
      entry.set("content_type", segment.content_type);
      entry.set("last_modified", segment.last_modified);
      add_range(entry, segment);
      if (segment.sub_slo) entry.set("sub_slo", true);
    }
    out.push_back(std::move(entry));
  }
  return Json(std::move(out)).dump();
}

std::string to_raw_json(const std::vector<SloSegment>& segments) {
  Json::Array out;
  for (const SloSegment& segment : segments) {
    Json entry = entry_of(segment, kPutNames);
    add_range(entry, segment);
    out.push_back(std::move(entry));
  }
  return Json(std::move(out)).dump(false, true);
}

std::string slo_etag(const std::vector<SloSegment>& segments) {
  Digest digest(DigestKind::kMd5);
  for (const SloSegment& segment : segments) {
    if (segment.name.empty()) {
      digest.update(md5_hex(segment.data));
    } else {
      digest.update(segment.hash);
      if (segment.range) digest.update(":" + range_text(*segment.range) + ";");
    }
  }
  return digest.finish_hex();
}

}  // namespace apus
