#include "middleware/versioned_writes/object_versions.h"

#include <apus/constraints.h>
#include <apus/json.h>

#include <utility>

#include "middleware/versioned_writes/moves.h"
#include "middleware/versioned_writes/version_names.h"

namespace apus::versioned_writes {
namespace {

constexpr const char* kIsVersionLink = "X-Object-Sysmeta-Versions-Symlink";
constexpr const char* kVersionId = "X-Object-Version-Id";
constexpr const char* kLost =
    "The versions container does not exist. You may want to re-enable object versioning.";

bool is_expiry(std::string_view name) {
  return same_name(name, "X-Delete-At") || same_name(name, "X-Delete-After");
}

// What a failed step means for the client's request; nothing when it went well.
std::optional<Response> problem(Response& step, const Request& request) {
  if (step.is_success()) return std::nullopt;
  const bool head = request.method == "HEAD";
  if (step.status / 100 != 4) return error_response(503, head);
  if (step.status == 404) return error_response(412, head);
  return std::move(step);
}

// As `problem`, where a 404 says that the hidden container is gone.
std::optional<Response> problem_of_store(Response& step, const Request& request) {
  if (step.status == 404) return Response(500, kLost);
  return problem(step, request);
}

// Counts what the client sent: a chunked body says its size only by its end.
class CountingSource final : public Source {
 public:
  CountingSource(std::unique_ptr<Source> body, std::uint64_t& count)
      : body_(std::move(body)), count_(count) {}
  std::size_t read(std::span<char> out) override {
    const std::size_t got = body_->read(out);
    count_ += got;
    return got;
  }

 private:
  std::unique_ptr<Source> body_;
  std::uint64_t& count_;
};

// A link "CONTAINER/OBJECT", decoded, to a version kept in `container`.
std::optional<Version> version_behind(std::string_view target, std::string_view container) {
  const auto name = parse_object_name(target);
  if (!name || name->container != container) return std::nullopt;
  return parse_version(name->object);
}

}  // namespace

/// One object of a container that has, or had, versions.
struct ObjectVersions::Place {
  ApiPath path;
  std::string versions;  ///< the hidden container; empty when there is none
  bool enabled = false;

