#include "servers/object/object_app.h"

#include <apus/conditional.h>
#include <apus/digest.h>
#include <apus/disk.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "servers/object/object_body.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
    OptionSpec{"disable_fallocate", kBool, "no", "do not reserve space before writing"},
    OptionSpec{"fallocate_reserve", kText, "1%", "free space to keep, bytes or N%"},
    OptionSpec{"disk_chunk_size", kInt, "65536", "bytes a read from the disk takes", 1, 1 << 26},
    OptionSpec{"network_chunk_size", kInt, "65536", "bytes a read from the network takes", 1,
               1 << 26},
    OptionSpec{"mb_per_sync", kInt, "512", "MiB between flushes of a large upload", 0, 1e6},
    OptionSpec{"node_timeout", kNumber, "3", "seconds a container server may take", 0.001, 86400},
    OptionSpec{"conn_timeout", kNumber, "0.5", "seconds to connect to it", 0.001, 86400},
    OptionSpec{"container_update_timeout", kNumber, "1", "seconds an update may hold up the answer",
               0.001, 86400},
    OptionSpec{"reclaim_age", kNumber, "604800", "seconds a tombstone is kept", 0, 1e9},
    OptionSpec{"allowed_headers", kText,
               "Content-Disposition, Content-Encoding, X-Delete-At, X-Object-Manifest, "
               "X-Static-Large-Object, "
               "Cache-Control, Content-Language, Expires, X-Robots-Tag",
               "request headers kept with an object"},
    OptionSpec{"etag_validate_pct", kNumber, "100",
               "percent of whole reads of objects over 64 KiB that are checked against their MD5",
               0, 100},
    OptionSpec{"slow", kNumber, "0", "accepted for Swift's confs", 0, 86400},
    OptionSpec{"replication_server", kText, nullptr, "accepted; replication comes as plugins"},
    OptionSpec{"replication_concurrency", kInt, "4", "accepted; replication comes as plugins"},
    OptionSpec{"replication_concurrency_per_device", kInt, "1",
               "accepted; replication comes as plugins"},
    OptionSpec{"replication_lock_timeout", kInt, "15", "accepted; replication comes as plugins"},
    OptionSpec{"replication_failure_threshold", kInt, "100",
               "accepted; replication comes as plugins"},
    OptionSpec{"replication_failure_ratio", kNumber, "1.0",
               "accepted; replication comes as plugins"},
    OptionSpec{"keep_cache_size", kInt, "5242880", "accepted; the page cache decides"},
    OptionSpec{"keep_cache_private", kBool, "false", "accepted; the page cache decides"},
    OptionSpec{"keep_cache_slo_manifest", kBool, "false", "accepted; the page cache decides"},
    OptionSpec{"splice", kBool, "no", "accepted; Apus uses sendfile"},
    OptionSpec{"max_upload_time", kNumber, "86400", "seconds an upload may take", 1, 1e9},
};

constexpr std::string_view kAllow = "DELETE, GET, HEAD, OPTIONS, POST, PUT";
constexpr std::size_t kSmall = 65536;

ObjectStore::Settings settings_of(const Options& options) {
  ObjectStore::Settings out;
  const Reserve reserve = parse_reserve(options.text("fallocate_reserve"));
  out.reserve_bytes = reserve.bytes;
  out.reserve_percent = reserve.percent;
  out.fallocate = !options.flag("disable_fallocate");
  const std::int64_t mib = options.integer("mb_per_sync");
  out.bytes_per_sync = mib > 0 ? static_cast<std::uint64_t>(mib) << 20U : UINT64_MAX;
  out.reclaim_age = options.number("reclaim_age");
  return out;
}

Deadlines deadlines_of(const Options& options) {
  return {options.seconds("conn_timeout"), options.seconds("container_update_timeout")};
}

int status_of(int error) {
  return error == ENOSPC || error == EDQUOT || error == ENOTSUP || error == EOPNOTSUPP ? 507 : 500;
}

Response conflict(const Request& request, const Timestamp& existing) {
  Response out = error_response(409, request.method == "HEAD");
  out.internal.set("X-Backend-Timestamp", existing.internal());
  return out;
}

}  // namespace

