// tempurl: a signed link lets whoever holds it do one thing to one object (or prefix) for a while.
#include <apus/json.h>
#include <apus/plugin.h>
#include <apus/signed_url.h>

#include <algorithm>
#include <array>

#include "middleware/tempurl/ip_range.h"
#include "middleware/tempurl/tempurl_query.h"

namespace apus {
namespace {

using enum OptionType;
using tempurl::TempurlQuery;

constexpr std::array kOptions = {
    OptionSpec{"methods", kList, "GET HEAD PUT POST DELETE", "verbs that links may allow"},
    OptionSpec{"incoming_remove_headers", kList, "x-timestamp",
               "fields taken from requests; a final * is a prefix"},
    OptionSpec{"incoming_allow_headers", kList, "", "exceptions to those"},
    OptionSpec{"outgoing_remove_headers", kList, "x-object-meta-*",
               "fields taken from answers; a final * is a prefix"},
    OptionSpec{"outgoing_allow_headers", kList, "x-object-meta-public-*", "exceptions to those"},
    OptionSpec{"allowed_digests", kText, "", "words of: sha1 sha256 sha512; empty = all"},
    OptionSpec{"path_prefix", kText, "", "what stands before /v1 in signed paths"},
};

// What would make one object stand for others (CVE-2015-5223).
constexpr std::array<std::string_view, 3> kDisallowed = {"X-Object-Manifest", "X-Symlink-Target",
                                                         "X-Copy-From"};
constexpr std::string_view kInvalid = "401 Unauthorized: Temp URL invalid\n";

// Field names, some of them prefixes.
class FieldNames {
 public:
  explicit FieldNames(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}
  bool fits(std::string_view name) const {
    return std::any_of(patterns_.begin(), patterns_.end(), [&](std::string_view pattern) {
      return pattern.ends_with('*') ? starts_with_name(name, pattern.substr(0, pattern.size() - 1))
                                    : same_name(name, pattern);
    });
  }
  Json names() const { return Json::Array(patterns_.begin(), patterns_.end()); }

