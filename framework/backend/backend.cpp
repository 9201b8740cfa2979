#include "framework/backend/backend.h"

#include <apus/constraints.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "framework/conf/served_policy.h"

namespace apus {
namespace {

bool is_folder(const std::string& path, struct stat& info) {
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

namespace {

bool is_component(std::string_view piece) {
  return !piece.empty() && piece != "." && piece != ".." &&
         piece.find('/') == std::string_view::npos;
}

}  // namespace

std::optional<BackendPath> split_backend_path(std::string_view path, int least, int most) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  std::array<std::string_view, 5> pieces;
  int count = 0;
  while (count < most && !path.empty()) {
    const bool takes_rest = count == 4;  // an object's name
    const std::size_t end = takes_rest ? path.size() : std::min(path.find('/'), path.size());
    if (end == 0) return std::nullopt;
    pieces.at(static_cast<std::size_t>(count++)) = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  if (count < least || !path.empty() || !is_component(pieces[0]) || !is_component(pieces[1]))
    return std::nullopt;
  return BackendPath{pieces[0], pieces[1], pieces[2], pieces[3], pieces[4]};
}

Response invalid_path(const Request& request, int least, int most) {
  std::string_view path = request.path;
  std::array<std::string_view, 2> pieces;
  for (std::string_view& piece : pieces) {
    if (path.empty()) break;
    path.remove_prefix(1);
    piece = path.substr(0, path.find('/'));
    path.remove_prefix(piece.size());
  }
  // What only the device or the partition makes invalid is told so.
  const std::string good = "/d/p" + std::string(path);
  if (split_backend_path(good, least, most)) {
    if (!is_component(pieces[0]))
      return bad_request(request, "Invalid device: " + quote(pieces[0], ""));
    return bad_request(request, "Invalid partition: " + quote(pieces[1], ""));
  }
  return bad_request(request, "Invalid path: " + quote(request.path));
}

std::optional<Response> check_internal_names(const BackendPath& path) {
  const bool any_object = path.account.starts_with('.');
  return check_reserved_names(path.account, path.container,
                              any_object ? std::string_view() : path.object);
}

std::string_view fact(const Request& request, std::string_view name) {
  if (const std::string* value = request.internal.find(name)) return *value;
  if (is_internal_name(name)) return {};
  return request.headers.get(name);
}

std::optional<Timestamp> request_timestamp(const Request& request, Response& refusal) {
  const std::string_view text = fact(request, "X-Timestamp");
  const auto out = Timestamp::parse(text);
  if (!out)
    refusal = bad_request(
        request, text.empty() ? "Missing X-Timestamp header" : "Invalid X-Timestamp header");
  return out;
}

std::optional<int> request_policy(const Request& request, const SwiftConf& conf,
                                  Response& refusal) {
  const std::string text(fact(request, "X-Backend-Storage-Policy-Index"));
  const auto index = text.empty() ? 0 : parse_int(text);
  const bool fits = index && *index >= 0 && *index <= std::numeric_limits<int>::max();
  const StoragePolicy* policy = fits ? conf.policy(static_cast<int>(*index)) : nullptr;
  const std::string why = policy == nullptr ? "No policy with index " + text : not_served(*policy);
  if (why.empty()) return policy->index;
  refusal = Response(503, why);
  return std::nullopt;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_digits(text.substr(colon + 1));
  if (!port || *port > 65535) return std::nullopt;
  std::string_view ip = text.substr(0, colon);
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  return Endpoint{std::string(ip), static_cast<int>(*port)};
}

Devices::Devices(std::string root, bool mount_check)
    : root_(std::move(root)), mount_check_(mount_check) {}

std::string Devices::folder(std::string_view device) const {
  std::string path = this->path(device);
  struct stat info {};
  if (!is_folder(path, info)) return "";
  if (!mount_check_) return path;
  struct stat parent {};
  if (!is_folder(path + "/..", parent)) return "";
  return info.st_dev != parent.st_dev || info.st_ino == parent.st_ino ? path : "";
}

Response insufficient_storage(const Request& request, std::string_view device) {
  if (request.method == "HEAD") return error_response(507, true);
  return Response(507,
                  "<html><h1>Insufficient Storage</h1><p>There was not enough space to save the "
                  "resource. Drive: " +
                      std::string(device) + "</p></html>",
                  "text/html; charset=UTF-8");
}

Response bad_request(const Request& request, std::string text, std::string_view content_type) {
  Response out(400, std::move(text), content_type);
  if (request.method == "HEAD") out.body.reset();
  return out;
}

Reserve parse_reserve(std::string_view text) {
  Reserve out;
  text = trim(text);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr double kAllBytes = 9.2e18;  // no device is larger, and it fits the type
  if (text.ends_with('%')) {
    out.percent = value;
  } else if (value > 0) {
    out.bytes = static_cast<std::uint64_t>(std::min(value, kAllBytes));
  }
  return out;
}

}  // namespace apus
