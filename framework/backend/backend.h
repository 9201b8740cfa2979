// What account, container and object servers share: paths, facts of a request, devices, error
// answers.
#pragma once

#include <apus/host.h>
#include <apus/message.h>
#include <apus/transport.h>

#include <optional>
#include <string>
#include <string_view>

namespace apus {

/// "/DEVICE/PARTITION/ACCOUNT[/CONTAINER[/OBJECT]]", decoded. Views into the request's path.
struct BackendPath {
  std::string_view device;
  std::string_view partition;
  std::string_view account;
  std::string_view container;
  std::string_view object;
};

/// Nothing unless there are `least` to `most` pieces (2 to 5), none empty, no "." or ".." as device
/// or partition. The fifth piece takes all that is left; a single '/' may end the others.
APUS_API std::optional<BackendPath> split_backend_path(std::string_view path, int least, int most);
/// Swift's 400 for a path that split_backend_path refused.
APUS_API Response invalid_path(const Request& request, int least, int most);

/// Swift's 400 for reserved names that do not fit together. Accounts that servers make for
/// themselves hold objects of any name.
APUS_API std::optional<Response> check_internal_names(const BackendPath& path);

/// A field that one server tells another: from Request::internal, else (for names that are not
/// internal, as X-Timestamp) from the wire's headers.
APUS_API std::string_view fact(const Request& request, std::string_view name);

/// X-Timestamp. Nothing sets `refusal` to Swift's 400.
APUS_API std::optional<Timestamp> request_timestamp(const Request& request, Response& refusal);

/// X-Backend-Storage-Policy-Index, 0 when absent. Nothing sets `refusal` to a 503: it is no known
/// policy, or one that is not served.
APUS_API std::optional<int> request_policy(const Request& request, const SwiftConf& conf,
                                           Response& refusal);

/// "IP:PORT" or "[IP]:PORT"; nothing when there is no port or it is past 65535.
APUS_API std::optional<Endpoint> parse_endpoint(std::string_view text);

/// The devices of one server. Immutable.
class APUS_API Devices {
 public:
  Devices(std::string root, bool mount_check);
  /// Where the device's folder is, or would be: nothing is looked at.
  [[nodiscard]] std::string path(std::string_view device) const {
    return root_ + "/" + std::string(device);
  }
  /// The device's folder; empty when there is none, or it is not mounted and must be.
  [[nodiscard]] std::string folder(std::string_view device) const;
  [[nodiscard]] bool usable(std::string_view device) const { return !folder(device).empty(); }

 private:
  std::string root_;
  bool mount_check_;
};

/// 507 that names the device.
APUS_API Response insufficient_storage(const Request& request, std::string_view device);
/// 400 with a text; its length alone for HEAD.
APUS_API Response bad_request(const Request& request, std::string text,
                              std::string_view content_type = "text/plain");
inline constexpr std::string_view kHtmlPage = "text/html; charset=UTF-8";
/// "bytes" or "N%" as fallocate_reserve writes it.
struct Reserve {
  std::uint64_t bytes = 0;
  double percent = 0;
};
APUS_API Reserve parse_reserve(std::string_view text);

}  // namespace apus
