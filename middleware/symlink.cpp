// symlink: empty objects that stand for another; reads follow them, listings name their targets.
#include <apus/constraints.h>
#include <apus/json.h>
#include <apus/plugin.h>

#include <array>
#include <utility>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"symloop_max", OptionType::kInt, "2", "how many links one request follows", 0, 20},
};

constexpr const char* kTarget = "X-Symlink-Target";
constexpr const char* kTargetAccount = "X-Symlink-Target-Account";
constexpr const char* kTargetEtag = "X-Symlink-Target-Etag";
constexpr const char* kTargetBytes = "X-Symlink-Target-Bytes";
constexpr const char* kStoredTarget = "X-Object-Sysmeta-Symlink-Target";
constexpr const char* kStoredAccount = "X-Object-Sysmeta-Symlink-Target-Account";
constexpr const char* kStoredEtag = "X-Object-Sysmeta-Symlink-Target-Etag";
constexpr const char* kStoredBytes = "X-Object-Sysmeta-Symlink-Target-Bytes";
constexpr const char* kLoopExtend = "X-Object-Sysmeta-Symloop-Extend";
constexpr const char* kReservedTarget = "X-Object-Sysmeta-Allow-Reserved-Names";
constexpr const char* kListingEtag = "X-Object-Sysmeta-Container-Update-Override-Etag";
constexpr const char* kIgnoreRange = "X-Backend-Ignore-Range-If-Metadata-Present";
constexpr const char* kEmptyDigest = "d41d8cd98f00b204e9800998ecf8427e";

constexpr std::array<std::pair<const char*, const char*>, 4> kStoredAs = {
    std::pair{kTarget, kStoredTarget}, std::pair{kTargetAccount, kStoredAccount},
    std::pair{kTargetEtag, kStoredEtag}, std::pair{kTargetBytes, kStoredBytes}};

// Links that extend the loop are followed without being counted; this bounds even those.
constexpr int kMaxHops = 40;
constexpr std::size_t kMaxListing = 64U << 20U;

Response conflict(std::string text, const std::string& location) {
  Response out(409, std::move(text));
  out.headers.set("Content-Location", location);
  return out;
}

// The link's target as a path still percent-encoded: "/v1/ACCOUNT/CONTAINER/OBJECT".
std::string target_path(const ApiPath& link, const Headers& stored, std::string_view target) {
  while (target.starts_with('/')) target.remove_prefix(1);
  std::string account(stored.get(kStoredAccount));
  if (account.empty()) account = quote(link.account);
  return "/" + std::string(link.version) + "/" + account + "/" + std::string(target);
}

