// What versioning changes of accounts and containers: switching it on, listings that show versions
// or count their bytes, and containers that go with their hidden one.
#pragma once

#include <apus/app.h>
#include <apus/json.h>
#include <apus/swift_conf.h>

#include <optional>
#include <string>

namespace apus::versioned_writes {

/// `conf` and `next` outlive it.
class VersionListings {
 public:
  VersionListings(const SwiftConf& conf, const App& next) : conf_(conf), next_(next) {}

  Response account(Request& request, const ApiPath& path) const;
  Response container(Request& request, const ApiPath& path) const;

 private:
  Response enable(Request& request, const ApiPath& path) const;
  Response remove(Request& request, const ApiPath& path) const;
  Response show(Request& request, const ApiPath& path) const;
  Response list_versions(Request& request, const ApiPath& path, const std::string& hidden,
                         Json::Array current, Response answer) const;

  const SwiftConf& conf_;
  const App& next_;
};

}  // namespace apus::versioned_writes