 private:
  std::vector<std::string> patterns_;
};

struct FieldRule {
  FieldNames remove;
  FieldNames allow;
  void apply(Headers& fields) const {
    fields.erase_if([&](std::string_view name) { return remove.fits(name) && !allow.fits(name); });
  }
};

std::string disposition(std::string_view type, std::string_view filename) {
  return std::string(type) + "; filename=\"" + quote(filename, " /") + "\"; filename*=UTF-8''" +
         quote(filename);
}

std::string base_name(std::string_view path) {
  path = path.substr(0, path.find_last_not_of('/') + 1);
  return std::string(path.substr(path.rfind('/') + 1));
}

bool reads(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

// The realm says nothing of the account, for nothing was asked of it.
Response invalid(const Request& request) {
  Response out = unauthorized_response(request, kInvalid);
  out.headers.set("Www-Authenticate", "Swift realm=\"unknown\"");
  return out;
}

// Lets pass what stays within the key's account or container, whatever filters make of the request.
AuthorizeHook within(const ApiPath& path, bool whole_account) {
  return [account = std::string(path.account), container = std::string(path.container),
          whole_account](Request& asked) -> std::optional<Response> {
    const auto now = split_api_path(asked.path, whole_account ? 2 : 3);
    if (now && now->account == account && (whole_account || now->container == container))
      return std::nullopt;
    return unauthorized_response(asked);
  };
}

class TempurlFilter final : public Filter {
 public:
  TempurlFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        methods_(args.options.list("methods")),
        incoming_{FieldNames(args.options.list("incoming_remove_headers")),
                  FieldNames(args.options.list("incoming_allow_headers"))},
        outgoing_{FieldNames(args.options.list("outgoing_remove_headers")),
                  FieldNames(args.options.list("outgoing_allow_headers"))},
        digests_(args.options, args.host.logger(args.options)) {
    std::string prefix = args.options.text("path_prefix");
    prefix.erase(0, prefix.find_first_not_of('/'));
    prefix.erase(prefix.find_last_not_of('/') + 1);
    if (!prefix.empty()) path_prefix_ = "/" + prefix;
    describe();
  }

  Response operator()(Request& request) const override {
    if (request.method == "OPTIONS") return next()(request);
    const TempurlQuery link(request.query);
    if (!link.signature && !link.expires) return next()(request);
    const std::string path_text = request.path;
    // With an empty prefix the container's root passes, for the sake of staticweb's listings.
    const bool root = reads(request) && link.prefix && link.prefix->empty();
    const auto path = split_api_path(path_text, root ? 3 : 4);
    const auto key = path && path->version == "v1" ? find_key(request, *path, link) : std::nullopt;
    if (!key) return invalid(request);
    if (auto refusal = refuse_links(request)) return std::move(*refusal);
    incoming_.apply(request.headers);
    request.context.authorize = within(*path, key->whole_account);
    request.context.authorize_override = true;
    request.context.remote_user = ".wsgi.tempurl";
    rewrite_query(request, link);
    const bool shown = reads(request);
    Response out = next()(request);
    outgoing_.apply(out.headers);
    if (!shown || !out.is_success()) return out;
    const bool listing = out.internal.get("X-Backend-Content-Generator") == "staticweb";
    if (path->object.empty() && !listing) return invalid(request);
    dress(out, link, path_text, listing || link.inline_shown);
    return out;
  }

 private:
  void describe() const {
    Json section;
    section.set("methods", Json::Array(methods_.begin(), methods_.end()));
    section.set("incoming_remove_headers", incoming_.remove.names());
    section.set("incoming_allow_headers", incoming_.allow.names());
    section.set("outgoing_remove_headers", outgoing_.remove.names());
    section.set("outgoing_allow_headers", outgoing_.allow.names());
    digests_.describe(section);
    host_.info().set("tempurl", section.dump());
  }

  // The key that signed this request; nothing when it may not pass.
  std::optional<ScopedKey> find_key(Request& request, const ApiPath& path,
                                    const TempurlQuery& link) const {
    if (!link.signature || link.signature->empty() || !link.expires ||
        static_cast<double>(*link.expires) < host_.clock().now())
      return std::nullopt;
    const auto signature = parse_signature(*link.signature);
    const auto kind = signature ? digests_.kind(signature->algorithm) : std::nullopt;
    if (!kind || !may_use(request, path, link)) return std::nullopt;
    const auto keys = temp_url_keys(request, next(), path.account, path.container, "TU");
    const std::vector<std::string> messages = signed_texts(request, path, link);
    std::optional<ScopedKey> found;
    for (const ScopedKey& key : keys) {
      for (const std::string& message : messages) {
        const bool same =
            constant_time_equal(to_hex(hmac(*kind, key.key, message)), signature->hex);
        if (same && !found) found = key;
      }
    }
    if (found) host_.metrics().increment("tempurl.digests." + signature->algorithm);
    return found;
  }

  bool may_use(const Request& request, const ApiPath& path, const TempurlQuery& link) const {
    return std::find(methods_.begin(), methods_.end(), request.method) != methods_.end() &&
           (path.object.find_first_not_of('/') != std::string_view::npos ||
            (reads(request) && link.prefix && link.prefix->empty())) &&
           (!link.prefix || path.object.starts_with(*link.prefix)) &&
           (link.ip_range.empty() ||
            tempurl::in_ip_range(link.ip_range, request.context.remote_address));
  }

  // HEAD is allowed by a link for any of the others too.
  std::vector<std::string> signed_texts(const Request& request, const ApiPath& path,
                                        const TempurlQuery& link) const {
    const std::string container =
        "/v1/" + std::string(path.account) + "/" + std::string(path.container) + "/";
    const std::string what = path_prefix_ + (link.prefix ? "prefix:" + container + *link.prefix
                                                         : container + std::string(path.object));
    const std::string range = link.ip_range.empty() ? "" : "ip=" + link.ip_range + "\n";
    const std::vector<std::string> verbs =
        request.method == "HEAD" ? std::vector<std::string>{"HEAD", "GET", "POST", "PUT"}
                                 : std::vector<std::string>{request.method};
    std::vector<std::string> out;
    out.reserve(verbs.size());
    for (const std::string& verb : verbs)
      out.push_back(range + verb + "\n" + std::to_string(*link.expires) + "\n" + what);
    return out;
  }

  static std::optional<Response> refuse_links(const Request& request) {
    if (reads(request)) return std::nullopt;
    for (const std::string_view name : kDisallowed) {
      if (!request.headers.has(name)) continue;
      return Response(400, "The header " + python_repr(name) + " is not allowed in this tempurl",
                      "text/html; charset=UTF-8");
    }
    return std::nullopt;
  }

  // The link's own words are all that is left: no multipart-manifest, no format.
  static void rewrite_query(Request& request, const TempurlQuery& link) {
    Query query;
    query.set("temp_url_sig", *link.signature);
    query.set("temp_url_expires", std::to_string(*link.expires));
    if (link.prefix) query.set("temp_url_prefix", *link.prefix);
    if (!link.filename.empty()) query.set("filename", link.filename);
    if (!link.ip_range.empty()) query.set("temp_url_ip_range", link.ip_range);
    if (link.inline_shown) query.set("inline", "");
    request.raw_query = query.encode();
    request.query = std::move(query);
  }

  static void dress(Response& out, const TempurlQuery& link, std::string_view path,
                    bool inline_shown) {
    std::string value;
    const std::string* there = out.headers.find("Content-Disposition");
    if (inline_shown) {
      value = link.filename.empty() ? "inline" : disposition("inline", link.filename);
    } else if (!link.filename.empty()) {
      value = disposition("attachment", link.filename);
    } else {
      value = there != nullptr ? *there : disposition("attachment", base_name(path));
    }
    out.headers.set("Content-Disposition", value);
    out.headers.set("Expires", http_date(*link.expires));
  }

  Host& host_;
  std::vector<std::string> methods_;
  FieldRule incoming_;
  FieldRule outgoing_;
  AllowedDigests digests_;
  std::string path_prefix_;
};

}  // namespace

APUS_EXPORT_FILTER("tempurl", "1.0", TempurlFilter, kOptions)

}  // namespace apus
