// What account and container servers share on top of brokers.
#pragma once

#include <apus/host.h>
#include <apus/message.h>

#include <string>

#include "framework/backend/backend.h"
#include "framework/store/db/broker.h"
#include "framework/store/db/listing.h"

namespace apus {

/// Devices, connections and services of one database server.
class APUS_API DatabaseServer {
 public:
  DatabaseServer(Host& host, const Options& options, std::string directory);

  [[nodiscard]] BrokerServices services() const;
  /// Where the account's or container's database lies; nothing sets `refusal` (507).
  [[nodiscard]] std::optional<DatabasePlace> place(const Request& request, const BackendPath& path,
                                                   Response& refusal) const;
  /// Runs a handler; what a damaged or unreachable database throws becomes a logged 500.
  [[nodiscard]] Response guard(const Request& request,
                               const std::function<Response()>& handler) const;

  Host& host;
  Logger& log;

 private:
  Devices devices_;
  std::string directory_;
  mutable DatabasePool connections_;
};

/// Fields that a database keeps as metadata: X-KIND-Meta-*, sysmeta, and `also`.
APUS_API Headers kept_fields(const Request& request, std::string_view kind,
                             std::span<const std::string_view> also);
/// Puts stored metadata into an answer: sysmeta into internal, the rest into headers; empty values
/// left out.
APUS_API void show_metadata(Response& response, const DatabaseMetadata& metadata);
/// Reads the listing parameters; nothing sets `refusal` (400, 412).
APUS_API std::optional<ListingQuery> listing_query(const Request& request, std::int64_t max_limit,
                                                   Response& refusal);
/// Puts a listing's text into an answer that has its other headers: 204 for an empty plain one.
APUS_API void answer_listing(const Request& request, Response& response, ListingKind kind,
                             ListingFormat format, std::string_view owner,
                             const std::vector<ListingEntry>& entries);

}  // namespace apus
