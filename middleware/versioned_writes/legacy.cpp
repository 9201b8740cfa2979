#include "middleware/versioned_writes/legacy.h"

#include <apus/account_info.h>
#include <apus/constraints.h>
#include <apus/json.h>

#include <cstdio>

#include "middleware/versioned_writes/moves.h"
#include "middleware/versioned_writes/rows.h"
#include "middleware/versioned_writes/version_names.h"

namespace apus::versioned_writes {
namespace {

constexpr const char* kSource = "VW";
constexpr const char* kStackField = "X-Versions-Location";
constexpr const char* kHistoryField = "X-History-Location";
constexpr const char* kStoredPlace = "X-Container-Sysmeta-Versions-Location";
constexpr const char* kStoredMode = "X-Container-Sysmeta-Versions-Mode";

// "00bobject-name/": the length in hex, so that no name's prefix is another's.
std::string old_prefix(std::string_view object) {
  char length[24];
  std::snprintf(length, sizeof length, "%03zx", object.size());
  return length + std::string(object) + "/";
}

// What a failed step means for the client's request; nothing when it went well.
std::optional<Response> problem(const Response& step, const Request& request) {
  if (step.is_success()) return std::nullopt;
  return error_response(step.status / 100 == 4 ? 412 : 503, request.method == "HEAD");
}

}  // namespace

/// Versions of one object, newest first, a page at a time.
class LegacyVersions::VersionPages {
 public:
  VersionPages(const Request& parent, const App& next, std::string path, std::string prefix)
      : parent_(parent), next_(next), path_(std::move(path)), prefix_(std::move(prefix)) {}

  /// The next row; nothing at the end, or when `refusal` is set.
  std::optional<Json> take() {
    if (at_ >= rows_.size() && !load()) return std::nullopt;
    return std::move(rows_[at_++]);
  }
  std::optional<Response> refusal;

 private:
  bool load() {
    if (ended_) return false;
    Request get = make_subrequest(parent_, "GET", path_, kSource, true);
    get.query.set("prefix", prefix_);
    get.query.set("marker", marker_);
    get.query.set("reverse", "on");
    get.query.set("format", "json");
    Response page = next_(get);
    ended_ = true;
    if (page.status == 404) return false;
    if (!page.is_success()) {
      refusal = error_response(page.status / 100 == 4 ? 412 : 500);
      return false;
    }
    auto json = Json::parse(read_all(page.body.get(), kMaxListing));
    if (!json || json->array() == nullptr || json->array()->empty()) return false;
    rows_ = *json->array();
    at_ = 0;
    const Json* last = rows_.back().find("name");
    if (last == nullptr || last->text() == nullptr || *last->text() == marker_) return false;
    marker_ = *last->text();
    ended_ = false;
    return true;
  }

  const Request& parent_;
  const App& next_;
  std::string path_;
  std::string prefix_;
  std::string marker_;
  Json::Array rows_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

namespace {

// X-Versions-Location beside X-History-Location: only one may say something.
std::optional<Response> choose_mode(Headers& headers) {
  if (!headers.has(kStackField) || !headers.has(kHistoryField)) return std::nullopt;
  if (headers.get(kHistoryField).empty()) {
    headers.erase(kHistoryField);
  } else if (!headers.get(kStackField).empty()) {
    return Response(400, "Only one of x-versions-location or x-history-location may be specified");
  } else {
    headers.erase(kStackField);
  }
  return std::nullopt;
}

bool asks_removal(const Headers& headers) {
  return !headers.get("X-Remove-Versions-Location").empty() ||
         !headers.get("X-Remove-History-Location").empty();
}

void drop_removals(Headers& headers) {
  headers.erase("X-Remove-Versions-Location");
  headers.erase("X-Remove-History-Location");
}

void show_place(Response& response) {
  const std::string place(response.internal.get(kStoredPlace));
  if (place.empty()) return;
  const bool history = response.internal.get(kStoredMode) == "history";
  response.headers.set(history ? kHistoryField : kStackField, place);
}

}  // namespace

/// Where one object's versions go.
struct LegacyVersions::Place {
  ApiPath path;
  std::string container;
  bool history = false;

