#include <apus/digest.h>
#include <apus/json.h>
#include <apus/slo_manifest.h>
#include <apus/text.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace apus {
namespace {

constexpr std::array<std::string_view, 4> kPathKeys = {"path", "range", "etag", "size_bytes"};
constexpr std::array<std::string_view, 1> kDataKeys = {"data"};
// No object is longer: ranges without an end are judged against it.
constexpr std::uint64_t kEndless = UINT64_MAX / 2;

// Swift's reader of base64: any padding that is enough, nothing but the alphabet.
std::optional<std::string> decode_data(std::string_view text) {
  const std::size_t size = text.find_last_not_of('=') + 1;
  const std::string_view core = text.substr(0, size);
  const std::size_t padding = (4 - core.size() % 4) % 4;
  if (padding == 3 || text.size() - size < padding ||
      core.find_first_of("=-_") != std::string_view::npos) {
    return std::nullopt;
  }
  return base64_decode(std::string(core) + std::string(padding, '='));
}

std::string_view without_slashes(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of('/'), text.size()));
  return text.substr(0, text.find_last_not_of('/') + 1);
}

// As Python's int().
std::optional<std::int64_t> whole_number(const Json& value) {
  if (value.integer() != nullptr) return *value.integer();
  if (value.text() != nullptr) return parse_int(*value.text());
  if (value.boolean() != nullptr) return *value.boolean() ? 1 : 0;
  const auto number = value.number();
  if (!number || !std::isfinite(*number) || std::fabs(*number) > 9e18) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

template <std::size_t N>
std::string extraneous(const Json& entry, const std::array<std::string_view, N>& known) {
  std::vector<std::string> names;
  for (const auto& [name, value] : *entry.object()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += ", ";
    append_json_string(out, name);
  }
  return out.empty() ? out : "extraneous keys " + out;
}

// Each reader below returns what is wrong, or an empty text.
std::string read_data(const Json& entry, SloEntry& out) {
  if (std::string wrong = extraneous(entry, kDataKeys); !wrong.empty()) return wrong;
  const std::string* text = entry.find("data")->text();
  const auto data = text != nullptr ? decode_data(*text) : std::nullopt;
  if (!data) return "data must be valid base64";
  if (data->empty()) return "too small; each segment must be at least 1 byte.";
  out.data = *data;
  return "";
}

std::string read_size(const Json& entry, bool last, SloEntry& out) {
  const Json* size = entry.find("size_bytes");
  if (size == nullptr || size->is_null()) return "";
  out.size_bytes = whole_number(*size);
  if (!out.size_bytes) return "invalid size_bytes";
  if (*out.size_bytes < 1 && !last) return "too small; each segment must be at least 1 byte.";
  return "";
}

std::string read_range(const Json& entry, SloEntry& out) {
  const Json* range = entry.find("range");
  const bool none =
      range == nullptr || range->is_null() || (range->text() != nullptr && range->text()->empty());
  if (none) return "";
  if (range->text() == nullptr) return "invalid range";
  out.range = *range->text();
  const auto ranges = parse_range("bytes=" + out.range, kEndless);
  if (!ranges) return "invalid range";
  if (out.range.find(',') != std::string::npos) return "multiple ranges (only one allowed)";
  const auto size = static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, out.size_bytes.value_or(static_cast<std::int64_t>(kEndless))));
  const auto sized = parse_range("bytes=" + out.range, size);
  if (!sized || sized->size() != 1) return "unsatisfiable range";
  return "";
}

std::string read_path(const Json& entry, std::string_view own, bool last, SloEntry& out) {
  if (std::string wrong = extraneous(entry, kPathKeys); !wrong.empty()) return wrong;
  const std::string* path = entry.find("path")->text();
  if (path == nullptr) return "\"path\" must be a string";
  out.path = *path;
  const Json* etag = entry.find("etag");
  if (etag != nullptr && !etag->is_null()) {
    if (etag->text() == nullptr) return "\"etag\" must be a string or null (if provided)";
    out.etag = *etag->text();
  }
  if (without_slashes(out.path).find('/') == std::string_view::npos) {
    return "path does not refer to an object. Path must be of the form /container/object.";
  }
  if (std::string wrong = read_size(entry, last, out); !wrong.empty()) return wrong;
  const std::size_t start = std::min(out.path.find_first_not_of('/'), out.path.size());
  if (std::string_view(out.path).substr(start) == own)
    return "manifest must not include itself as a segment";
  return read_range(entry, out);
}

std::string read_entry(const Json& entry, std::string_view own, bool last, SloEntry& out) {
  if (entry.object() == nullptr) return "not a JSON object";
  if (entry.find("data") != nullptr) return read_data(entry, out);
  if (entry.find("path") != nullptr) return read_path(entry, own, last, out);
  return "expected keys to include one of 'data' or 'path'";
}

}  // namespace

std::optional<std::vector<SloEntry>> parse_slo_put(std::string_view json,
                                                   std::string_view request_path,
                                                   std::string& errors) {
  const auto parsed = Json::parse(json);
  errors = "Manifest must be valid JSON.\n";
  if (!parsed) return std::nullopt;
  errors = "Manifest must be a list.\n";
  if (parsed->array() == nullptr) return std::nullopt;
  errors.clear();
  const auto place = split_api_path(request_path, 4);
  const std::string own =
      place ? std::string(place->container) + "/" + std::string(place->object) : std::string();
  const Json::Array& entries = *parsed->array();
  std::vector<SloEntry> out(entries.size());
  bool any_object = entries.empty();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string wrong = read_entry(entries[i], own, i + 1 == entries.size(), out[i]);
    if (!wrong.empty()) errors += "Index " + std::to_string(i) + ": " + wrong + "\n";
    any_object = any_object || entries[i].find("data") == nullptr;
  }
  if (!any_object) errors += "Inline data segments require at least one object-backed segment.\n";
  return errors.empty() ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace apus
