// Versioned writes of the first kind: a container names another, into which what is overwritten or
// deleted is copied before.
#pragma once

#include <apus/plugin.h>

#include <optional>
#include <string>

namespace apus::versioned_writes {

class LegacyVersions final : public Filter {
 public:
  LegacyVersions(const PluginArgs& args, std::unique_ptr<const App> next);
  Response operator()(Request& request) const override;

 private:
  struct Place;
  class VersionPages;

  Response container(Request& request) const;
  Response object(Request& request, const ApiPath& path) const;
  std::optional<Response> keep_current(Request& request, const Place& place) const;
  Response put(Request& request, const Place& place) const;
  Response push_delete(Request& request, const Place& place) const;
  Response pop_delete(Request& request, const Place& place) const;
  std::optional<Response> restore(Request& request, const std::string& from) const;
  std::optional<Response> restore_older(Request& request, const Place& place,
                                        VersionPages& pages) const;
  Response remove(const Request& request, const std::string& path) const;

  Host& host_;
  std::optional<bool> allowed_;  ///< nothing: only what a container's old metadata asks for
  std::uint64_t max_file_size_;
};

}  // namespace apus::versioned_writes
