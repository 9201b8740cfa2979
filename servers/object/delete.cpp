// DELETE: a tombstone, newer than what was there.
#include <algorithm>

#include "servers/object/object_app.h"

namespace apus {

Response ObjectApp::remove(Request& request, const Target& target) const {
  Response refusal;
  const auto timestamp = request_timestamp(request, refusal);
  if (!timestamp) return refusal;
  if (!devices_.usable(target.path.device))
    return insufficient_storage(request, target.path.device);
  const OpenObject object = store_.open(target.place, *timestamp, false, Opening::kFields);
  if (auto ending = unusable(request, target, object)) return std::move(*ending);
  const bool found = object.state == ObjectState::kFound;
  const Timestamp last = found ? object.data_timestamp : object.timestamp;
  const bool newer = *timestamp > last;
  int status = 404;
  if (found) status = newer ? 204 : 409;
  const auto expiry = parse_int(object.metadata().get("X-Delete-At"));
  if (const std::string_view condition = fact(request, "X-If-Delete-At"); !condition.empty()) {
    const auto wanted = Timestamp::parse(condition);
    if (!wanted) return bad_request(request, "Bad X-If-Delete-At header value");
    if (last.is_zero()) return error_response(404);
    if (!newer) return error_response(409);
    if (Timestamp::from_seconds(static_cast<double>(expiry.value_or(0))) != *wanted)
      return Response(412, "X-If-Delete-At and X-Delete-At do not match");
    status = 204;
  }
  if (newer) {
    if (expiry) update_expirer(request, target, *expiry, 0, *timestamp);
    ObjectMetadata metadata;
    metadata.append_known_new("X-Timestamp", timestamp->internal());
    metadata.append_known_new("name", target.place.name);
    ObjectWriter writer(store_, target.place);
    int error = writer.open(std::nullopt);
    if (error == 0)
      error = writer.commit(metadata, timestamp->internal() + ".ts", target.next_part_power);
    if (error != 0) return unwritten(request, target, error);
    Headers row;
    row.set("X-Timestamp", timestamp->internal());
    update_container(request, target, "DELETE", std::move(row));
  }
  Response out = error_response(status);
  out.internal.set("X-Backend-Timestamp", std::max(last, *timestamp).internal());
  out.internal.set("X-Backend-Content-Type", std::string(object.metadata().get("Content-Type")));
  return out;
}

}  // namespace apus
