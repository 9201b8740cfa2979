// GET and HEAD.
#include <apus/conditional.h>

#include "servers/object/object_app.h"
#include "servers/object/object_body.h"

namespace apus {
namespace {

// Up to here a body is read and checked before its head goes out.
constexpr std::size_t kSmall = 65536;

// The value that conditions are held against: the first of the named fields that the object has.
std::string conditional_etag(const Request& request, const ObjectMetadata& metadata) {
  for (const std::string& name : split_list(fact(request, "X-Backend-Etag-Is-At"))) {
    if (const std::string* value = metadata.find(name)) return *value;
  }
  return std::string(metadata.get("ETag"));
}

void drop_range_where_told(Request& request, const ObjectMetadata& metadata) {
  if (request.method == "HEAD") return;
  for (const std::string& name :
       split_list(fact(request, "X-Backend-Ignore-Range-If-Metadata-Present"))) {
    if (metadata.has(name)) request.headers.erase("Range");
  }
}

}  // namespace

Response ObjectApp::get(Request& request, const Target& target) const {
  const bool head = request.method == "HEAD";
  Timestamp now = host_.clock().timestamp();
  if (!fact(request, "X-Timestamp").empty()) {
    Response refusal;
    const auto asked = request_timestamp(request, refusal);
    if (!asked) return refusal;
    now = *asked;
  }
  const bool any_age = is_true(fact(request, "X-Backend-Replication")) ||
                       is_true(fact(request, "X-Backend-Open-Expired"));
  const Opening opening = head ? Opening::kFields : Opening::kBytes;
  // An object whose files are seen to be as they were lies on a device that is there.
  auto seen = store_.open_known(target.place, now, any_age, opening);
  if (!seen && !devices_.usable(target.path.device))
    return insufficient_storage(request, target.path.device);
  OpenObject object = seen ? std::move(*seen) : store_.open(target.place, now, any_age, opening);
  if (auto ending = unusable(request, target, object)) return std::move(*ending);
  if (object.state != ObjectState::kFound) {
    // A precondition that fails has no page, here as where there is an object.
    const auto failed = failed_precondition(request.headers, "", std::nullopt, false);
    Response out = error_response(failed.value_or(404), head || failed.has_value());
    if (object.state != ObjectState::kMissing)
      out.internal.set("X-Backend-Timestamp", object.timestamp.internal());
    return out;
  }
  Response out;
  kept_.show(object.metadata(), out);
  out.headers.set("Etag", "\"" + std::string(object.metadata().get("ETag")) + "\"");
  out.headers.set("Last-Modified", http_date(object.timestamp.ceil_seconds()));
  out.headers.set("X-Timestamp", object.timestamp.normal());
  out.internal.set("X-Backend-Timestamp", object.timestamp.internal());
  out.internal.set("X-Backend-Data-Timestamp", object.data_timestamp.internal());
  out.internal.set("X-Backend-Durable-Timestamp", object.data_timestamp.internal());
  give_body(request, target, std::move(object), out);
  return out;
}

// Outlives the handler: the parts of a multipart answer are opened as they are sent.
struct ObjectApp::Reading {
  ObjectPlace place;
  OpenObject object;
  ObjectBody body;
  bool verify = false;
  bool damaged = false;
};

// All bytes of a small object, checked once; null when they are not what they were.
std::shared_ptr<const std::string> ObjectApp::all_bytes(Reading& reading) const {
  OpenObject& object = reading.object;
  if (object.bytes != nullptr) return object.bytes;
  object.bytes = reading.body.checked_in_memory();
  reading.damaged = object.bytes == nullptr;
  if (!reading.damaged && object.size <= ObjectStore::kKeptBytes)
    store_.keep_bytes(reading.place, object, object.bytes);
  return object.bytes;
}

std::unique_ptr<Source> ObjectApp::open_part(Reading& reading, const ByteRange& part) const {
  const std::uint64_t size = reading.object.size;
  const bool whole = part.first == 0 && part.last + 1 == size;
  if (reading.object.bytes == nullptr && (!whole || !reading.verify))
    return reading.body.part(part);
  if (size <= kSmall) {
    const auto bytes = all_bytes(reading);
    if (bytes == nullptr) return nullptr;
    return std::make_unique<StringSource>(bytes->substr(part.first, part.length()));
  }
  return reading.body.checked_while_read(
      [this, place = reading.place](const std::string& why) { store_.quarantine(place, why); });
}

// Whose token is in the request reads what is not for everybody, and so most likely alone.
bool ObjectApp::keeps_cache(const Request& request, const OpenObject& object) const {
  if (object.size >= keep_cache_.size) return false;
  const bool has_token =
      request.headers.has("X-Auth-Token") || request.headers.has("X-Storage-Token");
  return keep_cache_.of_tokens || !has_token ||
         (keep_cache_.manifests && is_true(object.metadata().get("X-Static-Large-Object")));
}

void ObjectApp::give_body(Request& request, const Target& target, OpenObject object,
                          Response& out) const {
  const bool head = request.method == "HEAD";
  const std::string etag(object.metadata().get("ETag"));
  const std::string compared = conditional_etag(request, object.metadata());
  drop_range_where_told(request, object.metadata());
  const std::uint64_t size = object.size;
  ObjectBody body(host_.disk(), std::move(object.data), size, etag, keeps_cache(request, object));
  const bool verify =
      size <= kSmall || static_cast<double>(host_.entropy().below(10000)) < verify_percent_ * 100;
  const auto reading =
      std::make_shared<Reading>(Reading{target.place, std::move(object), std::move(body), verify});
  const OpenRange open = [this, reading](ByteRange part) { return open_part(*reading, part); };
  answer_conditionally(request, out, size, compared, open, head ? "" : host_.entropy().hex(16));
  if (!reading->damaged) return;
  store_.quarantine(target.place, "its bytes do not match its ETag " + etag);
  out = error_response(404, head);
}

}  // namespace apus
