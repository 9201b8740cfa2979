// Questions to the Domain Name System.
#pragma once

#include <apus/abi.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

struct Nameserver {
  std::string ip;  ///< v4, or v6 without brackets
  int port = 53;
};

struct CnameAnswer {
  enum class Kind {
    kFound,
    kNone,    ///< the name is not there, or has no alias
    kFailed,  ///< no server gave an answer that can be used
  };
  Kind kind = Kind::kFailed;
  std::string name;  ///< without the final dot
  std::chrono::seconds ttl{0};
};

/// Thread-safe; every call asks anew and blocks its thread for some seconds at most.
class APUS_API Resolver {
 public:
  Resolver() = default;
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  virtual ~Resolver();
  /// The name that `domain` is an alias of.
  virtual CnameAnswer cname(const std::string& domain) = 0;
};

/// Asks `servers` in turn (the first three), or those of /etc/resolv.conf when there are none.
/// Throws std::runtime_error when an address is no IP.
APUS_API std::unique_ptr<Resolver> make_resolver(const std::vector<Nameserver>& servers);

/// Takes an answer from the wire apart: the first CNAME record for `domain`. For tests and fuzzing.
APUS_API CnameAnswer parse_cname_answer(std::string_view message);

}  // namespace apus
