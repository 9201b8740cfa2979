// GET and HEAD: finds the node that has what is asked for.
#pragma once

#include <apus/message.h>
#include <apus/ring.h>

#include <memory>
#include <optional>
#include <string>

#include "servers/proxy/best_response.h"
#include "servers/proxy/node_iter.h"
#include "servers/proxy/services.h"

namespace apus {

struct ReadPlan {
  Place place;
  std::string_view type;  ///< "Account", "Container" or "Object"
  const PolicyConf& policy;
  Query query = {};
};

/// Asks node after node (or several, with concurrent_gets) until one has it. A value that may be
/// kept, to look for another node when a body breaks. `services` and the policy outlive it.
class Reader {
 public:
  /// An answer to go on with, and who gave it.
  struct Found {
    Response response;
    RingNode node;
  };

  /// `client` outlives it, or `outlive_client` is called before it goes.
  Reader(const Services& services, const Request& client, ReadPlan plan);

  /// Nothing: nobody had it; then `failure` tells the answer for the client.
  std::optional<Found> find();
  Response failure();
  /// As `find`, among the nodes not tried yet and of the same ETag, for another Range.
  std::optional<Found> find_rest(const std::string& range);

  /// Keeps what it needs of the client's request.
  void outlive_client();
  [[nodiscard]] bool resumable() const { return is_object_ && !newest_; }
  [[nodiscard]] const Request& request() const { return *client_; }
  [[nodiscard]] const Services& services() const { return *services_; }
  [[nodiscard]] std::string_view type() const { return plan_.type; }

 private:
  Call call_of(const RingDevice& device) const;
  void ask_in_turn();
  void ask_at_once(std::size_t concurrency);
  /// True when no more has to be asked.
  bool judge(const RingNode& node, Outcome outcome);
  bool fetch_small(const RingNode& node, Response& response);
  bool judge_good(const RingNode& node, Response response);
  void judge_bad(const RingNode& node, Response response);
  [[nodiscard]] bool is_good(const Response& response) const;

  const Services* services_;
  const Request* client_;
  std::unique_ptr<Request> own_;  // `client_`, once it is kept
  std::string range_;             // instead of the client's; empty = the client's
  ReadPlan plan_;
  NodeIter nodes_;
  bool is_object_;
  bool newest_;
  Deadlines deadlines_;
  std::int64_t suppressed_404s_;
  Timestamp latest_404_;
  std::string used_etag_;
  Answers answers_;
  std::optional<Found> best_;
};

/// The whole: the answer for the client, whose body goes on elsewhere when a node fails.
Response read_from(const Services& services, const Request& client, ReadPlan plan);

}  // namespace apus
