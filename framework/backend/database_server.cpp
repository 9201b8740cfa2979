#include "framework/backend/database_server.h"

#include <apus/text.h>

#include <system_error>

namespace apus {

DatabaseServer::DatabaseServer(Host& host_in, const Options& options, std::string directory)
    : host(host_in),
      log(host_in.logger(options)),
      devices_(options.text("devices"), options.flag("mount_check")),
      directory_(std::move(directory)) {}

BrokerServices DatabaseServer::services() const {
  return {host.disk(), host.clock(), host.entropy(),
          log,         connections_, host.swift_conf().constraints};
}

std::optional<DatabasePlace> DatabaseServer::place(const Request& request, const BackendPath& path,
                                                   Response& refusal) const {
  DatabasePlace out{devices_.folder(path.device), directory_, std::string(path.partition), ""};
  if (out.device.empty()) {
    refusal = insufficient_storage(request, path.device);
    return std::nullopt;
  }
  const bool containers = directory_ == "containers";
  out.hash =
      host.swift_conf().hash_path(path.account, containers ? path.container : std::string_view());
  return out;
}

Response DatabaseServer::guard(const Request& request,
                               const std::function<Response()>& handler) const {
  try {
    return handler();
  } catch (const DatabaseError& error) {
    log.error("database of " + request.path + ": " + error.what(), request.context.trans_id);
    return error_response(error.locked() ? 503 : 500, request.method == "HEAD");
  } catch (const std::system_error& error) {
    log.error("database of " + request.path + ": " + error.what(), request.context.trans_id);
    const bool full = error.code().value() == ENOSPC || error.code().value() == EDQUOT;
    return error_response(full ? 507 : 500, request.method == "HEAD");
  }
}

Headers kept_fields(const Request& request, std::string_view kind,
                    std::span<const std::string_view> also) {
  Headers out;
  const std::string meta = "X-" + std::string(kind) + "-Meta-";
  const std::string system = "X-" + std::string(kind) + "-Sysmeta-";
  for (const auto& [name, value] : request.headers) {
    const bool listed = std::any_of(also.begin(), also.end(),
                                    [&](std::string_view n) { return same_name(n, name); });
    if (listed || (starts_with_name(name, meta) && name.size() > meta.size()))
      out.set(name, std::string(trim(value)));
  }
  for (const auto& [name, value] : request.internal) {
    if (starts_with_name(name, system) && name.size() > system.size()) out.set(name, value);
  }
  return out;
}

void show_metadata(Response& response, const DatabaseMetadata& metadata) {
  for (const auto& [name, value] : metadata) {
    if (value.first.empty()) continue;
    (is_internal_name(name) ? response.internal : response.headers).set(name, value.first);
  }
}

std::optional<ListingQuery> listing_query(const Request& request, std::int64_t max_limit,
                                          Response& refusal) {
  ListingQuery out;
  for (const char* name : {"marker", "end_marker", "prefix", "delimiter", "path"}) {
    if (is_utf8(request.query.get(name))) continue;
    refusal = bad_request(request, "\"" + std::string(name) + "\" parameter not valid UTF-8");
    return std::nullopt;
  }
  out.limit = max_limit;
  if (const auto limit = parse_digits(request.query.get("limit"))) {
    if (*limit > max_limit) {
      refusal = Response(412, "Maximum limit is " + std::to_string(max_limit),
                         "text/html; charset=UTF-8");
      return std::nullopt;
    }
    out.limit = *limit;
  }
  out.marker = request.query.get("marker");
  out.end_marker = request.query.get("end_marker");
  out.prefix = request.query.get("prefix");
  out.delimiter = request.query.get("delimiter");
  if (const std::string* path = request.query.find("path")) out.path = *path;
  out.reverse = is_true(request.query.get("reverse"));
  out.allow_reserved = is_true(fact(request, "X-Backend-Allow-Reserved-Names"));
  return out;
}

void answer_listing(const Request& request, Response& response, ListingKind kind,
                    ListingFormat format, std::string_view owner,
                    const std::vector<ListingEntry>& entries) {
  response.headers.set("Content-Type", std::string(listing_content_type(format)));
  ListingWriter writer(kind, format, owner);
  for (const ListingEntry& entry : entries) writer.add(entry);
  std::string text = writer.finish();
  if (text.empty()) response.status = 204;
  response.content_length = text.size();
  if (request.method != "HEAD" && !text.empty())
    response.body = std::make_unique<StringSource>(std::move(text));
}

}  // namespace apus