ObjectApp::ObjectApp(const PluginArgs& args)
    : host_(args.host),
      log_(args.host.logger(args.options)),
      devices_(args.options.text("devices"), args.options.flag("mount_check")),
      store_(args.host.disk(), args.host.clock(), log_, args.host.entropy(),
             settings_of(args.options)),
      updates_(args.host, store_, log_, deadlines_of(args.options)),
      chunk_(static_cast<std::size_t>(args.options.integer("network_chunk_size"))),
      verify_percent_(args.options.number("etag_validate_pct")) {
  for (const std::string& name : split_list(args.options.text("allowed_headers"))) {
    allowed_headers_.push_back(title_case(name));
  }
}

std::optional<ObjectApp::Target> ObjectApp::locate(const Request& request,
                                                   Response& refusal) const {
  const SwiftConf& conf = host_.swift_conf();
  if (request.path.empty() || !is_utf8(request.path)) {
    refusal = Response(412, "Invalid UTF8 or contains NULL");
    return std::nullopt;
  }
  const auto policy = request_policy(request, conf);
  if (!policy) {
    refusal = Response(503, "No policy with index " +
                                std::string(fact(request, "X-Backend-Storage-Policy-Index")));
    return std::nullopt;
  }
  const auto path = split_backend_path(request.path, 5, 5);
  if (!path) {
    refusal = bad_request(request, "Invalid path: " + quote(request.path));
    return std::nullopt;
  }
  Target out{*path, {}, *policy};
  out.place.device = devices_.folder(path->device);
  if (out.place.device.empty()) {
    refusal = insufficient_storage(request, path->device);
    return std::nullopt;
  }
  out.place.directory = conf.policy(*policy)->directory("objects");
  out.place.partition = path->partition;
  out.place.hash = conf.hash_path(path->account, path->container, path->object);
  out.place.name =
      request.path.substr(static_cast<std::size_t>(path->account.data() - request.path.data()) - 1);
  return out;
}

Response ObjectApp::operator()(Request& request) const {
  const std::string& method = request.method;
  if (method == "OPTIONS") {
    Response out(200);
    out.headers.set("Allow", std::string(kAllow));
    return out;
  }
  const bool known = method == "PUT" || method == "POST" || method == "GET" || method == "HEAD" ||
                     method == "DELETE";
  if (!known) return method_not_allowed(request, kAllow);
  Response refusal;
  const auto target = locate(request, refusal);
  if (!target) return refusal;
  if (method == "PUT") return put(request, *target);
  if (method == "POST") return post(request, *target);
  if (method == "DELETE") return remove(request, *target);
  return get(request, *target);
}

bool ObjectApp::is_kept(std::string_view name) const {
  return std::any_of(allowed_headers_.begin(), allowed_headers_.end(),
                     [&](const std::string& allowed) { return same_name(name, allowed); });
}

void ObjectApp::copy_kept_headers(const Request& request, ObjectMetadata& to,
                                  bool with_sysmeta) const {
  const auto longer = [](std::string_view name, std::string_view prefix) {
    return name.size() > prefix.size() && starts_with_name(name, prefix);
  };
  for (const auto& [name, value] : request.headers) {
    if (longer(name, "X-Object-Meta-") || is_kept(name)) to.set(name, std::string(trim(value)));
  }
  for (const auto& [name, value] : request.internal) {
    if (longer(name, "X-Object-Transient-Sysmeta-") ||
        (with_sysmeta && longer(name, "X-Object-Sysmeta-"))) {
      to.set(name, value);
    }
  }
}

