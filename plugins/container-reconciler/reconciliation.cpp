#include "plugins/container-reconciler/reconciliation.h"

#include <apus/ring.h>
#include <apus/text.h>

#include <algorithm>
#include <exception>

#include "framework/conf/served_policy.h"

namespace apus {
namespace {

using enum LogLevel;

constexpr const char* kPolicy = "X-Backend-Storage-Policy-Index";

// The same moment, so many rewrites later.
Timestamp later(const Timestamp& time, std::uint64_t offset) {
  return Timestamp::from_raw(time.raw(), time.offset() + offset);
}

std::string seconds_of(const Timestamp& time) { return "(" + std::to_string(time.seconds()) + ")"; }

std::string url_of(const MisplacedObject& object) { return "/v1" + object.path(); }

Timestamp age_of(const Response& response) {
  return Timestamp::parse(response.internal.get("X-Backend-Timestamp", "0")).value_or(Timestamp());
}

// What a PUT repeats of what a GET said: all that is the object's own.
Headers repeated_fields(const Response& response) {
  Headers out;
  for (const auto& [name, value] : response.headers) out.set(name, value);
  for (const auto& [name, value] : response.internal) {
    if (!starts_with_name(name, "X-Backend-")) out.set(name, value);
  }
  return out;
}

}  // namespace

struct Reconciliation::Source {
  int status = 0;  ///< 0 = no answer came
  Timestamp timestamp;
  Response response;
};

bool Reconciliation::reconcile(const MisplacedObject& object, const std::stop_token& stop) {
  const std::string what = python_repr(object.path()) + " " + seconds_of(object.timestamp) +
                           " in policy_index " + std::to_string(object.policy);
  log_.debug("checking placement for " + what);
  bool done = false;
  try {
    done = settle(object, stop);
  } catch (const std::exception& error) {
    log_.error("Unhandled Exception trying to reconcile " + what + ": " + error.what());
  }
  count(kInfo, done ? "success" : "retry",
        what + (done ? " was handled successfully" : " must be retried"));
  tally_.report(false);
  return done;
}

bool Reconciliation::settle(const MisplacedObject& object, const std::stop_token& stop) {
  const std::string what = python_repr(object.path()) + " " + seconds_of(object.timestamp);
  const auto target = policies_.policy_of(object.account, object.container);
  if (!target) {
    count(kDebug, "unavailable_container",
          what + " unable to determine the destination policy_index");
    return false;
  }
  if (*target == object.policy) {
    count(kDebug, "noop_object",
          what + " container policy_index " + std::to_string(*target) +
              " matches queue policy index " + std::to_string(object.policy));
    return true;
  }
  if (!can_move(object.policy, "Source") || !can_move(*target, "Container")) return false;
  return move({object, *target, what, stop});
}

// Not while partitions of the policy are split: files would be where nobody looks for them.
bool Reconciliation::can_move(std::int64_t policy, const char* role) {
  const StoragePolicy* known = host_.swift_conf().policy(static_cast<int>(policy));
  const std::string name = std::string(role) + " policy (" + std::to_string(policy) + ")";
  if (known == nullptr) {
    count(kDebug, "ppi_skip", name + " is not in swift.conf");
    return false;
  }
  if (const std::string why = not_served(*known); !why.empty()) {
    count(kWarning, "ppi_skip", name + ": " + why);
    return false;
  }
  if (host_.rings().object(known->index)->next_part_power()) {
    count(kDebug, "ppi_skip", name + " in the middle of a part power increase (PPI)");
    return false;
  }
  return true;
}

bool Reconciliation::move(const Move& move) {
  const MisplacedObject& object = move.object;
  const std::string target = std::to_string(move.target);
  log_.debug("checking for " + move.what + " in destination policy_index " + target);
  Timestamp there;
  try {
    there =
        age_of(client_.open("HEAD", url_of(object), {2, 4}, {{kPolicy, target}}, {}, move.stop));
  } catch (const UnexpectedAnswer&) {
    count(kDebug, "unavailable_destination",
          move.what + " unable to determine the destination timestamp, if any");
    return false;
  }
  if (there >= object.timestamp) {
    count(kDebug, "found_object",
          python_repr(object.path()) + " " + seconds_of(there) + " in policy_index " + target +
              " is newer than queue " + seconds_of(object.timestamp));
    return clean_up(move);
  }
  count(kDebug, "misplaced_object",
        move.what + " in policy_index " + std::to_string(object.policy) +
            " should be in policy_index " + target);
  Source source = find_source(move);
  if (source.status == 404 && object.deleted) return copy_deletion(move, source.timestamp);
  return copy(move, std::move(source));
}

Reconciliation::Source Reconciliation::find_source(const Move& move) const {
  const std::string policy = std::to_string(move.object.policy);
  log_.debug("fetching " + move.what + " from storage policy " + policy);
  Source out;
  try {
    out.response =
        client_.open("GET", url_of(move.object), {2, 4}, {{kPolicy, policy}}, {}, move.stop);
    out.status = out.response.status;
    out.timestamp = age_of(out.response);
  } catch (const UnexpectedAnswer& error) {
    out.status = error.status();
  }
  return out;
}

bool Reconciliation::copy(const Move& move, Source source) {
  const MisplacedObject& object = move.object;
  const std::string from = std::to_string(object.policy);
  const std::string name = python_repr(object.path());
  if (source.status / 100 != 2 || source.timestamp < object.timestamp) {
    const std::string missed = name + " (" + object.timestamp.internal() + ")";
    if (object.timestamp.seconds() < host_.clock().now() - reclaim_age_) {
      count(kCritical, "lost_source",
            missed + " was not available in policy_index " + from + " and has expired");
      return true;
    }
    count(kWarning, "unavailable_source",
          missed + " in policy_index " + from + " responded " + std::to_string(source.status) +
              " (" + source.timestamp.internal() + ")");
    return false;
  }
  const Timestamp put = later(std::max(source.timestamp, object.timestamp), 2);
  const std::string found = name + " " + seconds_of(source.timestamp);
  const std::string to = " to policy_index " + std::to_string(move.target);
  count(kDebug, "copy_attempt",
        found + " in policy_index " + from + " will be moved" + to + " (" + put.internal() + ")");
  Headers fields = repeated_fields(source.response);
  fields.set(kPolicy, std::to_string(move.target));
  fields.set("X-Timestamp", put.internal());
  try {
    client_.upload(url_of(object), std::move(source.response.body), source.response.content_length,
                   fields);
  } catch (const UnexpectedAnswer& error) {
    count(kWarning, "copy_failed",
          "upload " + found + " from policy_index " + from + to + " returned " + error.what());
    return false;
  }
  count(kDebug, "copy_success",
        found + " moved from policy_index " + from + to + " (" + put.internal() + ")");
  return clean_up(move);
}

bool Reconciliation::copy_deletion(const Move& move, const Timestamp& found) {
  const MisplacedObject& object = move.object;
  const Timestamp when = later(object.timestamp, 2);
  const std::string target = std::to_string(move.target);
  const std::string name = python_repr(object.path()) + " " + seconds_of(found);
  const std::string where = " from policy_index " + target + " (" + when.internal() + ")";
  count(kDebug, "delete_attempt",
        name + " in policy_index " + std::to_string(object.policy) + " will be deleted" + where);
  try {
    client_.ask("DELETE", url_of(object), {2, 404},
                {{kPolicy, target}, {"X-Timestamp", when.internal()}}, {}, move.stop);
  } catch (const UnexpectedAnswer& error) {
    count(kWarning, "delete_failed", "delete " + name + where + " returned " + error.what());
    return false;
  }
  count(kInfo, "delete_success", name + " deleted" + where);
  return clean_up(move);
}

bool Reconciliation::clean_up(const Move& move) {
  const MisplacedObject& object = move.object;
  const Timestamp when = later(object.timestamp, 1);
  const std::string from = std::to_string(object.policy);
  count(kDebug, "cleanup_attempt",
        move.what + " from policy_index " + from + " (" + when.internal() + ") will be deleted");
  try {
    client_.ask("DELETE", url_of(object), {2, 404},
                {{kPolicy, from}, {"X-Timestamp", when.internal()}}, {}, move.stop);
  } catch (const UnexpectedAnswer& error) {
    count(kDebug, "cleanup_failed",
          move.what + " was not cleaned up in storage_policy " + from + " (" + error.what() + ")");
    return false;
  }
  count(kDebug, "cleanup_success",
        move.what + " was successfully removed from policy_index " + from);
  return true;
}

}  // namespace apus
