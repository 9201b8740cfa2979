#include "middleware/versioned_writes/version_listings.h"

#include <apus/accept.h>
#include <apus/account_info.h>
#include <apus/constraints.h>

#include <algorithm>
#include <map>
#include <set>

#include "middleware/versioned_writes/moves.h"
#include "middleware/versioned_writes/rows.h"
#include "middleware/versioned_writes/version_names.h"

namespace apus::versioned_writes {
namespace {

constexpr const char* kEnabledField = "X-Versions-Enabled";
constexpr const char* kStoredEnabled = "X-Container-Sysmeta-Versions-Enabled";
constexpr const char* kStoredContainer = "X-Container-Sysmeta-Versions-Container";
constexpr const char* kPage = "text/html; charset=UTF-8";
constexpr std::string_view kLinkMember = "\"symlink_path\"";

Request hidden_request(const Request& parent, std::string method, std::string path) {
  Request out = make_subrequest(parent, std::move(method), std::move(path), kVersionSource, true);
  out.context.allow_reserved_names = true;
  return out;
}

std::string sort_key(const Json& row) {
  return row.find("subdir") != nullptr ? row.text_at("subdir") : row.text_at("name");
}

// The row without the members named.
Json without(const Json& row, std::initializer_list<std::string_view> names) {
  Json::Object out;
  for (const auto& member : *row.object())
    if (std::find(names.begin(), names.end(), member.first) == names.end()) out.push_back(member);
  return Json(std::move(out));
}

std::optional<Json::Array> rows_of(std::string_view text) {
  const auto json = Json::parse(text);
  if (!json || json->array() == nullptr) return std::nullopt;
  const auto& rows = *json->array();
  if (std::any_of(rows.begin(), rows.end(), [](const Json& row) { return !row.object(); }))
    return std::nullopt;
  return rows;
}

std::optional<Json::Array> read_rows(Response& answer, std::string& text) {
  text = read_all(answer.body.get(), kMaxListing);
  return rows_of(text);
}

Response with_body(Response answer, std::string text) {
  answer.content_length = text.size();
  answer.body = std::make_unique<StringSource>(std::move(text));
  return answer;
}

// Rows in name order, at most as many as were asked for.
std::string merged(Json::Array rows, const Request& request, std::int64_t most) {
  const bool reverse = is_true(request.query.get("reverse"));
  std::stable_sort(rows.begin(), rows.end(), [&](const Json& a, const Json& b) {
    return reverse ? sort_key(b) < sort_key(a) : sort_key(a) < sort_key(b);
  });
  const auto limit = std::min(parse_digits(request.query.get("limit")).value_or(most), most);
  if (rows.size() > static_cast<std::size_t>(limit)) rows.resize(static_cast<std::size_t>(limit));
  return Json(std::move(rows)).dump();
}

bool takes_json(const Request& request) {
  static constexpr std::string_view kJson[] = {"application/json"};
  const AcceptChoice choice = choose_type(request.headers.get("Accept"), kJson);
  return choice.malformed || choice.best.has_value();
}

// Rows that are links into `hidden` show the ETag and the size of the version behind.
void show_targets(Json::Array& rows, const ApiPath& path, const std::string& hidden,
                  bool keep_path) {
  for (Json& row : rows) {
    if (row.find("symlink_path") == nullptr || row.find("symlink_etag") == nullptr ||
        row.find("symlink_bytes") == nullptr)
      continue;
    const std::string target = unquote(row.text_at("symlink_path"));
    const auto at = split_api_path(target, 4);
    if (!at || at->container != hidden) continue;
    std::string hash = row.text_at("symlink_etag");
    for (const auto& [name, value] : parse_parameterized(row.text_at("hash")).parameters)
      hash.append("; ").append(name).append("=").append(value);
    const std::int64_t bytes = row.integer_at("symlink_bytes");
    row = without(row, {"symlink_bytes", "symlink_etag"});
    row.set("bytes", bytes);
    row.set("version_symlink", true);
    row.set("hash", hash);
    const auto version = parse_version(at->object);
    if (version && !keep_path) {
      row.set("symlink_path", quote("/v1/" + std::string(at->account) + "/" +
                                    std::string(path.container) + "/" + version->object) +
                                  "?version-id=" + version->moment.internal());
    }
  }
}

// The version a link of `current` points to, as a row of its own.
Json row_of_link(const Json& link, const Version& version, bool latest) {
  Json out;
  out.set("name", version.object);
  out.set("is_latest", latest);
  out.set("version_id", version.moment.internal());
  for (const char* name : {"content_type", "bytes", "hash", "last_modified"})
    if (const Json* value = link.find(name)) out.set(name, *value);
  return out;
}

// marker and version_marker become one marker among the hidden names. A refusal when they are
// wrong.
std::optional<Response> translate_markers(Query& query) {
  const std::string marker(query.get("marker"));
  if (const std::string* version = query.find("version_marker")) {
    if (!query.has("marker")) return Response(400, "version_marker param requires marker", kPage);
    if (*version == "null") {
      query.set("marker", version_prefix(marker));  // the null version comes before all others
      return std::nullopt;
    }
    const auto moment = Timestamp::parse(*version);
    if (!moment) return Response(400, "invalid version_marker param", kPage);
    query.set("marker", version_name(marker, *moment));
  } else if (query.has("marker")) {
    // Past all of its versions: ':' comes after every digit.
    query.set("marker", version_prefix(marker) + ":");
  }
  return std::nullopt;
}

}  // namespace

// ---- accounts ----

// Containers count the bytes of their versions.
Response VersionListings::account(Request& request, const ApiPath& path) const {
  const std::string account_path = "/v1/" + std::string(path.account);
  Response out = next_(request);
  if (request.method != "GET" || !out.is_success()) return out;
  std::string text;
  auto rows = read_rows(out, text);
  if (!rows) return with_body(std::move(out), std::move(text));
  Request get = hidden_request(request, "GET", account_path);
  get.query = request.query;
  for (const char* name : {"prefix", "marker", "end_marker"}) {
    if (!request.query.has(name)) continue;
    if (const auto hidden = versions_container(request.query.get(name)))
      get.query.set(name, *hidden);
  }
  if (!request.query.has("prefix")) get.query.set("prefix", *reserved_name({"versions"}));
  Response answer = next_(get);
  std::string hidden_text;
  std::map<std::string, Json> hidden;
  for (const Json& row : read_rows(answer, hidden_text).value_or(Json::Array()))
    if (row.find("name") != nullptr) hidden.emplace(owner_of(row.text_at("name")), row);
  for (Json& row : *rows) {
    const auto found = hidden.find(row.text_at("name"));
    if (row.find("name") == nullptr || found == hidden.end()) continue;
    row.set("bytes", row.integer_at("bytes") + found->second.integer_at("bytes"));
    hidden.erase(found);
  }
  // What is left lost its container: shown, so that somebody can clean up.
  for (auto& [name, row] : hidden) {
    row.set("name", name);
    row.set("count", 0);
    rows->push_back(row);
  }
  return with_body(std::move(out),
                   merged(std::move(*rows), request, conf_.constraints.account_listing_limit));
}

// ---- containers ----

Response VersionListings::container(Request& request, const ApiPath& path) const {
  const bool writes = request.method == "PUT" || request.method == "POST";
  if (writes && request.headers.has(kEnabledField)) return enable(request, path);
  if (request.method == "DELETE") return remove(request, path);
  return show(request, path);
}

Response VersionListings::enable(Request& request, const ApiPath& path) const {
  const auto info =
      get_container_info(request, next_, path.account, path.container, kVersionSource);
  if (!field_of(info->sysmeta, "versions-location").empty() || !info->versions.empty()) {
    return Response(400,
                    "Cannot enable object versioning on a container that is already using the "
                    "legacy versioned writes feature.",
                    kPage);
  }
  if (!info->sync_to.empty()) {
    return Response(400,
                    "Cannot enable object versioning on a container configured as source of "
                    "container syncing.",
                    kPage);
  }
  const bool on = is_true(request.headers.get(kEnabledField));
  request.internal.set(kStoredEnabled, on ? "True" : "False");
  const auto hidden = versions_container(path.container);
  const std::string hidden_path = container_path(path, hidden.value_or(""));
  if (on && hidden) {
    Request put = hidden_request(request, "PUT", hidden_path);
    if (info->is_success()) {
      const StoragePolicy* policy = conf_.policy(info->storage_policy);
      if (policy != nullptr && policy->deprecated) {
        if (request.context.authorize)
          if (auto refusal = request.context.authorize(request)) return std::move(*refusal);
        return Response(400,
                        "Cannot enable object versioning on a container that uses a deprecated "
                        "storage policy.",
                        kPage);
      }
      if (policy != nullptr) put.headers.set("X-Storage-Policy", policy->name);
    } else if (const std::string* policy = request.headers.find("X-Storage-Policy");
               policy != nullptr && request.method == "PUT") {
      put.headers.set("X-Storage-Policy", *policy);
    }
    put.content_length = 0;
    const Response made = next_(put);
    if (!made.is_success() && made.status != 409)
      return Response(500, "Error enabling object versioning", kPage);
    request.internal.set(kStoredContainer, quote(*hidden));
  }
  const bool made_hidden = request.internal.has(kStoredContainer);
  Response out = next_(request);
  if (!out.is_success() && made_hidden) {
    Request undo = hidden_request(request, "DELETE", hidden_path);
    next_(undo);
  }
  if (const std::string* enabled = out.internal.find(kStoredEnabled))
    out.headers.set(kEnabledField, *enabled);
  return out;
}

// A container goes only after its versions, and takes the hidden one along.
Response VersionListings::remove(Request& request, const ApiPath& path) const {
  const auto info =
      get_container_info(request, next_, path.account, path.container, kVersionSource);
  const std::string hidden = unquote(field_of(info->sysmeta, "versions-container"));
  if (!hidden.empty()) {
    Request head = hidden_request(request, "HEAD", container_path(path, hidden));
    const Response state = next_(head);
    if (state.is_success() &&
        parse_digits(state.headers.get("X-Container-Object-Count")).value_or(0) > 0)
      return Response(409, "Delete all versions before deleting container.", kPage);
    if (!state.is_success() && state.status != 404)
      return Response(500, "Error deleting versioned container", kPage);
    Request gone = hidden_request(request, "DELETE", container_path(path, hidden));
    const Response removed = next_(gone);
    if (!removed.is_success() && removed.status != 404)
      return Response(500, "Error deleting versioned container", kPage);
  }
  return next_(request);
}

Response VersionListings::show(Request& request, const ApiPath& path) const {
  Response out = next_(request);
  if (const std::string* enabled = out.internal.find(kStoredEnabled))
    out.headers.set(kEnabledField, *enabled);
  std::string hidden = unquote(out.internal.get(kStoredContainer));
  if (!hidden.empty()) {
    if (const auto bytes = parse_digits(out.headers.get("X-Container-Bytes-Used"))) {
      Request head = hidden_request(request, "HEAD", container_path(path, hidden));
      const Response state = next_(head);
      if (state.is_success()) {
        const auto more = parse_digits(state.headers.get("X-Container-Bytes-Used"));
        out.headers.set("X-Container-Bytes-Used", std::to_string(*bytes + more.value_or(0)));
      }
    }
  } else if (out.is_success()) {
    // The metadata at hand may be old: versions may be there all the same.
    hidden = versions_container(path.container).value_or("");
  }
  if (request.method != "GET" || !out.is_success()) return out;
  const bool with_versions = request.query.has("versions");
  std::string text = read_all(out.body.get(), kMaxListing);
  // A listing without links has nothing to show otherwise.
  if (!with_versions && text.find(kLinkMember) == std::string::npos)
    return with_body(std::move(out), std::move(text));
  auto rows = rows_of(text);
  if (!rows) return with_body(std::move(out), std::move(text));
  show_targets(*rows, path, hidden, with_versions);
  if (with_versions) return list_versions(request, path, hidden, std::move(*rows), std::move(out));
  return with_body(std::move(out), Json(std::move(*rows)).dump());
}

// The versions of all objects, the newest of each marked; `current` is the plain listing.
Response VersionListings::list_versions(Request& request, const ApiPath& path,
                                        const std::string& hidden, Json::Array current,
                                        Response answer) const {
  request.context.format_listing = false;
  if (!takes_json(request)) return error_response(406);
  Query query = request.query;
  if (auto bad = translate_markers(query)) return std::move(*bad);
  if (query.get("delimiter").find_first_of(std::string_view("0123456789.\0", 12)) !=
      std::string_view::npos)
    return Response(400, "invalid delimiter param", kPage);

  Json::Array listed;
  std::set<std::string> subdirs;
  std::map<std::string, Json> links;  // by the path of what they point to
  std::set<std::string> with_latest;
  for (Json& row : current) {
    if (row.find("name") == nullptr) {
      subdirs.insert(row.text_at("subdir"));
    } else if (row.find("version_symlink") != nullptr) {
      links.emplace(unquote(row.text_at("symlink_path")), row);
    } else {
      with_latest.insert(row.text_at("name"));
      row.set("version_id", "null");
      row.set("is_latest", true);
      listed.push_back(row);
    }
  }

  Request get = hidden_request(request, "GET", container_path(path, hidden));
  if (query.has("prefix"))
    get.query.set("prefix", std::string(1, '\0') + std::string(query.get("prefix")));
  for (const char* name : {"marker", "limit", "delimiter", "reverse"})
    if (query.has(name)) get.query.set(name, query.get(name));
  get.query.set("format", "json");
  Response found = next_(get);
  if (!found.is_success() && found.status != 404) return found;
  std::string text;
  const Json::Array rows =
      found.is_success() ? read_rows(found, text).value_or(Json::Array()) : Json::Array();
  for (Json row : rows) {
    if (row.find("name") == nullptr) {
      const auto pieces = split_reserved_name(row.text_at("subdir"));
      if (pieces && !pieces->empty()) subdirs.insert(pieces->front());
      continue;
    }
    const std::string name = row.text_at("name");
    const auto version = parse_version(name);
    if (!version) continue;
    const bool is_current = links.erase(container_path(path, hidden) + "/" + name) != 0;
    const bool is_deletion = row.text_at("content_type") == kDeleteMarker;
    const bool latest =
        is_current || (is_deletion && with_latest.find(version->object) == with_latest.end());
    if (latest) with_latest.insert(version->object);
    row.set("is_latest", latest);
    row.set("name", version->object);
    row.set("version_id", version->moment.internal());
    listed.push_back(std::move(row));
  }
  for (const std::string& subdir : subdirs) {
    Json row;
    row.set("subdir", subdir);
    listed.push_back(std::move(row));
  }
  // Of links whose versions are not listed only those count that have no hidden container: in one
  // that is being sharded a version may be listed later than its link, and then in its order.
  if (found.status != 404) links.clear();
  for (const auto& [target, link] : links) {
    const auto at = split_api_path(target, 4);
    const auto version = at ? parse_version(at->object) : std::nullopt;
    if (version)
      listed.push_back(row_of_link(link, *version, with_latest.insert(version->object).second));
  }
  return with_body(std::move(answer),
                   merged(std::move(listed), request, conf_.constraints.container_listing_limit));
}

}  // namespace apus::versioned_writes