int ObjectApp::receive(Request& request, ObjectWriter& writer, std::string& md5) const {
  Digest digest(DigestKind::kMd5);
  try {
    std::string buffer(std::min<std::uint64_t>(chunk_, request.content_length.value_or(chunk_) + 1),
                       '\0');
    while (request.body != nullptr) {
      const std::size_t count = request.body->read(buffer);
      if (count == 0) break;
      digest.update(std::string_view(buffer).substr(0, count));
      const int error = writer.write(std::span(buffer).first(count));
      if (error != 0) return status_of(error);
    }
  } catch (const BodyError& error) {
    // Here a body that fails is one that the proxy could not go on sending.
    return error.kind() == BodyError::Kind::kIo ? 499 : error.status();
  }
  if (request.content_length && writer.written() != *request.content_length) return 499;
  md5 = digest.finish_hex();
  return 0;
}

std::optional<Response> ObjectApp::unusable(const Request& request, const Target& target,
                                            const OpenObject& object) {
  const bool head = request.method == "HEAD";
  if (object.state == ObjectState::kNotSupported)
    return insufficient_storage(request, target.path.device);
  if (object.state == ObjectState::kCollision) return error_response(403, head);
  if (object.state == ObjectState::kFailed) return error_response(500, head);
  return std::nullopt;
}

Response ObjectApp::unwritten(const Request& request, const Target& target, int error) {
  return status_of(error) == 507 ? insufficient_storage(request, target.path.device)
                                 : error_response(500);
}

void ObjectApp::update_container(const Request& request, const Target& target, const char* method,
                                 Headers row) const {
  row.set("X-Backend-Storage-Policy-Index", std::to_string(target.policy));
  row.set("X-Trans-Id", request.context.trans_id);
  updates_.send(request, target.place,
                {method, std::string(target.path.account), std::string(target.path.container),
                 std::string(target.path.object), std::move(row)},
                {fact(request, "X-Container-Partition"), fact(request, "X-Container-Host"),
                 fact(request, "X-Container-Device")});
}

Response ObjectApp::put(Request& request, const Target& target) const {
  Response refusal;
  const auto timestamp = request_timestamp(request, refusal);
  if (!timestamp) return refusal;
  if (!request.headers.has("Content-Type")) return bad_request(request, "No content type");
  if (!request.content_length && !request.chunked) return error_response(411);
  const std::string expiry(request.headers.get("X-Delete-At"));
  const bool replication = is_true(fact(request, "X-Backend-Replication"));
  if (!expiry.empty()) {
    const auto when = parse_int(expiry);
    if (!when) return bad_request(request, "Non-integer X-Delete-At");
    if (!replication && static_cast<double>(*when) < timestamp->seconds()) {
      return bad_request(request, "X-Delete-At in past");
    }
  }
  std::string old_expiry;
  {
    const OpenObject existing = store_.open(target.place, *timestamp, true);
    if (auto ending = unusable(request, target, existing)) return std::move(*ending);
    if (existing.state == ObjectState::kFound && request.headers.get("If-None-Match") == "*")
      return error_response(412);
    if (existing.state != ObjectState::kMissing && existing.timestamp >= *timestamp) {
      return conflict(request, existing.timestamp);
    }
    old_expiry = existing.metadata.get("X-Delete-At");
  }
  ObjectWriter writer = store_.writer(target.place);
  if (const int error = writer.open(request.content_length)) {
    if (status_of(error) == 507) return insufficient_storage(request, target.path.device);
    log_.error("cannot write in " + target.place.folder() + ": errno " + std::to_string(error),
               request.context.trans_id);
    return error_response(500);
  }
  std::string md5;
  if (const int status = receive(request, writer, md5)) {
    return status == 507 ? insufficient_storage(request, target.path.device)
                         : error_response(status);
  }
  Headers footers;
  if (request.context.update_footers) request.context.update_footers(footers);
  std::string wanted(footers.get("ETag", request.headers.get("ETag")));
  std::erase(wanted, '"');
  if (!wanted.empty() && lower(wanted) != md5) return error_response(422);

  ObjectMetadata metadata;
  metadata.append_known_new("X-Timestamp", timestamp->internal());
  metadata.append_known_new("Content-Type", std::string(request.headers.get("Content-Type")));
  metadata.append_known_new("Content-Length", std::to_string(writer.written()));
  metadata.append_known_new("ETag", md5);
  copy_kept_headers(request, metadata, true);
  for (const auto& [name, value] : footers) {
    if (starts_with_name(name, "X-Object-")) metadata.set(name, value);
  }
  metadata.append_known_new("name", target.place.name);
  if (const int error = writer.commit(metadata, timestamp->internal() + ".data")) {
    if (status_of(error) == 507) return insufficient_storage(request, target.path.device);
    log_.error("cannot commit " + target.place.folder() + ": errno " + std::to_string(error),
               request.context.trans_id);
    return error_response(500);
  }
  if (!replication) expiry_updates(request, target, old_expiry, expiry, *timestamp);
  const auto shown = [&](std::string_view name, std::string fallback) {
    const std::string_view value = footers.get(name, fact(request, name));
    return value.empty() ? std::move(fallback) : std::string(value);
  };
  Headers row;
  row.set("X-Size",
          shown("X-Backend-Container-Update-Override-Size", std::to_string(writer.written())));
  row.set("X-Content-Type", shown("X-Backend-Container-Update-Override-Content-Type",
                                  std::string(request.headers.get("Content-Type"))));
  row.set("X-Timestamp", timestamp->internal());
  row.set("X-Etag", shown("X-Backend-Container-Update-Override-Etag", md5));
  update_container(request, target, "PUT", std::move(row));
  Response out(201);
  out.headers.set("Content-Type", "text/html; charset=UTF-8");
  out.headers.set("Etag", md5);
  return out;
}

