// POST: new metadata for an object that is there, in a .meta file beside its data.
#include "servers/object/object_app.h"

namespace apus {
namespace {

// "; swift_bytes=N" of a content type: what a manifest's row counts.
std::string swift_bytes_of(std::string_view type) {
  for (const std::string& parameter : split_list(type, ';')) {
    if (starts_with_name(parameter, "swift_bytes=")) return parameter.substr(12);
  }
  return "";
}

// What one POST makes of an object's metadata.
struct NewMetadata {
  ObjectMetadata fields;
  Timestamp timestamp;
  std::string type;  ///< the content type from now on
  Timestamp type_timestamp;
};

Headers row_of(const OpenObject& object, const NewMetadata& now) {
  const ObjectMetadata& metadata = object.metadata();
  Headers row;
  std::string type = now.type;
  if (now.type_timestamp != object.data_timestamp) {
    const std::string bytes = swift_bytes_of(object.data_metadata().get("Content-Type"));
    if (!bytes.empty()) type += ";swift_bytes=" + bytes;
  }
  // The rows of objects in fragments tell of the whole.
  row.set("X-Size", std::string(metadata.get("X-Object-Sysmeta-Ec-Content-Length",
                                             metadata.get("Content-Length"))));
  row.set("X-Content-Type", type);
  row.set("X-Timestamp", object.data_timestamp.internal());
  row.set("X-Content-Type-Timestamp", now.type_timestamp.internal());
  row.set("X-Meta-Timestamp", now.timestamp.internal());
  row.set("X-Etag", std::string(metadata.get("X-Object-Sysmeta-Ec-Etag", metadata.get("ETag"))));
  constexpr std::string_view kOverride = "X-Object-Sysmeta-Container-Update-Override-";
  for (const auto& [name, value] : metadata) {
    if (starts_with_name(name, kOverride)) row.set("X-" + name.substr(kOverride.size()), value);
  }
  return row;
}

}  // namespace

Response ObjectApp::post(Request& request, const Target& target) const {
  Response refusal;
  const auto timestamp = request_timestamp(request, refusal);
  if (!timestamp) return refusal;
  const std::string_view expiry_text = request.headers.get("X-Delete-At");
  const auto expiry = expiry_text.empty() ? 0 : parse_int(expiry_text);
  if (!expiry) return bad_request(request, "Non-integer X-Delete-At");
  if (*expiry != 0 && static_cast<double>(*expiry) < timestamp->seconds())
    return bad_request(request, "X-Delete-At in past");
  if (!devices_.usable(target.path.device))
    return insufficient_storage(request, target.path.device);
  const bool any_age = is_true(fact(request, "X-Backend-Replication"));
  const OpenObject object = store_.open(target.place, *timestamp, any_age, Opening::kFields);
  if (auto ending = unusable(request, target, object)) return std::move(*ending);
  if (object.state != ObjectState::kFound) return error_response(404);

  const std::string_view type = request.headers.get("Content-Type");
  Timestamp type_time;
  if (!type.empty()) {
    const std::string_view told = fact(request, "Content-Type-Timestamp");
    const auto when = told.empty() ? timestamp : Timestamp::parse(told);
    if (!when) return bad_request(request, "Invalid Content-Type-Timestamp header");
    type_time = *when;
  }
  const bool newer_fields = *timestamp > object.timestamp;
  const bool newer_type = type_time > object.content_type_timestamp;
  if (!newer_fields && !newer_type) return conflict(request, object.timestamp);
  // A type alone, newer than data that no POST has touched yet, has no .meta to go into.
  if (!newer_fields && object.meta_file().empty()) return conflict(request, object.timestamp);

  NewMetadata now{{},
                  newer_fields ? *timestamp : object.timestamp,
                  std::string(newer_type ? type : object.metadata().get("Content-Type")),
                  newer_type ? type_time : object.content_type_timestamp};
  if (newer_fields) {
    now.fields.append_known_new("X-Timestamp", now.timestamp.internal());
    kept_.copy_for_post(request, now.fields);
  } else {
    now.fields = object.meta_file();
    now.fields.erase("name");
  }
  std::string file = now.timestamp.internal();
  now.fields.set("X-Timestamp", file);
  const bool own_type = now.type_timestamp != object.data_timestamp;
  if (own_type) {
    now.fields.set("Content-Type", now.type);
    now.fields.set("Content-Type-Timestamp", now.type_timestamp.internal());
    file = encode_timestamps(now.timestamp, now.type_timestamp, std::nullopt, true);
  }
  now.fields.append_known_new("name", target.place.name);
  if (newer_fields) {
    const auto before = parse_int(object.metadata().get("X-Delete-At"));
    update_expirer(request, target, before.value_or(0), *expiry, *timestamp);
  }
  ObjectWriter writer(store_, target.place);
  int error = writer.open(std::nullopt);
  if (error == 0) error = writer.commit(now.fields, file + ".meta", target.next_part_power);
  if (error != 0) return unwritten(request, target, error);
  update_container(request, target, "PUT", row_of(object, now));

  Response out = error_response(202);
  out.internal.set("X-Backend-Content-Type", now.type);
  for (const auto& [name, value] : object.metadata()) {
    if (is_system_metadata(name)) out.internal.set(name, value);
  }
  return out;
}

}  // namespace apus
