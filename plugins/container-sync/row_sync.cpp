#include "plugins/container-sync/row_sync.h"

#include <apus/text.h>

#include <chrono>
#include <exception>
#include <stdexcept>

namespace apus {
namespace {

constexpr const char* kVersionLink = "X-Object-Sysmeta-Versions-Symlink";

// What another cluster is told of an object: nothing that servers tell each other.
Headers told_fields(const Response& found) {
  Headers out = found.headers;
  for (const char* name : {"Date", "Last-Modified", "Accept-Ranges", "X-Trans-Id",
                           "X-Openstack-Request-Id", "Connection"})
    out.erase(name);
  return out;
}

}  // namespace

bool RowSync::sync(const Json& row) {
  const Clock::Steady begin = host_.clock().steady();
  const auto timing = [&](const char* name) {
    const std::chrono::duration<double, std::milli> taken = host_.clock().steady() - begin;
    host_.metrics().timing(name, taken.count());
  };
  const std::string name = row.text_at("name");
  try {
    const auto times = decode_timestamps(row.text_at("created_at"));
    if (!times) throw std::runtime_error("its created_at is no timestamp");
    if (row.integer_at("deleted") != 0) {
      remove(name, times->data);
      ++report_.deletes;
      ++stats_.deletes;
      host_.metrics().increment("deletes");
      timing("deletes.timing");
    } else if (put(name, times->meta)) {
      ++report_.puts;
      ++stats_.puts;
      stats_.bytes += row.integer_at("size");
      host_.metrics().increment("puts");
      timing("puts.timing");
    }
    return true;
  } catch (const Refused& refused) {
    const std::string from = python_repr(quote(stat_.account) + "/" + quote(stat_.container));
    const std::string to = python_repr(remote_.url());
    if (refused.status == 401) {
      log_.info("Unauth " + from + " => " + to);
    } else if (refused.status == 404) {
      log_.info("Not found " + from + " => " + to + " - object " + python_repr(name));
    } else {
      return fail(row, "the remote container answered " + std::to_string(refused.status));
    }
    return fail(row, "");
  } catch (const std::exception& error) {
    return fail(row, error.what());
  }
}

bool RowSync::fail(const Json& row, const std::string& why) {
  if (!why.empty()) {
    log_.error("ERROR Syncing " + stat_.account + "/" + stat_.container + " " +
               python_repr(row.text_at("name")) + " (row " +
               std::to_string(row.integer_at("ROWID")) + "): " + why);
  }
  ++report_.failures;
  host_.metrics().increment("failures");
  return false;
}

void RowSync::remove(const std::string& name, const Timestamp& when) {
  const int status = remote_.remove(name, when);
  if (status / 100 != 2 && status != 404 && status != 409) throw Refused{status};
}

// False when there was nothing to send.
bool RowSync::put(const std::string& name, const Timestamp& when) {
  const auto there = remote_.look_at(name, when);
  if (there.status / 100 == 2 && when <= there.timestamp) return false;
  if (there.status / 100 != 2 && there.status != 404) throw Refused{there.status};
  // A link stays a link, where the client's pipeline knows them.
  Response found = client_.open(
      "GET", "/v1/" + stat_.account + "/" + stat_.container + "/" + name, {2, 4},
      {{"X-Newest", "True"}, {"X-Backend-Storage-Policy-Index", std::to_string(stat_.policy)}},
      "symlink=get", stop_);
  if (found.internal.has(kVersionLink)) {
    log_.info("Skipping versioning symlink " + stat_.account + "/" + stat_.container + "/" + name);
    return false;
  }
  const auto age = Timestamp::parse(found.headers.get("X-Timestamp", "0")).value_or(Timestamp());
  if (!found.is_success() || age < when) {
    throw std::runtime_error("the object was not found as the row has it: status " +
                             std::to_string(found.status) + ", of " + age.internal());
  }
  if (!found.content_length) throw std::runtime_error("the object's length is not known");
  StringSource nothing("");
  Source& body = found.body ? *found.body : nothing;
  const int status = remote_.put(name, told_fields(found), body, *found.content_length);
  if (status / 100 != 2) throw Refused{status};
  return true;
}

}  // namespace apus