Response ObjectApp::post(Request& request, const Target& target) const {
  Response refusal;
  const auto timestamp = request_timestamp(request, refusal);
  if (!timestamp) return refusal;
  const std::string expiry(request.headers.get("X-Delete-At"));
  if (!expiry.empty()) {
    const auto when = parse_int(expiry);
    if (!when || static_cast<double>(*when) < timestamp->seconds())
      return bad_request(request, "X-Delete-At in past");
  }
  const OpenObject object = store_.open(target.place, *timestamp, false);
  if (auto ending = unusable(request, target, object)) return std::move(*ending);
  if (object.state != ObjectState::kFound) {
    Response out = error_response(404);
    if (object.state == ObjectState::kDeleted)
      out.internal.set("X-Backend-Timestamp", object.timestamp.internal());
    return out;
  }
  const std::string_view type = request.headers.get("Content-Type");
  const Timestamp type_time =
      type.empty() ? Timestamp()
                   : Timestamp::parse(fact(request, "Content-Type-Timestamp")).value_or(*timestamp);
  const bool newer_type = !type.empty() && type_time > object.content_type_timestamp;
  if (object.timestamp >= *timestamp && !newer_type) return conflict(request, object.timestamp);

  ObjectMetadata metadata;
  Timestamp meta_time = *timestamp;
  if (*timestamp > object.timestamp) {
    metadata.set("X-Timestamp", timestamp->internal());
    copy_kept_headers(request, metadata, false);
    metadata.erase("X-Static-Large-Object");
    expiry_updates(request, target, object.metadata.get("X-Delete-At"), expiry, *timestamp);
  } else {
    metadata = object.meta_file;
    meta_time = object.timestamp;
  }
  Timestamp kept_type_time = object.content_type_timestamp;
  std::string shown_type(object.metadata.get("Content-Type"));
  if (newer_type) {
    kept_type_time = type_time;
    shown_type = type;
  }
  const bool own_type = kept_type_time > object.data_timestamp;
  if (own_type) {
    metadata.set("Content-Type", shown_type);
    metadata.set("Content-Type-Timestamp", kept_type_time.internal());
  }
  metadata.set("X-Timestamp", meta_time.internal());
  metadata.erase("name");
  metadata.append_known_new("name", target.place.name);
  const std::string stem = own_type
                               ? encode_timestamps(meta_time, kept_type_time, std::nullopt, true)
                               : meta_time.internal();
  ObjectWriter writer = store_.writer(target.place);
  int error = writer.open(std::nullopt);
  if (error == 0) error = writer.commit(metadata, stem + ".meta");
  if (error != 0) {
    return unwritten(request, target, error);
  }
  Headers row;
  const auto stored = [&](std::string_view override_name, std::string_view fallback) {
    const std::string_view value = object.metadata.get(override_name);
    return std::string(value.empty() ? fallback : value);
  };
  row.set("X-Size",
          stored("X-Object-Sysmeta-Container-Update-Override-Size", std::to_string(object.size)));
  row.set("X-Content-Type", shown_type);
  row.set("X-Timestamp", object.data_timestamp.internal());
  row.set("X-Content-Type-Timestamp", kept_type_time.internal());
  row.set("X-Meta-Timestamp", meta_time.internal());
  row.set("X-Etag",
          stored("X-Object-Sysmeta-Container-Update-Override-Etag", object.metadata.get("ETag")));
  update_container(request, target, "PUT", std::move(row));
  Response out = error_response(202);
  out.internal.set("X-Backend-Timestamp", meta_time.internal());
  return out;
}