  [[nodiscard]] std::string version(const std::string& name) const {
    return object_path(path, container, name);
  }
  [[nodiscard]] std::string version_at(const Timestamp& moment) const {
    return version(old_prefix(path.object) + moment.internal());
  }
};

LegacyVersions::LegacyVersions(const PluginArgs& args, std::unique_ptr<const App> next)
    : Filter(std::move(next)),
      host_(args.host),
      max_file_size_(static_cast<std::uint64_t>(args.host.swift_conf().constraints.max_file_size)) {
  const auto allowed = args.options.find("allow_versioned_writes");
  if (allowed && !allowed->empty()) allowed_ = is_true(*allowed);
  if (allowed_.value_or(false)) {
    args.host.info().set("versioned_writes",
                         R"({"allowed_flags": ["x-versions-location", "x-history-location"]})");
  }
}

Response LegacyVersions::operator()(Request& request) const {
  // Views into a copy: filters below may change the request's own.
  const std::string text = request.path;
  const auto path = split_api_path(text, 3);
  if (!path) return next()(request);
  if (path->object.empty()) return allowed_ ? container(request) : next()(request);
  if (request.method != "PUT" && request.method != "DELETE") return next()(request);
  return object(request, *path);
}

Response LegacyVersions::container(Request& request) const {
  Headers& headers = request.headers;
  if (auto bad = choose_mode(headers)) return std::move(*bad);
  const bool history = !headers.has(kStackField);
  const char* field = history ? kHistoryField : kStackField;
  if (headers.has(field)) {
    const std::string place(headers.get(field));
    if (place.empty()) {
      headers.set("X-Remove-Versions-Location", "x");
    } else if (!*allowed_ && (request.method == "PUT" || request.method == "POST")) {
      return Response(412, "Versioned Writes is disabled");
    } else if (auto bad = check_name_format(place, "Container")) {
      return std::move(*bad);
    } else {
      request.internal.set(kStoredPlace, place);
      request.internal.set(kStoredMode, history ? "history" : "stack");
      headers.set(kStackField, "");
      drop_removals(headers);
    }
  }
  if (asks_removal(headers)) {
    headers.set(kStackField, "");
    request.internal.set(kStoredPlace, "");
    request.internal.set(kStoredMode, "");
    drop_removals(headers);
  }
  Response out = next()(request);
  show_place(out);
  return out;
}

Response LegacyVersions::object(Request& request, const ApiPath& path) const {
  const auto info = get_container_info(request, next(), path.account, path.container, kSource);
  std::string container(field_of(info->sysmeta, "versions-location"));
  bool enabled = allowed_.value_or(false);
  if (container.empty()) {
    container = info->versions;
    if (!allowed_ && !container.empty()) enabled = true;
  }
  if (!enabled || container.empty()) return next()(request);
  container = unquote(container);
  container.erase(std::min(container.find('/'), container.size()));
  const Place place{path, container, field_of(info->sysmeta, "versions-mode") == "history"};
  if (request.method == "PUT") return put(request, place);
  return place.history ? push_delete(request, place) : pop_delete(request, place);
}

// Copies what is there now among the versions. Nothing means: go on.
std::optional<Response> LegacyVersions::keep_current(Request& request, const Place& place) const {
  if (auto refusal = refused_to_write(request, next(), kSource)) return refusal;
  Response found = read_as_is(request, next(), request.path, kSource, max_file_size_);
  if (found.status == 404) return std::nullopt;
  if (auto bad = problem(found, request)) return bad;
  const std::string path = place.version_at(written_at(found));
  return problem(store(request, next(), path, kSource, std::move(found), false), request);
}

Response LegacyVersions::put(Request& request, const Place& place) const {
  if (auto bad = keep_current(request, place)) return std::move(*bad);
  return next()(request);
}

// History: the versions get a marker that says when it was deleted.
Response LegacyVersions::push_delete(Request& request, const Place& place) const {
  if (auto bad = keep_current(request, place)) return std::move(*bad);
  Request marker =
      make_subrequest(request, "PUT", place.version_at(host_.clock().timestamp()), kSource, true);
  marker.headers.set("Content-Type", std::string(kDeleteMarker));
  marker.content_length = 0;
  marker.context.content_type_overridden = true;
  if (auto bad = problem(next()(marker), request)) return std::move(*bad);
  return next()(request);
}

// Copies the version at `from` to the request's own name. Nothing when it is not there; else how it
// went.
std::optional<Response> LegacyVersions::restore(Request& request, const std::string& from) const {
  Response found = read_as_is(request, next(), from, kSource, max_file_size_);
  if (found.status == 404) return std::nullopt;
  if (auto bad = problem(found, request)) return bad;
  Response stored = store(request, next(), request.path, kSource, std::move(found), false);
  if (auto bad = problem(stored, request)) return bad;
  return stored;
}

Response LegacyVersions::remove(const Request& request, const std::string& path) const {
  Request out = make_subrequest(request, "DELETE", path, kSource, true);
  // Its answer is the client's, and a browser wants to know whether a script may see it.
  if (const std::string* origin = request.headers.find("Origin"))
    out.headers.set("Origin", *origin);
  return next()(out);
}

// Under a marker lies what was there before: the newest of it comes back. Nothing means: all well.
std::optional<Response> LegacyVersions::restore_older(Request& request, const Place& place,
                                                      VersionPages& pages) const {
  while (const auto row = pages.take()) {
    if (row->text_at("content_type") == kDeleteMarker) break;
    const std::string path = place.version(row->text_at("name"));
    auto restored = restore(request, path);
    if (!restored) continue;
    if (!restored->is_success()) return restored;
    const Response removed = remove(request, path);
    return removed.status == 404 ? std::nullopt : problem(removed, request);
  }
  if (pages.refusal) return std::move(*pages.refusal);
  return std::nullopt;
}

// Stack: the newest version takes the place of what is deleted.
Response LegacyVersions::pop_delete(Request& request, const Place& place) const {
  VersionPages pages(request, next(), container_path(place.path, place.container),
                     old_prefix(place.path.object));
  bool authorized = false;
  while (const auto row = pages.take()) {
    if (!std::exchange(authorized, true)) {
      if (auto refusal = refused_to_write(request, next(), kSource)) return std::move(*refusal);
    }
    const std::string version = place.version(row->text_at("name"));
    if (row->text_at("content_type") != kDeleteMarker) {
      auto restored = restore(request, version);
      if (!restored) continue;
      return restored->is_success() ? remove(request, version) : std::move(*restored);
    }
    Request head = make_subrequest(request, "HEAD", request.path, kSource, true);
    head.headers.set("X-Newest", "True");
    const Response current = next()(head);
    if (current.status != 404) {
      if (auto bad = problem(current, request)) return std::move(*bad);
      break;  // with the current one gone the marker is what counts
    }
    if (auto bad = restore_older(request, place, pages)) return std::move(*bad);
    return remove(request, version);
  }
  if (pages.refusal) return std::move(*pages.refusal);
  return next()(request);
}

}  // namespace apus::versioned_writes