  [[nodiscard]] std::string version(const Timestamp& moment) const {
    return object_path(path, versions, version_name(path.object, moment));
  }
};

ObjectVersions::ObjectVersions(const PluginArgs& args, std::unique_ptr<const App> next_app)
    : Filter(std::move(next_app)),
      host_(args.host),
      max_file_size_(static_cast<std::uint64_t>(args.host.swift_conf().constraints.max_file_size)),
      listings_(args.host.swift_conf(), next()) {
  args.host.info().set("object_versioning", "{}");
}

Response ObjectVersions::operator()(Request& request) const {
  // Views into a copy: filters below may change the request's own.
  const std::string text = request.path;
  const auto path = split_api_path(text, 2);
  if (!path || !is_valid_api_version(path->version, host_.swift_conf().constraints))
    return next()(request);
  if (path->container.empty()) return listings_.account(request, *path);
  if (path->object.empty()) return listings_.container(request, *path);
  return object(request, *path);
}

Response ObjectVersions::object(Request& request, const ApiPath& path) const {
  const auto info =
      get_container_info(request, next(), path.account, path.container, kVersionSource);
  Place place{path, unquote(field_of(info->sysmeta, "versions-container")),
              is_true(field_of(info->sysmeta, "versions-enabled"))};
  place.versions.erase(std::min(place.versions.find('/'), place.versions.size()));
  const std::string id(request.query.get("version-id"));
  if (!id.empty()) return versioned(request, place, id);
  if (place.versions.empty()) return next()(request);
  return current(request, place);
}

// ---- the current object ----

Response ObjectVersions::current(Request& request, const Place& place) const {
  if (request.method == "PUT") return place.enabled ? put(request, place) : next()(request);
  if (request.method == "DELETE") return place.enabled ? remove(request, place) : next()(request);
  if (request.method == "POST") return post(request, place);
  Response out = next()(request);
  name_version(out, place);
  return out;
}

// Which version was read; the hidden names do not show.
void ObjectVersions::name_version(Response& response, const Place& place) {
  response.headers.set(kVersionId, "null");
  const std::string shown(object_path(place.path, place.path.container, place.path.object));
  const std::string location = unquote(response.headers.get("Content-Location"));
  if (const auto at = split_api_path(location, 4);
      at && at->account == place.path.account && at->container == place.versions) {
    if (const auto version = parse_version(at->object)) {
      const std::string id = version->moment.internal();
      response.headers.set(kVersionId, id);
      response.headers.set("Content-Location", quote(shown) + "?version-id=" + id);
    }
  }
  const std::string target(response.headers.get("X-Symlink-Target"));
  if (const auto version = version_behind(target, place.versions)) {
    const std::string id = version->moment.internal();
    response.headers.set(kVersionId, id);
    response.headers.set("X-Symlink-Target", quote(std::string(place.path.container) + "/" +
                                                   std::string(place.path.object)) +
                                                 "?version-id=" + id);
  }
}

// An object from before versioning was enabled becomes the first version. Nothing means: go on.
std::optional<Response> ObjectVersions::keep_current(Request& request, const Place& place) const {
  if (auto refusal = refused_to_write(request, next(), kVersionSource)) return refusal;
  Response found = read_as_is(request, next(), request.path, kVersionSource, max_file_size_);
  if (found.status == 404) return std::nullopt;
  if (auto bad = problem(found, request)) return bad;
  if (found.internal.get(kIsVersionLink) == "true") return std::nullopt;
  const std::string path = place.version(written_at(found));
  Response stored = store(request, next(), path, kVersionSource, std::move(found), true);
  return problem_of_store(stored, request);
}

// The client's bytes go to a version, then the name becomes a link to it.
Response ObjectVersions::put(Request& request, const Place& place) const {
  if (auto bad = keep_current(request, place)) return std::move(*bad);
  if (!request.context.timestamp) request.context.timestamp = host_.clock().timestamp();
  const Timestamp version = *request.context.timestamp;
  std::uint64_t bytes = 0;
  Request write = make_subrequest(request, "PUT", place.version(version), kVersionSource, true);
  write.context.allow_reserved_names = true;
  write.context.content_type_overridden =
      std::exchange(request.context.content_type_overridden, false);
  write.context.update_footers = std::exchange(request.context.update_footers, nullptr);
  copy_metadata(request.headers, write.headers, is_expiry);
  copy_metadata(request.internal, write.internal, is_expiry);
  write.content_length = std::exchange(request.content_length, 0);
  write.chunked = std::exchange(request.chunked, false);
  if (request.body != nullptr)
    write.body = std::make_unique<CountingSource>(std::move(request.body), bytes);
  Response written = next()(write);
  write.body.reset();
  if (auto bad = problem_of_store(written, request)) return std::move(*bad);
  const std::string* slo_size = write.internal.find("X-Object-Sysmeta-Slo-Size");
  return link_to(request, place, version, std::string(written.headers.get("Etag")),
                 slo_size != nullptr ? *slo_size : std::to_string(bytes),
                 parse_parameterized(write.headers.get("Content-Type")).value);
}

// Makes the name a link to a version, a moment after it.
Response ObjectVersions::link_to(Request& request, const Place& place, const Timestamp& version,
                                 const std::string& etag, const std::string& bytes,
                                 const std::string& content_type) const {
  if (!request.context.timestamp) request.context.timestamp = host_.clock().timestamp();
  request.method = "PUT";
  request.context.timestamp = Timestamp::from_raw(request.context.timestamp->raw(),
                                                  request.context.timestamp->offset() + 1);
  for (const char* name : {"Etag", "X-If-Delete-At", "X-Symlink-Target-Account",
                           "X-Object-Manifest", "X-Static-Large-Object"})
    request.headers.erase(name);
  for (const char* name : {"X-Object-Sysmeta-Slo-Etag", "X-Object-Sysmeta-Slo-Size"})
    request.internal.erase(name);
  request.headers.set("Content-Type", content_type);
  request.headers.set("X-Symlink-Target",
                      quote(place.versions + "/" + version_name(place.path.object, version)));
  request.internal.set("X-Object-Sysmeta-Symlink-Target-Etag", etag);
  request.internal.set("X-Object-Sysmeta-Symlink-Target-Bytes", bytes);
  request.internal.set(kIsVersionLink, "true");
  request.internal.set("X-Object-Sysmeta-Symloop-Extend", "true");
  request.internal.set("X-Object-Sysmeta-Allow-Reserved-Names", "true");
  request.context.allow_reserved_names = true;
  request.context.source = kVersionSource;
  request.content_length = 0;
  request.chunked = false;
  request.body.reset();
  Response out = next()(request);
  out.headers.set("Etag", etag);
  out.headers.set(kVersionId, version.internal());
  return out;
}

// The versions get a marker that says when it was deleted; then the name goes.
Response ObjectVersions::remove(Request& request, const Place& place) const {
  if (auto bad = keep_current(request, place)) return std::move(*bad);
  if (!request.context.timestamp) request.context.timestamp = host_.clock().timestamp();
  const Timestamp version = *request.context.timestamp;
  Request marker = make_subrequest(request, "PUT", place.version(version), kVersionSource, true);
  marker.context.allow_reserved_names = true;
  marker.context.content_type_overridden = true;
  marker.headers.set("Content-Type", std::string(kDeleteMarker));
  marker.content_length = 0;
  Response marked = next()(marker);
  if (auto bad = problem(marked, request)) return std::move(*bad);
  Response out = next()(request);
  if (out.is_success() || out.status == 404) {
    out.headers.set(kVersionId, version.internal());
    out.internal.set("X-Backend-Content-Type", std::string(kDeleteMarker));
  }
  return out;
}

// A POST that meets the link goes on to the version.
Response ObjectVersions::post(Request& request, const Place& place) const {
  Request again = make_subrequest(request, "POST", request.path, kVersionSource, true);
  again.context.allow_reserved_names = true;
  copy_metadata(request.headers, again.headers, is_expiry);
  copy_metadata(request.internal, again.internal, is_expiry);
  Response out = next()(request);
  if (out.status != 307 || !is_true(out.internal.get(kIsVersionLink))) return out;
  const std::string location = unquote(out.headers.get("Location"));
  const auto at = split_api_path(location, 4);
  if (!at || at->account != place.path.account || at->container != place.versions) return out;
  again.path = location;
  return next()(again);
}

// ---- one version ----

Response ObjectVersions::versioned(Request& request, const Place& place,
                                   const std::string& id) const {
  constexpr const char* kPage = "text/html; charset=UTF-8";
  if (request.method == "POST")
    return Response(400, "POST to a specific version is not allowed", kPage);
  if (place.versions.empty() && id != "null") {
    return Response(400, "version-aware operations require that the container is versioned", kPage);
  }
  std::optional<Timestamp> version;
  if (id != "null") {
    version = Timestamp::parse(id);
    if (!version) return Response(400, "Invalid version parameter", kPage);
  }
  if (request.method == "DELETE")
    return version ? remove_version(request, place, *version) : next()(request);
  if (request.method == "PUT") {
    if (!version) return Response(400, "Invalid version parameter", kPage);
    return promote_version(request, place, *version);
  }
  return version ? read_version(request, place, *version) : read_null(request);
}

// The current object, if it is from before versioning.
Response ObjectVersions::read_null(Request& request) const {
  Response out = next()(request);
  if (!out.is_success()) return out;
  const std::string location = unquote(out.headers.get("Content-Location"));
  if (location.find(*reserved_name({"versions", ""})) != std::string::npos)
    return error_response(404, request.method == "HEAD");
  out.headers.set(kVersionId, "null");
  return out;
}

Response ObjectVersions::read_version(Request& request, const Place& place,
                                      const Timestamp& version) const {
  // Filters in front may ask again: they find the request as they sent it.
  const std::string asked = std::exchange(request.path, place.version(version));
  const bool reserved = std::exchange(request.context.allow_reserved_names, true);
  Response out = next()(request);
  request.path = asked;
  request.context.allow_reserved_names = reserved;
  if (out.is_success()) out.headers.set(kVersionId, version.internal());
  const std::string type(
      out.internal.get("X-Backend-Content-Type", out.headers.get("Content-Type")));
  if (type != kDeleteMarker) return out;
  Response gone = error_response(404, request.method == "HEAD");
  gone.headers.set(kVersionId, version.internal());
  gone.headers.set("Content-Type", std::string(kDeleteMarker));
  return gone;
}

Response ObjectVersions::remove_version(Request& request, const Place& place,
                                        const Timestamp& version) const {
  Request head = make_subrequest(request, "HEAD", request.path, kVersionSource, true);
  head.query.set("symlink", "get");
  head.headers.set("X-Newest", "True");
  Response current = next()(head);
  std::optional<Version> linked;
  if (current.status != 404) {
    if (auto bad = problem(current, request)) return std::move(*bad);
    if (current.internal.get(kIsVersionLink) == "true")
      linked = version_behind(current.headers.get("X-Symlink-Target"), place.versions);
  }
  std::string now_current = linked ? linked->moment.internal() : "null";
  const std::string path = place.version(version);
  if (linked && linked->moment == version) {
    // The link goes first: it never points to what is not there.
    request.query = Query();
    Response unlinked = next()(request);
    if (auto bad = problem(unlinked, request)) return std::move(*bad);
    request.context.timestamp.reset();
    now_current = "null";
  }
  request.path = path;
  request.context.allow_reserved_names = true;
  Response out = next()(request);
  out.headers.set(kVersionId, version.internal());
  out.headers.set("X-Object-Current-Version-Id", now_current);
  return out;
}

// PUT with a version: the name becomes a link to it.
Response ObjectVersions::promote_version(Request& request, const Place& place,
                                         const Timestamp& version) const {
  char byte = 0;
  const bool has_body = request.content_length
                            ? *request.content_length != 0
                            : request.body != nullptr && request.body->read({&byte, 1}) != 0;
  if (has_body) return Response(400, "PUT version-id requests require a zero byte body");
  Request head = make_subrequest(request, "HEAD", place.version(version), kVersionSource, true);
  head.query.set("symlink", "get");
  head.context.allow_reserved_names = true;
  Response found = next()(head);
  if (found.status == 404) {
    const auto info =
        get_container_info(head, next(), place.path.account, place.versions, kVersionSource);
    return info->is_success() ? Response(404, "The specified version does not exist")
                              : Response(500, kLost);
  }
  if (auto bad = problem(found, request)) return std::move(*bad);
  request.query = Query();
  return link_to(request, place, version, std::string(found.headers.get("Etag")),
                 std::to_string(found.content_length.value_or(0)),
                 std::string(found.headers.get("Content-Type")));
}

}  // namespace apus::versioned_writes
