// What account and container servers share on top of brokers.
#pragma once

#include <apus/host.h>
#include <apus/listing.h>
#include <apus/message.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "framework/backend/backend.h"
#include "framework/store/db/broker.h"
#include "framework/store/db/listing.h"

namespace apus {

/// Devices, connections and services of one database server.
class APUS_API DatabaseServer {
 public:
  /// `directory` is "accounts" or "containers"; `verbs` what the server answers, in order, without
  /// REPLICATE.
  DatabaseServer(Host& host, const Options& options, std::string directory,
                 std::vector<std::string> verbs);

  [[nodiscard]] BrokerServices services() const;
  /// False for a verb that the server has not, or not on this network (replication_server).
  [[nodiscard]] bool allows(std::string_view verb) const;
  /// "DELETE, GET, ...": every allowed verb.
  [[nodiscard]] const std::string& allowed() const { return allowed_; }
  [[nodiscard]] Response options() const;
  /// Where the account's or container's database lies; nothing sets `refusal` (507: not there, not
  /// mounted, or, for verbs that write, no space above fallocate_reserve).
  [[nodiscard]] std::optional<DatabasePlace> place(const Request& request, const BackendPath& path,
                                                   Response& refusal) const;
  /// The same by the 32 hex digits that REPLICATE names.
  [[nodiscard]] std::optional<DatabasePlace> place_of_hash(const Request& request,
                                                           const BackendPath& path,
                                                           std::string hash,
                                                           Response& refusal) const;
  /// Runs a handler; what a damaged or unreachable database throws becomes a logged 500.
  [[nodiscard]] Response guard(const Request& request,
                               const std::function<Response()>& handler) const;

  Host& host;
  Logger& log;

 private:
  [[nodiscard]] bool has_space(const std::string& folder) const;

  Devices devices_;
  std::string directory_;
  std::vector<std::string> verbs_;
  std::string allowed_;
  Reserve reserve_;
  bool preallocate_;
  mutable DatabasePool connections_;
  mutable PendingRows pending_;
};

/// Fields that a database keeps as metadata: X-KIND-Meta-*, sysmeta, and `also`.
APUS_API Headers kept_fields(const Request& request, std::string_view kind,
                             std::span<const std::string_view> also);
/// Puts stored metadata into an answer: sysmeta into internal, the rest into headers; empty values
/// left out.
APUS_API void show_metadata(Response& response, const DatabaseMetadata& metadata);
/// "X-Name: MOMENT" in its normal form; what is no timestamp counts as 0.
APUS_API std::string normal_time(const std::string& text);
APUS_API std::string internal_time(const std::string& text);
/// Reads the listing parameters; nothing sets `refusal` (400, 412).
APUS_API std::optional<ListingQuery> listing_query(const Request& request, std::int64_t max_limit,
                                                   Response& refusal);
/// Puts a listing's text into an answer that has its other headers: 204 for an empty plain one.
APUS_API void answer_listing(const Request& request, Response& response, ListingFormat format,
                             std::string text);

}  // namespace apus
