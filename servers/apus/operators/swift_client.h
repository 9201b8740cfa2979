// A client of a cluster's proxy, and of its back ends one by one, for tools.
#pragma once

#include <apus/headers.h>
#include <apus/ring.h>
#include <apus/web_client.h>

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace apus {

using ConfMap = std::map<std::string, std::string, std::less<>>;

/// An answer that is no success, after all attempts.
class ClientError : public std::runtime_error {
 public:
  ClientError(int status, const std::string& what) : std::runtime_error(what), status_(status) {}
  [[nodiscard]] int status() const { return status_; }

 private:
  int status_;
};

/// An account and the right to use it.
struct Login {
  std::string url;    ///< of the account
  std::string token;  ///< may be empty
};

/// With auth_url, auth_user, auth_key and auth_version of a conf: "1.0" (as tempauth) or "3"
/// (Keystone, with project_name, project_domain_name, user_domain_name, endpoint_type and
/// region_name). Throws std::runtime_error.
Login log_in(const ConfMap& conf, bool insecure);

/// The same from what Keystone answered: the catalog's object-store endpoint of that interface
/// ("public") and region (empty = any). Throws std::runtime_error.
std::string endpoint_of(std::string_view answer, const std::string& interface,
                        const std::string& region);

struct Attempts {
  int retries = 5;  ///< after the first
  std::chrono::seconds first_pause{1};
  std::chrono::seconds longest_pause{5};
};

/// Requests under an account's URL. Thread-safe.
class SwiftClient {
 public:
  SwiftClient(Login login, Attempts attempts, bool insecure = false)
      : login_(std::move(login)), attempts_(attempts), insecure_(insecure) {}

  /// The account's name.
  [[nodiscard]] std::string account() const { return login_.url.substr(login_.url.rfind('/') + 1); }
  /// Returns how many attempts it took. 4xx is not tried again; 5xx and broken connections are.
  /// Throws ClientError or TransportError.
  int put(const std::string& container, const std::string& object, Headers headers,
          const std::string& body) const;
  /// All names that begin so, of the account's containers or a container's objects.
  [[nodiscard]] std::vector<std::string> names(const std::string& container,
                                               const std::string& prefix) const;

 private:
  WebAnswer request(WebRequest request, int& attempts) const;

  Login login_;
  Attempts attempts_;
  bool insecure_;
};

/// "http://IP:PORT/DEVICE/PARTITION/PATH" of a back end; the path's pieces are decoded text.
std::string backend_url(const RingDevice& device, std::uint32_t partition, const std::string& path);

}  // namespace apus
