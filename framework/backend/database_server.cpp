#include "framework/backend/database_server.h"

#include <apus/text.h>
#include <fcntl.h>

#include <algorithm>
#include <system_error>

namespace apus {
namespace {

constexpr const char* kVersion = "2.30.1";  // the Swift whose answers these are

}  // namespace

DatabaseServer::DatabaseServer(Host& host_in, const Options& options, std::string directory,
                               std::vector<std::string> verbs)
    : host(host_in),
      log(host_in.logger(options)),
      devices_(options.text("devices"), options.flag("mount_check")),
      directory_(std::move(directory)),
      verbs_(std::move(verbs)),
      reserve_(parse_reserve(options.text("fallocate_reserve"))),
      preallocate_(options.flag("db_preallocation")) {
  if (options.flag("replication_server")) {
    verbs_.emplace_back("REPLICATE");
    std::sort(verbs_.begin(), verbs_.end());
  }
  for (const std::string& verb : verbs_) allowed_.append(allowed_.empty() ? "" : ", ").append(verb);
}

BrokerServices DatabaseServer::services() const {
  return {host.disk(),  host.clock(), host.entropy(),
          log,          connections_, host.swift_conf().constraints,
          preallocate_, &pending_};
}

bool DatabaseServer::allows(std::string_view verb) const {
  return std::find(verbs_.begin(), verbs_.end(), verb) != verbs_.end();
}

Response DatabaseServer::options() const {
  Response out(200, "", kHtmlPage);
  out.headers.set("Allow", allowed_);
  out.headers.set("Server", directory_.substr(0, directory_.size() - 1) + "-server/" + kVersion);
  return out;
}

bool DatabaseServer::has_space(const std::string& folder) const {
  Disk& disk = host.disk();
  const Fd fd(disk, disk.open(folder, O_RDONLY | O_DIRECTORY));
  std::uint64_t free = 0;
  std::uint64_t total = 0;
  if (!fd || disk.space(fd.get(), free, total) != 0) return true;
  if (reserve_.percent > 0)
    return static_cast<double>(free) / static_cast<double>(total) * 100 >= reserve_.percent;
  return free >= reserve_.bytes;
}

std::optional<DatabasePlace> DatabaseServer::place_of_hash(const Request& request,
                                                           const BackendPath& path,
                                                           std::string hash,
                                                           Response& refusal) const {
  DatabasePlace out{devices_.folder(path.device), directory_, std::string(path.partition),
                    std::move(hash)};
  const bool writes =
      request.method != "GET" && request.method != "HEAD" && request.method != "DELETE";
  if (out.device.empty() || (writes && !has_space(out.device))) {
    refusal = insufficient_storage(request, path.device);
    return std::nullopt;
  }
  return out;
}

std::optional<DatabasePlace> DatabaseServer::place(const Request& request, const BackendPath& path,
                                                   Response& refusal) const {
  const bool containers = directory_ == "containers";
  return place_of_hash(
      request, path,
      host.swift_conf().hash_path(path.account, containers ? path.container : std::string_view()),
      refusal);
}

Response DatabaseServer::guard(const Request& request,
                               const std::function<Response()>& handler) const {
  try {
    return handler();
  } catch (const DatabaseError& error) {
    log.error("database of " + request.path + ": " + error.what(), request.context.trans_id);
    return error_response(error.locked() ? 503 : 500, request.method == "HEAD");
  } catch (const BodyError& error) {
    return error_response(error.status(), request.method == "HEAD");
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
    const bool listed = std::any_of(
        also.begin(), also.end(),
        [&, field = std::string_view(name)](std::string_view n) { return same_name(n, field); });
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

std::string normal_time(const std::string& text) {
  return Timestamp::parse(text).value_or(Timestamp()).normal();
}
std::string internal_time(const std::string& text) {
  return Timestamp::parse(text).value_or(Timestamp()).internal();
}

std::optional<ListingQuery> listing_query(const Request& request, std::int64_t max_limit,
                                          Response& refusal) {
  ListingQuery out;
  for (const char* name : {"marker", "end_marker", "prefix", "delimiter", "path", "format",
                           "reverse", "states", "includes"}) {
    if (is_utf8(request.query.get(name))) continue;
    refusal =
        bad_request(request, "\"" + std::string(name) + "\" parameter not valid UTF-8", kHtmlPage);
    return std::nullopt;
  }
  out.limit = max_limit;
  if (const auto limit = parse_digits(request.query.get("limit"))) {
    if (*limit > max_limit) {
      refusal = Response(412, "Maximum limit is " + std::to_string(max_limit), kHtmlPage);
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

void answer_listing(const Request& request, Response& response, ListingFormat format,
                    std::string text) {
  response.headers.set("Content-Type", std::string(listing_content_type(format)));
  if (text.empty()) response.status = 204;
  response.content_length = text.size();
  if (request.method != "HEAD" && !text.empty())
    response.body = std::make_unique<StringSource>(std::move(text));
}

}  // namespace apus