Response ObjectApp::get(Request& request, const Target& target) const {
  const auto asked = Timestamp::parse(fact(request, "X-Timestamp"));
  const bool any_age = is_true(fact(request, "X-Backend-Replication"));
  OpenObject object = store_.open(target.place, asked.value_or(host_.clock().timestamp()), any_age);
  const bool head = request.method == "HEAD";
  if (auto ending = unusable(request, target, object)) return std::move(*ending);
  if (object.state != ObjectState::kFound) {
    Response out = error_response(
        failed_precondition(request.headers, "", std::nullopt, false).value_or(404), head);
    if (object.state != ObjectState::kMissing)
      out.internal.set("X-Backend-Timestamp", object.timestamp.internal());
    return out;
  }
  Response out;
  const ObjectMetadata& metadata = object.metadata;
  out.headers.set("Content-Type",
                  std::string(metadata.get("Content-Type", "application/octet-stream")));
  for (const auto& [name, value] : metadata) {
    if (is_internal_name(name)) {
      out.internal.set(name, value);
    } else if (starts_with_name(name, "X-Object-Meta-") || is_kept(name)) {
      out.headers.set(name, value);
    }
  }
  const std::string etag(metadata.get("ETag"));
  out.headers.set("Etag", etag);
  out.headers.set("Last-Modified", http_date(object.timestamp.ceil_seconds()));
  out.headers.set("X-Timestamp", object.timestamp.normal());
  out.internal.set("X-Backend-Timestamp", object.timestamp.internal());
  out.internal.set("X-Backend-Data-Timestamp", object.data_timestamp.internal());
  out.internal.set("X-Backend-Durable-Timestamp", object.data_timestamp.internal());

  std::string compared = etag;
  for (const std::string& name : split_list(fact(request, "X-Backend-Etag-Is-At"))) {
    if (const std::string* value = metadata.find(name)) {
      compared = *value;
      break;
    }
  }
  for (const std::string& name :
       split_list(fact(request, "X-Backend-Ignore-Range-If-Metadata-Present"))) {
    if (metadata.has(name)) request.headers.erase("Range");
  }
  const std::uint64_t size = object.size;
  const ObjectBody body(host_.disk(), std::move(object.data), size, etag);
  const bool verify =
      size <= kSmall || static_cast<double>(host_.entropy().below(10000)) < verify_percent_ * 100;
  bool damaged = false;
  const OpenRange open = [&, body](ByteRange part) -> std::unique_ptr<Source> {
    const bool whole = part.first == 0 && part.last + 1 == size;
    if (!whole || !verify) return body.part(part);
    if (size <= kSmall) {
      auto source = body.checked_in_memory();
      if (source == nullptr) damaged = true;
      return source;
    }
    return body.checked_while_read(
        [this, place = target.place](const std::string& why) { store_.quarantine(place, why); });
  };
  answer_conditionally(request, out, size, compared, open, head ? "" : host_.entropy().hex(16));
  if (damaged) {
    store_.quarantine(target.place, "its bytes do not match its ETag " + etag);
    return error_response(404, head);
  }
  return out;
}

