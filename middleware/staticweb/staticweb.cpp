// staticweb: a container as a web site: index pages, error pages, listings.
#include <apus/account_info.h>
#include <apus/plugin.h>

#include <array>

#include "middleware/staticweb/listing_page.h"

namespace apus {
namespace {

using enum OptionType;
using staticweb::Settings;

constexpr std::array kOptions = {
    OptionSpec{"url_base", kText, "", "scheme://host of redirects; empty = as the request came"},
};

constexpr std::size_t kMaxListing = 64U << 20U;
constexpr std::string_view kTempurlUser = ".wsgi.tempurl";

std::string trimmed(const InfoFields& meta, std::string_view name) {
  return std::string(trim(field_of(meta, name)));
}

Settings settings_of(const ContainerInfo& info) {
  if (!info.is_success()) return {};
  return {trimmed(info.meta, "web-index"),          trimmed(info.meta, "web-error"),
          trimmed(info.meta, "web-listings"),       trimmed(info.meta, "web-listings-css"),
          trimmed(info.meta, "web-listings-label"), trimmed(info.meta, "web-directory-type")};
}

bool found(int status) { return status / 100 == 2 || status / 100 == 3; }

std::string agent(const Request& request) {
  return std::string(request.headers.get("User-Agent")) + " StaticWeb";
}

// The client's own request for another path of the same site.
Request again(const Request& request, std::string path) {
  Request out(request.method, std::move(path));
  out.query = request.query;
  out.raw_query = request.raw_query;
  out.protocol = request.protocol;
  out.headers = request.headers;
  out.internal = request.internal;
  out.context = request.context;
  out.context.source = "SW";
  out.headers.set("User-Agent", agent(request));
  return out;
}

// What a tempurl's own words look like behind another target, HTML-escaped.
std::string link_of(const Request& request, std::string_view prefix) {
  std::string out = "?temp_url_prefix=" + quote(prefix) +
                    "&amp;temp_url_expires=" + quote(request.query.get("temp_url_expires")) +
                    "&amp;temp_url_sig=" + quote(request.query.get("temp_url_sig"));
  if (const std::string* range = request.query.find("temp_url_ip_range"))
    out += "&amp;temp_url_ip_range=" + quote(*range);
  if (request.query.has("inline")) out += "&amp;inline";
  return out;
}

class StaticwebFilter final : public Filter {
 public:
  StaticwebFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        log_(args.host.logger(args.options)),
        url_base_(args.options.text("url_base")) {
    // Scheme and host alone.
    if (const std::size_t at = url_base_.find("://"); at != std::string::npos)
      url_base_ = url_base_.substr(0, url_base_.find('/', at + 3));
    args.host.info().set("staticweb", "{}");
  }

  Response operator()(Request& request) const override {
    if (!request.context.authorize) {
      log_.warning("No authentication middleware authorized request yet. Skipping staticweb",
                   request.context.trans_id);
      return next()(request);
    }
    const std::string path_text = request.path;
    const auto path = split_api_path(path_text, 3);
    const std::string& user = request.context.remote_user;
    const bool reads = request.method == "GET" || request.method == "HEAD";
    // A link to one object shows no listings; one to a prefix does.
    const bool linked = user == kTempurlUser && request.query.has("temp_url_prefix");
    const bool shown = user.empty() || linked || asks_for_web(request);
    if (!path || !reads || !shown) return next()(request);
    return path->object.empty() ? container(request, *path) : object(request, *path);
  }

 private:
  static bool asks_for_web(const Request& request) {
    return is_true(request.headers.get("X-Web-Mode"));
  }

  static std::string root_of(const ApiPath& path) {
    return "/" + std::string(path.version) + "/" + std::string(path.account) + "/" +
           std::string(path.container);
  }

  Request subrequest(const Request& request, std::string path) const {
    Request out = make_subrequest(request, "GET", std::move(path), "SW", false);
    for (const char* name : {"Referer", "Origin", "Access-Control-Request-Method", "Host"}) {
      if (const std::string* value = request.headers.find(name)) out.headers.set(name, *value);
    }
    out.headers.set("User-Agent", std::string(trim(agent(request))));
    return out;
  }

  Response container(Request& request, const ApiPath& path) const {
    const auto info = get_container_info(request, next(), path.account, path.container, "SW");
    const Settings settings = settings_of(*info);
    request.context.acl = info->read_acl;
    if (auto refusal = request.context.authorize(request))
      return with_error_page(request, path, settings, std::move(*refusal));
    if (settings.listings.empty() && settings.index.empty()) {
      if (asks_for_web(request)) return error_response(404, request.method == "HEAD");
      return next()(request);
    }
    if (!request.path.ends_with('/')) return redirect(request);
    if (settings.index.empty()) return listing(request, path, settings, "");
    Request index = again(request, request.path + settings.index);
    Response out = next()(index);
    if (out.status == 404) return listing(request, path, settings, "");
    if (found(out.status)) return out;
    return with_error_page(request, path, settings, std::move(out));
  }

