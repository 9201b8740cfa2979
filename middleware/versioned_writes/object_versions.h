// Object versioning: every PUT lands in a hidden container, and the object's own name is a link to
// the newest of them.
#pragma once

#include <apus/account_info.h>
#include <apus/plugin.h>

#include <memory>
#include <optional>
#include <string>

#include "middleware/versioned_writes/version_listings.h"

namespace apus::versioned_writes {

class ObjectVersions final : public Filter {
 public:
  ObjectVersions(const PluginArgs& args, std::unique_ptr<const App> next);
  Response operator()(Request& request) const override;

 private:
  struct Place;

  Response object(Request& request, const ApiPath& path) const;

  // Requests without a version: the current object.
  Response current(Request& request, const Place& place) const;
  Response put(Request& request, const Place& place) const;
  Response remove(Request& request, const Place& place) const;
  Response post(Request& request, const Place& place) const;
  static void name_version(Response& response, const Place& place);

  // Requests with ?version-id=.
  Response versioned(Request& request, const Place& place, const std::string& id) const;
  Response read_version(Request& request, const Place& place, const Timestamp& version) const;
  Response read_null(Request& request) const;
  Response remove_version(Request& request, const Place& place, const Timestamp& version) const;
  Response promote_version(Request& request, const Place& place, const Timestamp& version) const;

  std::optional<Response> keep_current(Request& request, const Place& place) const;
  Response link_to(Request& request, const Place& place, const Timestamp& version,
                   const std::string& etag, const std::string& bytes,
                   const std::string& content_type) const;

  Host& host_;
  std::uint64_t max_file_size_;
  VersionListings listings_;
};

}  // namespace apus::versioned_writes
