// The object server: one object a request, on one device of this machine.
#pragma once

#include <apus/app.h>
#include <apus/plugin.h>

#include <set>
#include <string>
#include <vector>

#include "framework/backend/backend.h"
#include "framework/store/object/object_store.h"
#include "servers/object/container_update.h"

namespace apus {

/// Plugin `object`. PUT, POST, GET, HEAD, DELETE, OPTIONS of
/// /DEVICE/PARTITION/ACCOUNT/CONTAINER/OBJECT.
class ObjectApp final : public App {
 public:
  explicit ObjectApp(const PluginArgs& args);
  Response operator()(Request& request) const override;

 private:
  struct Target {
    BackendPath path;
    ObjectPlace place;
    int policy = 0;
  };

  Response put(Request& request, const Target& target) const;
  Response post(Request& request, const Target& target) const;
  Response get(Request& request, const Target& target) const;
  Response remove(Request& request, const Target& target) const;

  [[nodiscard]] std::optional<Target> locate(const Request& request, Response& refusal) const;
  /// The answer to a state in which no request can go on; else nothing.
  static std::optional<Response> unusable(const Request& request, const Target& target,
                                          const OpenObject& object);
  /// The answer to a write that failed with this errno.
  static Response unwritten(const Request& request, const Target& target, int error);
  /// Tells the container of the request about the object.
  void update_container(const Request& request, const Target& target, const char* method,
                        Headers row) const;
  /// Reads the body into the writer; 0 or the status that ends the request.
  int receive(Request& request, ObjectWriter& writer, std::string& md5) const;
  [[nodiscard]] bool is_kept(std::string_view name) const;
  void copy_kept_headers(const Request& request, ObjectMetadata& to, bool with_sysmeta) const;
  [[nodiscard]] std::unique_ptr<Source> body_of(OpenObject& object, const Target& target,
                                                bool whole, Response& damaged) const;
  void expiry_updates(const Request& request, const Target& target, std::string_view old_expiry,
                      std::string_view new_expiry, const Timestamp& timestamp) const;

  Host& host_;
  Logger& log_;
  Devices devices_;
  ObjectStore store_;
  ContainerUpdates updates_;
  std::vector<std::string> allowed_headers_;
  std::size_t chunk_ = 65536;
  double verify_percent_ = 100;
};

}  // namespace apus