  Response object(Request& request, const ApiPath& path) const {
    Request first = again(request, request.path);
    first.raw_path = request.raw_path;
    Response out = next()(first);
    const auto info = get_container_info(request, next(), path.account, path.container, "SW");
    const Settings settings = settings_of(*info);
    if (found(out.status) && !is_directory(out, settings)) return out;
    if (!found(out.status) && out.status != 404) return out;
    if (settings.listings.empty() && settings.index.empty()) return out;
    if (!settings.index.empty()) {
      const std::string slash = request.path.ends_with('/') ? "" : "/";
      Request index = again(request, request.path + slash + settings.index);
      Response page = next()(index);
      if (found(page.status)) return slash.empty() ? std::move(page) : redirect(request);
      if (page.status != 404) return with_error_page(request, path, settings, std::move(page));
    }
    if (request.path.ends_with('/'))
      return listing(request, path, settings, std::string(path.object));
    return redirect_if_folder(request, path, settings);
  }

  // An object that stands for a folder.
  static bool is_directory(const Response& response, const Settings& settings) {
    const std::string_view type = settings.directory_type.empty()
                                      ? std::string_view("application/directory")
                                      : std::string_view(settings.directory_type);
    return response.headers.get("Content-Type") == type && response.content_length.value_or(0) <= 1;
  }

  Response redirect_if_folder(Request& request, const ApiPath& path,
                              const Settings& settings) const {
    Request asked = subrequest(request, root_of(path));
    asked.query.set("limit", "1");
    asked.query.set("delimiter", "/");
    asked.query.set("prefix", std::string(path.object) + "/");
    asked.raw_query = asked.query.encode();
    Response out = next()(asked);
    const auto rows = out.is_success() ? read_rows(out) : std::nullopt;
    if (rows && !rows->empty()) return redirect(request);
    return with_error_page(request, path, settings, not_found(request));
  }

  static Response not_found(const Request& request) {
    return error_response(404, request.method == "HEAD");
  }

  static std::optional<Json::Array> read_rows(Response& response) {
    const auto json = Json::parse(read_all(response.body.get(), kMaxListing));
    if (!json || json->array() == nullptr) return std::nullopt;
    return *json->array();
  }

  Response listing(Request& request, const ApiPath& path, const Settings& settings,
                   const std::string& prefix) const {
    const std::string label = staticweb::label_of(settings, request.path);
    if (!is_true(settings.listings)) {
      Response page(404, staticweb::disabled_page(settings, label, prefix),
                    "text/html; charset=UTF-8");
      return with_error_page(request, path, settings, std::move(page));
    }
    Request asked = subrequest(request, root_of(path));
    asked.query.set("delimiter", "/");
    if (!prefix.empty()) asked.query.set("prefix", prefix);
    asked.raw_query = asked.query.encode();
    Response out = next()(asked);
    if (!out.is_success()) return with_error_page(request, path, settings, std::move(out));
    const auto rows = read_rows(out);
    if (!rows || (!prefix.empty() && rows->empty()))
      return with_error_page(request, path, settings, not_found(request));
    return page_of(request, settings, label, prefix, *rows);
  }

  static Response page_of(const Request& request, const Settings& settings,
                          const std::string& label, const std::string& prefix,
                          const Json::Array& rows) {
    std::string link;
    bool parent = !prefix.empty();
    const std::string* signed_prefix = request.query.find("temp_url_prefix");
    if (request.context.remote_user == kTempurlUser && signed_prefix != nullptr) {
      link = link_of(request, *signed_prefix);
      parent = prefix.size() > signed_prefix->size();
    }
    Response out(200, staticweb::listing_page(settings, label, prefix, rows, link, parent),
                 "text/html; charset=UTF-8");
    out.internal.set("X-Backend-Content-Generator", "staticweb");
    return out;
  }

  // The owner's own page for the status, if there is one.
  Response with_error_page(Request& request, const ApiPath& path, const Settings& settings,
                           Response plain) const {
    if (settings.error.empty()) return plain;
    Request asked =
        subrequest(request, root_of(path) + "/" + std::to_string(plain.status) + settings.error);
    Response page = next()(asked);
    if (!page.is_success()) return plain;
    page.status = plain.status;
    page.reason = plain.reason;
    return page;
  }

  Response redirect(const Request& request) const {
    Response out = error_response(301, request.method == "HEAD");
    std::string base = url_base_;
    if (base.empty() && !request.context.leave_relative_location)
      base = request.context.scheme + "://" +
             std::string(request.headers.get("Host", request.context.local_address));
    out.headers.set("Location", base + quote(request.path + "/"));
    return out;
  }

  Logger& log_;
  std::string url_base_;
};

}  // namespace

APUS_EXPORT_FILTER("staticweb", "1.0", StaticwebFilter, kOptions)

}  // namespace apus