class SymlinkFilter final : public Filter {
 public:
  SymlinkFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)), symloop_max_(args.options.integer("symloop_max")) {
    Json section;
    section.set("symloop_max", symloop_max_);
    section.set("static_links", true);
    args.host.info().set("symlink", section.dump());
  }

  Response operator()(Request& request) const override {
    const auto path = split_api_path(request.path, 3);
    if (!path) return next()(request);
    if (path->object.empty()) return container(request, *path);
    if (request.method == "GET" || request.method == "HEAD") return read(request);
    if (request.method == "PUT" && request.headers.has(kTarget)) return put(request, *path);
    if (request.method == "POST") return post(request, *path);
    return next()(request);
  }

 private:
  // ---- reading ----

  Response read(Request& request) const {
    if (request.query.get("symlink") == "get") {
      Response out = next()(request);
      for (const auto& [shown, stored] : kStoredAs)
        if (const std::string* value = out.internal.find(stored)) out.headers.set(shown, *value);
      return out;
    }
    const std::string ignored(request.internal.get(kIgnoreRange));
    request.internal.set(kIgnoreRange,
                         ignored.empty() ? kStoredTarget : ignored + ", " + kStoredTarget);
    Response out = follow(request, {}, {}, true);
    if (request.method == "HEAD") out.body.reset();
    return out;
  }

  // Reads `request` and whatever its answer links to. `wanted_etag` is what the first answer must
  // have, `location` how its path was named by a link; both may be empty. `soft` follows links
  // without an ETag too.
  Response follow(Request& request, std::string wanted_etag, std::string location,
                  bool soft) const {
    Request hop;
    Request* current = &request;
    std::int64_t counted = 0;
    for (int hops = 0;; ++hops) {
      Response found = next()(*current);
      const std::string target(found.internal.get(kStoredTarget));
      const std::string target_etag(found.internal.get(kStoredEtag));
      if (target.empty() || (target_etag.empty() && !soft))
        return arrived(std::move(found), wanted_etag, location);
      const std::string etag =
          target_etag.empty() ? std::string(found.headers.get("Etag")) : target_etag;
      if (!wanted_etag.empty() && wanted_etag != etag)
        return conflict("X-Symlink-Target-Etag headers do not match", location);
      if (counted >= symloop_max_ || hops >= kMaxHops) return too_many();
      const auto path = split_api_path(current->path, 4);
      location = target_path(*path, found.internal, target);
      hop = hop_to(request, *current, location, is_true(found.internal.get(kReservedTarget)));
      if (!is_true(found.internal.get(kLoopExtend))) ++counted;
      current = &hop;
      wanted_etag = target_etag;
      soft = true;
    }
  }

  // The request for a link's target: under the client's rights, unless the link was set by a
  // filter that had the right to point into reserved names.
  static Request hop_to(const Request& original, const Request& link, const std::string& location,
                        bool reserved) {
    Request out = make_subrequest(original, link.method, unquote(location), "SYM", reserved);
    out.headers = link.headers;
    out.internal = link.internal;
    out.internal.erase("X-Backend-Storage-Policy-Index");
    if (reserved) out.context.allow_reserved_names = true;
    return out;
  }

  static Response arrived(Response found, const std::string& wanted_etag,
                          const std::string& location) {
    const std::string etag(found.headers.get("Etag"));
    if (!wanted_etag.empty() && !etag.empty() && wanted_etag != etag) {
      return conflict("Object Etag '" + etag + "' does not match X-Symlink-Target-Etag header '" +
                          wanted_etag + "'",
                      location);
    }
    if (!location.empty()) found.headers.set("Content-Location", location);
    return found;
  }

  Response too_many() const {
    return Response(409, "Too many levels of symbolic links, maximum allowed is " +
                             std::to_string(symloop_max_));
  }

  // ---- writing ----

  Response put(Request& request, const ApiPath& path) const {
    if (has_body(request)) return Response(400, "Symlink requests require a zero byte body");
    const std::string target_text(request.headers.get(kTarget));
    const auto target = parse_object_name(target_text);
    constexpr const char* kForm =
        "X-Symlink-Target header must be of the form <container name>/<object name>";
    if (unquote(target_text).starts_with('/')) return Response(412, kForm);
    if (!target) return Response(412, kForm, "text/html; charset=UTF-8");
    std::string account(path.account);
    const std::string* other = request.headers.find(kTargetAccount);
    if (other != nullptr) {
      account = unquote(*other);
      if (auto bad = check_name_format(account, "Account")) return std::move(*bad);
    }
    if (account == path.account && target->container == path.container &&
        target->object == path.object) {
      return Response(400, "Symlink cannot target itself");
    }
    const std::string etag(unquote_etag(request.headers.get(kTargetEtag)));
    if (etag.find_first_of(";\"\\") != std::string::npos)
      return Response(400, "Bad X-Symlink-Target-Etag format");
    if (etag.empty()) {
      if (request.headers.get("Content-Type").empty())
        request.headers.set("Content-Type", "application/symlink");
    } else if (auto bad = bind_to_target(
                   request, etag,
                   "/v1/" + account + "/" + target->container + "/" + target->object)) {
      return std::move(*bad);
    }
    request.internal.set(kStoredTarget, quote(target->container + "/" + target->object));
    if (other != nullptr) request.internal.set(kStoredAccount, quote(account));
    for (const auto& [shown, stored] : kStoredAs) request.headers.erase(shown);
    request.internal.set(kListingEtag, listing_etag(request.internal));
    return next()(request);
  }

  static bool has_body(Request& request) {
    if (request.content_length) return *request.content_length != 0;
    char byte = 0;
    return request.body != nullptr && request.body->read(std::span(&byte, 1)) != 0;
  }

  // A static link: its target must be there with that ETag now. Stores ETag and size.
  std::optional<Response> bind_to_target(Request& request, const std::string& etag,
                                         const std::string& path) const {
    if (request.context.symlink_override) {
      request.internal.set(kStoredEtag, etag);
      request.internal.set(kStoredBytes, std::string(request.headers.get(kTargetBytes)));
      return std::nullopt;
    }
    Request head = make_subrequest(request, "HEAD", path, "SYM", false);
    const std::string location = quote(path);
    Response found = follow(head, etag, location, false);
    if (found.status == 409) return found;
    if (found.status == 404) return conflict("X-Symlink-Target does not exist", location);
    if (!found.is_success()) return error_response(found.status);
    describe(request, found, etag);
    return std::nullopt;
  }

  static void describe(Request& request, const Response& found, const std::string& etag) {
    const bool overridden = request.internal.has(kListingEtag);
    const std::string_view listed = found.internal.get(kListingEtag);
    const std::string_view slo_etag = found.internal.get("X-Object-Sysmeta-Slo-Etag");
    if (!overridden && !listed.empty()) {
      const std::size_t parameters = listed.find(';');
      request.internal.set(kListingEtag,
                           kEmptyDigest + std::string(parameters == std::string_view::npos
                                                          ? std::string_view()
                                                          : listed.substr(parameters)));
    } else if (!overridden && !slo_etag.empty()) {
      request.internal.set(kListingEtag, kEmptyDigest + ("; slo_etag=" + std::string(slo_etag)));
    }
    const std::string_view slo_size = found.internal.get("X-Object-Sysmeta-Slo-Size");
    request.internal.set(kStoredBytes, slo_size.empty()
                                           ? std::to_string(found.content_length.value_or(0))
                                           : std::string(slo_size));
    request.internal.set(kStoredEtag, etag);
    if (request.headers.get("Content-Type").empty())
      request.headers.set("Content-Type", std::string(found.headers.get("Content-Type")));
  }

  // The row's hash carries the link's facts: "DIGEST; symlink_target=C/O; ...".
  static std::string listing_etag(const Headers& stored) {
    std::string out(stored.get(kListingEtag, kEmptyDigest));
    out.append("; symlink_target=").append(stored.get(kStoredTarget));
    if (const std::string* account = stored.find(kStoredAccount))
      out.append("; symlink_target_account=").append(*account);
    if (const std::string* etag = stored.find(kStoredEtag)) {
      out.append("; symlink_target_etag=").append(*etag);
      out.append("; symlink_target_bytes=").append(stored.get(kStoredBytes));
    }
    return out;
  }

  // The link itself takes the POST; its client is told where the target is.
  Response post(Request& request, const ApiPath& path) const {
    if (request.headers.has(kTarget))
      return Response(400, "A PUT request is required to set a symlink target");
    Response done = next()(request);
    const std::string target(done.internal.get(kStoredTarget));
    if (!done.is_success() || target.empty()) return done;
    Response out(307,
                 "The requested POST was applied to a symlink. POST directly to the target to "
                 "apply requested metadata.",
                 "text/html; charset=UTF-8");
    out.headers.set("Location", target_path(path, done.internal, target));
    if (const std::string* etag = done.internal.find(kStoredEtag))
      out.headers.set(kTargetEtag, *etag);
    out.internal = std::move(done.internal);
    request.context.leave_relative_location = true;
    return out;
  }

  // ---- listings ----

  Response container(Request& request, const ApiPath& path) const {
    Response out = next()(request);
    if (request.method != "GET" || !out.is_success() || out.body == nullptr) return out;
    std::string text = read_all(out.body.get(), kMaxListing);
    if (text.find("symlink_target") != std::string::npos) {
      if (const auto rows = Json::parse(text); rows && rows->array() != nullptr)
        text = named_targets(*rows->array(), path).dump();
    }
    out.content_length = text.size();
    out.body = std::make_unique<StringSource>(std::move(text));
    return out;
  }

  static Json named_targets(Json::Array rows, const ApiPath& path) {
    for (Json& row : rows) {
      const Json* hash = row.find("hash");
      if (hash == nullptr || hash->text() == nullptr ||
          hash->text()->find(';') == std::string::npos)
        continue;
      name_target(row, parse_parameterized(*hash->text()), path);
    }
    return Json(std::move(rows));
  }

  static void name_target(Json& row, const ParameterizedValue& hash, const ApiPath& path) {
    std::string kept = hash.value;
    std::string account(path.account);
    std::string target;
    for (const auto& [name, value] : hash.parameters) {
      if (name == "symlink_target") {
        target = value;
      } else if (name == "symlink_target_account") {
        account = value;
      } else if (name == "symlink_target_etag") {
        row.set("symlink_etag", value);
      } else if (name == "symlink_target_bytes") {
        row.set("symlink_bytes", parse_digits(value).value_or(0));
      } else {
        kept.append("; ").append(name).append("=").append(value);
      }
    }
    row.set("hash", kept);
    if (!target.empty()) {
      row.set("symlink_path", "/" + std::string(path.version) + "/" + account + "/" + target);
    }
  }

  std::int64_t symloop_max_;
};

}  // namespace

APUS_EXPORT_FILTER("symlink", "1.0", SymlinkFilter, kOptions)

}  // namespace apus
