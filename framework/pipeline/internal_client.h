// What a daemon asks of its cluster: requests to a proxy of its own, made in this process from the
// pipeline of a conf (Swift's internal-client.conf).
#pragma once

#include <apus/app.h>
#include <apus/host.h>
#include <apus/json.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "framework/conf/ini_file.h"

namespace apus {

/// An answer that was not wanted, or none.
class APUS_API UnexpectedAnswer : public std::runtime_error {
 public:
  UnexpectedAnswer(int status, const std::string& what);
  ~UnexpectedAnswer() override;
  /// 0 = no answer came.
  [[nodiscard]] int status() const { return status_; }

 private:
  int status_;
};

/// Thread-safe. Its requests need no permission, reach reserved names, and are tried again when a
/// server failed: after 2 seconds, then after 4, 8 and so on.
class APUS_API InternalClient {
 public:
  struct Settings {
    std::string user_agent;            ///< "Swift Object Expirer"
    std::int64_t tries = 3;            ///< at least 1
    bool replication_network = false;  ///< back ends are asked at their replication addresses
    std::string log_name;              ///< of the pipeline's log lines; empty = as its conf says
  };

  /// Makes [pipeline:main] of `conf` as it stands there, adding no filter. Throws
  /// std::runtime_error with all that is wrong with it, a line each. `host` outlives this.
  InternalClient(Host& host, const std::filesystem::path& conf, Settings settings);
  /// The same of a conf that was read.
  InternalClient(Host& host, const ConfFile& conf, Settings settings);
  /// Over an app that exists. For tests.
  InternalClient(Host& host, std::unique_ptr<const App> app, Settings settings);
  InternalClient(const InternalClient&) = delete;
  InternalClient& operator=(const InternalClient&) = delete;
  ~InternalClient();

  struct Answer {
    int status = 0;
    Headers headers;
    std::string body;
    Headers internal;  ///< what servers tell each other
  };
  /// Statuses that are wanted; one below 10 is a class (2 = every 2xx).
  using Wanted = std::initializer_list<int>;

  /// `path` is decoded ("/v1/a/c/o"); fields with names of is_internal_name, and X-Timestamp, go to
  /// Request::internal. The whole answer is read, up to 64 MiB. Throws UnexpectedAnswer.
  Answer ask(const std::string& method, const std::string& path, Wanted wanted,
             const Headers& fields = {}, std::string_view query = {},
             const std::stop_token& stop = {}, const std::string& body = {}) const;

  /// As `ask` without a body of the request, for an answer whose body the caller reads; its
  /// `internal` fields are there too. This client outlives it.
  [[nodiscard]] Response open(const std::string& method, const std::string& path, Wanted wanted,
                              const Headers& fields = {}, std::string_view query = {},
                              const std::stop_token& stop = {}) const;

  /// PUT of a body that is read once, and so sent once: nothing is tried again. `length` nothing =
  /// unknown. Throws as `ask`.
  void upload(const std::string& path, std::unique_ptr<Source> body,
              std::optional<std::uint64_t> length, const Headers& fields) const;

  struct AccountNumbers {
    std::int64_t containers = 0;
    std::int64_t objects = 0;
  };
  /// Zeros for an account that is not there. Throws as `ask`.
  [[nodiscard]] AccountNumbers account_numbers(const std::string& account,
                                               const std::stop_token& stop = {}) const;

  /// Calls `visit` with each row of a listing ("/v1/a" or "/v1/a/c"), page after page, until it
  /// returns false. Nothing for a 404. Throws as `ask`.
  void list(const std::string& path, const std::function<bool(const Json& row)>& visit,
            const std::stop_token& stop = {}) const;

 private:
  struct Pipeline;
  /// Tries until an answer is wanted; `body` of the request, when it is not empty.
  [[nodiscard]] Response wanted_answer(const std::string& method, const std::string& path,
                                       Wanted wanted, const Headers& fields, std::string_view query,
                                       const std::stop_token& stop, const std::string& body,
                                       std::string* text) const;
  [[nodiscard]] Request request(const std::string& method, const std::string& path,
                                const Headers& fields, std::string_view query) const;

  Host& host_;
  std::unique_ptr<Pipeline> pipeline_;
  Settings settings_;
};

}  // namespace apus
