// The object server: one object a request, on one device of this machine.
#pragma once

#include <apus/app.h>
#include <apus/conditional.h>
#include <apus/plugin.h>

#include <optional>
#include <string>
#include <vector>

#include "framework/backend/backend.h"
#include "framework/store/object/object_store.h"
#include "servers/object/container_update.h"
#include "servers/object/expirer_queue.h"
#include "servers/object/kept_headers.h"

namespace apus {

/// Plugin `object`. PUT, POST, GET, HEAD, DELETE of /DEVICE/PARTITION/ACCOUNT/CONTAINER/OBJECT,
/// REPLICATE of /DEVICE/PARTITION[/SUFFIX-SUFFIX...], OPTIONS. Each verb has a file of its own.
class ObjectApp final : public App {
 public:
  explicit ObjectApp(const PluginArgs& args);
  Response operator()(Request& request) const override;

 private:
  struct Target {
    BackendPath path;
    ObjectPlace place;  ///< `device` is empty when the device cannot be used
    int policy = 0;
    std::optional<int> next_part_power;
  };
  /// A PUT on its way: what one step leaves for the next.
  struct Put;

  Response put(Request& request, const Target& target) const;
  Response post(Request& request, const Target& target) const;
  Response get(Request& request, const Target& target) const;
  Response remove(Request& request, const Target& target) const;
  Response replicate(Request& request) const;

  Response dispatch(Request& request) const;
  [[nodiscard]] std::optional<Target> locate(const Request& request, Response& refusal) const;
  /// The answer to a state in which no request can go on; else nothing.
  static std::optional<Response> unusable(const Request& request, const Target& target,
                                          const OpenObject& object);
  /// The answer to a write that failed with this errno, which is logged.
  Response unwritten(const Request& request, const Target& target, int error) const;
  static Response conflict(const Request& request, const Timestamp& existing);
  /// Tells the container of the request about the object.
  void update_container(const Request& request, const Target& target, const char* method,
                        Headers row) const;
  /// The expirer's queue learns that `before` became `after`; 0 is no expiry.
  void update_expirer(const Request& request, const Target& target, std::int64_t before,
                      std::int64_t after, const Timestamp& timestamp) const;
  void log_request(const Request& request, const std::string& path, const Response& response,
                   double seconds) const;

  [[nodiscard]] std::optional<Response> prepare(Request& request, const Target& target,
                                                Put& put) const;
  [[nodiscard]] std::optional<Response> receive(Request& request, const Target& target, Put& put,
                                                ObjectWriter& writer) const;
  [[nodiscard]] std::optional<Response> store(Request& request, const Target& target, Put& put,
                                              ObjectWriter& writer) const;
  void tell(const Request& request, const Target& target, const Put& put) const;
  struct Reading;
  std::shared_ptr<const std::string> all_bytes(Reading& reading) const;
  std::unique_ptr<Source> open_part(Reading& reading, const ByteRange& part) const;
  void give_body(Request& request, const Target& target, OpenObject object, Response& out) const;
  [[nodiscard]] bool keeps_cache(const Request& request, const OpenObject& object) const;

  Host& host_;
  Logger& log_;
  Devices devices_;
  ObjectStore store_;
  KeptHeaders kept_;
  ContainerUpdates updates_;
  ExpirerQueue expirer_;
  std::size_t chunk_ = 65536;
  double verify_percent_ = 100;
  double max_upload_time_ = 86400;
  double slow_ = 0;
  bool log_requests_ = true;
  bool replication_ = true;
  /// What stays in the page cache when it was read.
  struct {
    std::uint64_t size;  ///< smaller objects
    bool of_tokens;
    bool manifests;
  } keep_cache_;
};

}  // namespace apus
