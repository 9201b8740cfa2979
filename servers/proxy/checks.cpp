#include "servers/proxy/checks.h"

#include <array>

namespace apus {
namespace {

Response refuse(const Request& request, std::string text) {
  if (request.method == "HEAD") return error_response(400, true);
  return Response(400, std::move(text));
}

struct Guess {
  std::string_view extension;
  std::string_view type;
};
// The common ones; everything else is application/octet-stream.
constexpr std::array kGuesses = {
    Guess{".txt", "text/plain"},        Guess{".html", "text/html"},
    Guess{".htm", "text/html"},         Guess{".css", "text/css"},
    Guess{".js", "text/javascript"},    Guess{".json", "application/json"},
    Guess{".xml", "text/xml"},          Guess{".png", "image/png"},
    Guess{".jpg", "image/jpeg"},        Guess{".jpeg", "image/jpeg"},
    Guess{".gif", "image/gif"},         Guess{".svg", "image/svg+xml"},
    Guess{".pdf", "application/pdf"},   Guess{".zip", "application/zip"},
    Guess{".tar", "application/x-tar"}, Guess{".mp3", "audio/mpeg"},
    Guess{".mp4", "video/mp4"},         Guess{".c", "text/x-csrc"},
    Guess{".h", "text/x-chdr"},         Guess{".py", "text/x-python"},
    Guess{".csv", "text/csv"},
};

std::string guess_type(std::string_view object) {
  const std::string name = lower(object);
  for (const Guess& guess : kGuesses) {
    if (name.ends_with(guess.extension)) return std::string(guess.type);
  }
  return "application/octet-stream";
}

}  // namespace

std::optional<Response> bad_metadata(const Request& request, std::string_view kind,
                                     const Constraints& limits) {
  const std::string prefix = "X-" + std::string(kind) + "-Meta-";
  std::int64_t count = 0;
  std::int64_t size = 0;
  for (const auto& [name, value] : request.headers) {
    if (static_cast<std::int64_t>(value.size()) > limits.max_header_size) {
      return refuse(request, "Header value too long: " + name.substr(0, 128));
    }
    if (!starts_with_name(name, prefix)) continue;
    const std::string_view key = std::string_view(name).substr(prefix.size());
    if (key.empty()) return refuse(request, "Metadata name cannot be empty");
    if (kind != "Object" && !is_utf8(value)) return refuse(request, "Metadata must be valid UTF-8");
    ++count;
    size += static_cast<std::int64_t>(key.size() + value.size());
    const std::string shown = lower(prefix) + std::string(key);
    if (static_cast<std::int64_t>(key.size()) > limits.max_meta_name_length) {
      return refuse(request, "Metadata name too long: " + shown);
    }
    if (static_cast<std::int64_t>(value.size()) > limits.max_meta_value_length) {
      return refuse(request, "Metadata value longer than " +
                                 std::to_string(limits.max_meta_value_length) + ": " + shown);
    }
  }
  if (count > limits.max_meta_count) {
    return refuse(request, "Too many metadata items; max " + std::to_string(limits.max_meta_count));
  }
  if (size > limits.max_meta_overall_size) {
    return refuse(request,
                  "Total metadata too large; max " + std::to_string(limits.max_meta_overall_size));
  }
  return std::nullopt;
}

std::optional<Response> bad_expiry(Request& request, std::int64_t now) {
  if (const std::string* after = request.headers.find("X-Delete-After")) {
    const auto seconds = parse_int(*after);
    if (!seconds) return refuse(request, "Non-integer X-Delete-After");
    if (*seconds <= 0) return refuse(request, "X-Delete-After in past");
    request.headers.set("X-Delete-At", std::to_string(now + *seconds));
    request.headers.erase("X-Delete-After");
  }
  if (const std::string* at = request.headers.find("X-Delete-At")) {
    const auto when = parse_int(*at);
    if (!when) return refuse(request, "Non-integer X-Delete-At");
    if (*when <= now) return refuse(request, "X-Delete-At in past");
    std::string digits = std::to_string(std::min<std::int64_t>(*when, 9999999999));
    digits.insert(0, 10 - std::min<std::size_t>(10, digits.size()), '0');
    request.headers.set("X-Delete-At", digits);
  }
  return std::nullopt;
}

std::optional<Response> bad_object(Request& request, std::string_view object,
                                   const Constraints& limits, std::int64_t now) {
  if (request.content_length &&
      static_cast<std::int64_t>(*request.content_length) > limits.max_file_size) {
    return Response(413, "Your request is too large.");
  }
  if (!request.content_length && !request.chunked)
    return Response(411, "Missing Content-Length header.");
  if (static_cast<std::int64_t>(object.size()) > limits.max_object_name_length) {
    return refuse(request, "Object name length of " + std::to_string(object.size()) +
                               " longer than " + std::to_string(limits.max_object_name_length));
  }
  const std::string_view type = request.headers.get("Content-Type");
  if (type.empty() || is_true(request.headers.get("X-Detect-Content-Type"))) {
    request.headers.set("Content-Type", guess_type(object));
  } else if (!is_utf8(type)) {
    return refuse(request, "Please specify content-type as UTF-8");
  }
  if (auto bad = bad_expiry(request, now)) return bad;
  return bad_metadata(request, "Object", limits);
}

}  // namespace apus
