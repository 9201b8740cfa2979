// The folder of `apus up`: confs, rings, secrets and devices, made when absent and then a
// deployer's own.
#pragma once

#include <apus/host.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// One `--user ACCOUNT:USER:KEY[:GROUP]...`.
struct UserSpec {
  std::string account;
  std::string user;
  std::string key;
  std::vector<std::string> groups;  ///< ".admin" when none were given

  /// Throws std::invalid_argument with a line for the person who typed it.
  static UserSpec parse(std::string_view text);
};

/// What `apus up` was asked for. Nothing = not said.
struct UpRequest {
  std::filesystem::path folder;
  std::optional<std::string> bind_ip;
  std::optional<int> bind_port;
  std::vector<std::string> devices;  ///< one number, or paths of folders
  std::optional<int> replicas;
  std::vector<std::string> policies;
  std::vector<UserSpec> users;
};

/// A data folder that is ready to serve. Holds the lock on it as long as it lives.
class DataFolder {
 public:
  /// Makes what is missing and applies what was asked. A half-made folder of an earlier crash is
  /// made again. Throws std::invalid_argument (the request does not fit the folder) or
  /// std::system_error.
  DataFolder(const UpRequest& request, Entropy& entropy);
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;
  ~DataFolder();

  [[nodiscard]] const std::filesystem::path& conf_folder() const { return confs_; }
  /// The user whose key is printed: the first asked for, else the one made at the first start.
  [[nodiscard]] const UserSpec& user() const { return user_; }

 private:
  void create(const UpRequest& request, Entropy& entropy);
  void apply(const UpRequest& request);

  std::filesystem::path root_;
  std::filesystem::path confs_;
  UserSpec user_;
  int lock_ = -1;
};

}  // namespace apus
