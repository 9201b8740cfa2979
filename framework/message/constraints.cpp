#include <apus/constraints.h>

#include <algorithm>
#include <array>

namespace apus {
namespace {

constexpr std::int64_t kLastSecond = 9999999999;
// Objects that a wrong policy left behind are moved through this account under any name.
constexpr std::string_view kMisplacedObjects = ".misplaced_objects";

std::int64_t size_of(std::string_view text) { return static_cast<std::int64_t>(text.size()); }

Response bad_request(std::string text) { return {400, std::move(text), "text/plain"}; }

std::optional<Response> refuse_page(std::string text) {
  return Response(400, std::move(text), "text/html; charset=UTF-8");
}

constexpr std::array<std::string_view, 3> kPrefixes = {"x-account-meta-", "x-container-meta-",
                                                       "x-object-meta-"};

bool is_mixed(std::string_view name) {
  return name.find('\0') != std::string_view::npos && name.front() != '\0';
}

std::int64_t factor(std::string_view account, const Constraints& limits) {
  return account.starts_with(limits.auto_create_account_prefix) ? 2 : 1;
}

bool is_reserved(std::string_view name) { return !name.empty() && name.front() == '\0'; }

}  // namespace

std::optional<Response> check_metadata(const Request& request, MetadataKind kind,
                                       const Constraints& limits) {
  const std::string_view prefix = kPrefixes.at(static_cast<std::size_t>(kind));
  std::int64_t count = 0;
  std::int64_t size = 0;
  for (const auto& [name, value] : request.headers) {
    if (size_of(value) > limits.max_header_size) {
      return bad_request("Header value too long: " +
                         name.substr(0, static_cast<std::size_t>(limits.max_meta_name_length)));
    }
    if (!starts_with_name(name, prefix)) continue;
    const std::string key = name.substr(prefix.size());
    if (key.empty()) return bad_request("Metadata name cannot be empty");
    const bool text = is_valid_text(key) && (value.empty() || is_valid_text(value));
    if (kind != MetadataKind::kObject && !text) return bad_request("Metadata must be valid UTF-8");
    ++count;
    size += size_of(key) + size_of(value);
    if (size_of(key) > limits.max_meta_name_length)
      return bad_request("Metadata name too long: " + std::string(prefix) + key);
    if (size_of(value) > limits.max_meta_value_length) {
      return bad_request("Metadata value longer than " +
                         std::to_string(limits.max_meta_value_length) + ": " + std::string(prefix) +
                         key);
    }
    if (count > limits.max_meta_count)
      return bad_request("Too many metadata items; max " + std::to_string(limits.max_meta_count));
    if (size > limits.max_meta_overall_size) {
      return bad_request("Total metadata too large; max " +
                         std::to_string(limits.max_meta_overall_size));
    }
  }
  return std::nullopt;
}

std::string normalize_delete_at(std::int64_t seconds) {
  std::string digits = std::to_string(std::clamp<std::int64_t>(seconds, 0, kLastSecond));
  digits.insert(0, 10 - std::min<std::size_t>(10, digits.size()), '0');
  return digits;
}

// As parse_int; a number of more digits than fit stands for the end of time.
static std::optional<std::int64_t> parse_seconds(std::string_view text) {
  const auto exact = parse_int(text);
  const std::string_view digits = trim(text);
  if (exact || digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos)
    return exact;
  return kLastSecond;
}

std::optional<Response> check_delete_headers(Request& request, const Timestamp& now) {
  const auto is_past = [&](std::int64_t when) {
    return static_cast<double>(when) <= now.seconds();
  };
  if (const std::string* after = request.headers.find("X-Delete-After")) {
    const auto seconds = parse_seconds(*after);
    if (!seconds) return bad_request("Non-integer X-Delete-After");
    const double end = now.seconds() + static_cast<double>(*seconds);
    const auto when =
        static_cast<std::int64_t>(std::clamp(end, 0.0, static_cast<double>(kLastSecond)));
    if (is_past(when)) return bad_request("X-Delete-After in past");
    request.headers.set("X-Delete-At", normalize_delete_at(when));
    request.headers.erase("X-Delete-After");
  }
  if (const std::string* at = request.headers.find("X-Delete-At")) {
    const auto seconds = parse_seconds(*at);
    if (!seconds) return bad_request("Non-integer X-Delete-At");
    const std::int64_t when = std::clamp<std::int64_t>(*seconds, 0, kLastSecond);
    if (is_past(when) && !is_true(request.internal.get("X-Backend-Replication")))
      return bad_request("X-Delete-At in past");
    request.headers.set("X-Delete-At", normalize_delete_at(when));
  }
  return std::nullopt;
}

std::optional<Response> check_object_creation(Request& request, std::string_view object,
                                              const Constraints& limits, const Timestamp& now) {
  if (request.content_length && !request.chunked &&
      *request.content_length > static_cast<std::uint64_t>(limits.max_file_size)) {
    return Response(413, "Your request is too large.", "text/plain");
  }
  if (!request.content_length && !request.chunked)
    return Response(411, "Missing Content-Length header.", "text/plain");
  if (const std::int64_t length = text_length(object); length > limits.max_object_name_length) {
    return bad_request("Object name length of " + std::to_string(length) + " longer than " +
                       std::to_string(limits.max_object_name_length));
  }
  const std::string* type = request.headers.find("Content-Type");
  if (type == nullptr) return bad_request("No content type");
  if (auto bad = check_delete_headers(request, now)) return bad;
  if (!is_valid_text(request.headers.get("Content-Type")))
    return bad_request("Invalid Content-Type");
  return check_metadata(request, MetadataKind::kObject, limits);
}

bool is_valid_text(std::string_view text, bool reserved) {
  return !text.empty() && is_utf8(text) && (reserved || text.find('\0') == std::string_view::npos);
}

std::optional<Response> check_reserved_names(std::string_view account, std::string_view container,
                                             std::string_view object) {
  if (is_mixed(account)) return refuse_page("Invalid reserved-namespace account");
  if (is_mixed(container)) return refuse_page("Invalid reserved-namespace container");
  if (object.empty() || account.starts_with('.') || account == kMisplacedObjects)
    return std::nullopt;
  if (is_mixed(object)) return refuse_page("Invalid reserved-namespace object");
  if (is_reserved(container) && !is_reserved(object))
    return refuse_page("Invalid user-namespace object in reserved-namespace container");
  if (is_reserved(object) && !is_reserved(container))
    return refuse_page("Invalid reserved-namespace object in user-namespace container");
  return std::nullopt;
}

std::optional<std::string> reserved_name(std::initializer_list<std::string_view> pieces) {
  std::string out;
  for (const std::string_view piece : pieces) {
    if (piece.find('\0') != std::string_view::npos) return std::nullopt;
    out.append(1, '\0').append(piece);
  }
  return out;
}

std::optional<std::vector<std::string>> split_reserved_name(std::string_view name) {
  if (!name.starts_with('\0')) return std::nullopt;
  std::vector<std::string> out;
  while (!name.empty()) {
    name.remove_prefix(1);
    const std::size_t end = std::min(name.find('\0'), name.size());
    out.emplace_back(name.substr(0, end));
    name.remove_prefix(end);
  }
  return out;
}

std::optional<Response> check_name_format(std::string_view name, std::string_view target) {
  const char* wrong = nullptr;
  if (name.empty()) wrong = " name cannot be empty";
  if (name.find('/') != std::string_view::npos) wrong = " name cannot contain slashes";
  if (wrong == nullptr) return std::nullopt;
  return Response(412, std::string(target) + wrong, "text/html; charset=UTF-8");
}

bool is_valid_api_version(std::string_view version, const Constraints& limits) {
  return std::find(limits.valid_api_versions.begin(), limits.valid_api_versions.end(), version) !=
         limits.valid_api_versions.end();
}

std::int64_t max_account_name(std::string_view account, const Constraints& limits) {
  return limits.max_account_name_length * factor(account, limits);
}

std::int64_t max_container_name(std::string_view account, const Constraints& limits) {
  return limits.max_container_name_length * factor(account, limits);
}

std::int64_t text_length(std::string_view text) {
  if (!is_utf8(text)) return size_of(text);
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

}  // namespace apus