Response ObjectApp::remove(Request& request, const Target& target) const {
  Response refusal;
  const auto timestamp = request_timestamp(request, refusal);
  if (!timestamp) return refusal;
  const OpenObject object = store_.open(target.place, *timestamp, false);
  if (auto ending = unusable(request, target, object)) return std::move(*ending);
  int status = object.state == ObjectState::kFound ? 204 : 404;
  if (const std::string_view condition = fact(request, "X-If-Delete-At"); !condition.empty()) {
    const auto when = parse_int(condition);
    if (!when) return bad_request(request, "Bad X-If-Delete-At header value");
    if (object.state != ObjectState::kFound && object.state != ObjectState::kExpired)
      return error_response(404);
    if (parse_int(object.metadata.get("X-Delete-At")) != when) return error_response(412);
    status = 204;
  }
  if (object.state != ObjectState::kMissing && object.timestamp >= *timestamp) {
    if (status == 204 || object.state == ObjectState::kDeleted)
      return conflict(request, object.timestamp);
  } else {
    ObjectWriter writer = store_.writer(target.place);
    int error = writer.open(std::nullopt);
    if (error == 0) {
      ObjectMetadata metadata;
      metadata.append_known_new("X-Timestamp", timestamp->internal());
      metadata.append_known_new("name", target.place.name);
      error = writer.commit(metadata, timestamp->internal() + ".ts");
    }
    if (error != 0) {
      return unwritten(request, target, error);
    }
    expiry_updates(request, target, object.metadata.get("X-Delete-At"), "", *timestamp);
    Headers row;
    row.set("X-Timestamp", timestamp->internal());
    update_container(request, target, "DELETE", std::move(row));
  }
  Response out = error_response(status);
  out.internal.set("X-Backend-Timestamp", std::max(object.timestamp, *timestamp).internal());
  return out;
}

// The expirer's queue: a row goes in for the new moment, and out for the one before.
void ObjectApp::expiry_updates(const Request& request, const Target& target,
                               std::string_view old_expiry, std::string_view new_expiry,
                               const Timestamp& timestamp) const {
  const auto row_name = [&](std::int64_t when) {
    std::string digits = std::to_string(std::clamp<std::int64_t>(when, 0, 9999999999));
    digits.insert(0, 10 - std::min<std::size_t>(10, digits.size()), '0');
    return digits + "-" + std::string(target.path.account) + "/" +
           std::string(target.path.container) + "/" + std::string(target.path.object);
  };
  const auto container_for = [&](std::int64_t when) {
    const std::string& hash = target.place.hash;
    std::uint64_t spread = 0;
    for (const char digit : hash) {
      spread = (spread * 16 +
                static_cast<std::uint64_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10)) %
               100;
    }
    std::string digits = std::to_string(
        std::max<std::int64_t>(0, when / 86400 * 86400 - static_cast<std::int64_t>(spread)));
    digits.insert(0, 10 - std::min<std::size_t>(10, digits.size()), '0');
    return digits;
  };
  const auto send = [&](const char* method, std::int64_t when, std::string container) {
    Headers row;
    row.set("X-Timestamp", timestamp.internal());
    row.set("X-Backend-Storage-Policy-Index", "0");
    row.set("X-Trans-Id", request.context.trans_id);
    if (method[0] == 'P') {
      row.set("X-Size", "0");
      row.set("X-Content-Type", "text/plain");
      row.set("X-Etag", "d41d8cd98f00b204e9800998ecf8427e");
    }
    if (container.empty()) container = container_for(when);
    updates_.send(
        request, target.place,
        {method, ".expiring_objects", std::move(container), row_name(when), std::move(row)},
        {fact(request, "X-Delete-At-Partition"), fact(request, "X-Delete-At-Host"),
         fact(request, "X-Delete-At-Device")});
  };
  if (old_expiry == new_expiry) return;
  if (const auto when = parse_int(new_expiry))
    send("PUT", *when, std::string(fact(request, "X-Delete-At-Container")));
  if (const auto when = parse_int(old_expiry)) send("DELETE", *when, "");
}

APUS_EXPORT_BACKEND_APP("object", "1.0", ObjectApp, kOptions)

}  // namespace apus
