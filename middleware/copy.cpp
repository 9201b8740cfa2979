// copy: COPY, and PUT with X-Copy-From, as a GET whose body becomes a PUT's.
#include <apus/constraints.h>
#include <apus/plugin.h>

#include <algorithm>
#include <array>

namespace apus {
namespace {

constexpr std::array<OptionSpec, 0> kOptions = {};

constexpr std::string_view kUpdateOverride = "X-Object-Sysmeta-Container-Update-Override-";

// What of the source never becomes the copy's own.
constexpr std::array<std::string_view, 6> kNotCopied = {
    "X-Static-Large-Object", "X-Object-Manifest", "Etag",
    "Content-Type",          "X-Timestamp",       "X-Backend-Timestamp"};

bool is_sysmeta(std::string_view name) { return starts_with_name(name, "X-Object-Sysmeta-"); }
bool is_transient_sysmeta(std::string_view name) {
  return starts_with_name(name, "X-Object-Transient-Sysmeta-");
}
bool is_shown_in_answer(std::string_view name) {
  return starts_with_name(name, "X-Object-Meta-") || same_name(name, "X-Delete-At");
}

Response refuse(int status, std::string text, std::string_view type = "text/html; charset=UTF-8") {
  return Response(status, std::move(text), type);
}

Response bad_target(const char* header) {
  return refuse(412,
                std::string(header) + " header must be of the form <container name>/<object name>");
}

std::string object_path(std::string_view version, std::string_view account,
                        const ObjectName& target) {
  std::string out = "/";
  out.append(version).append("/").append(account);
  return out.append("/").append(target.container).append("/").append(target.object);
}

// Adds ", COPY" to a list of methods that lacks it.
void offer_copy(Headers& headers, std::string_view name) {
  const std::string* methods = headers.find(name);
  if (methods != nullptr && methods->find("COPY") == std::string::npos)
    headers.set(name, *methods + ", COPY");
}

class CopyFilter final : public Filter {
 public:
  CopyFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)), max_file_size_(args.host.swift_conf().constraints.max_file_size) {}

  Response operator()(Request& request) const override {
    const auto path = split_api_path(request.path, 4);
    if (!path) return next()(request);
    if (request.method == "COPY") return from_copy(request, *path);
    if (request.method == "PUT" && !request.headers.get("X-Copy-From").empty())
      return from_put(request, *path);
    Response out = next()(request);
    if (request.method == "OPTIONS" && out.is_success()) {
      offer_copy(out.headers, "Allow");
      offer_copy(out.headers, "Access-Control-Allow-Methods");
    }
    return out;
  }

 private:
  // COPY of the source to Destination is a PUT there with X-Copy-From.
  Response from_copy(Request& request, const ApiPath& path) const {
    request.context.original_method = request.method;
    const std::string destination(request.headers.get("Destination"));
    if (destination.empty()) return refuse(412, "Destination header required");
    std::string account(path.account);
    if (const std::string* other = request.headers.find("Destination-Account")) {
      account = unquote(*other);
      if (auto bad = check_name_format(account, "Account")) return std::move(*bad);
      request.headers.set("X-Copy-From-Account", quote(path.account));
      request.headers.erase("Destination-Account");
    }
    const auto target = parse_object_name(destination);
    if (!target) return bad_target("Destination");
    request.headers.set("X-Copy-From",
                        quote("/" + std::string(path.container) + "/" + std::string(path.object)));
    request.headers.erase("Destination");
    request.path = object_path(path.version, account, *target);
    request.method = "PUT";
    request.content_length = 0;
    request.chunked = false;
    return from_put(request, *split_api_path(request.path, 4));
  }

  Response from_put(Request& request, const ApiPath& path) const {
    if (request.content_length.value_or(0) != 0)
      return refuse(400, "Copy requests require a zero byte body", "text/plain");
    std::string account(path.account);
    if (const std::string_view other = request.headers.get("X-Copy-From-Account"); !other.empty()) {
      account = unquote(other);
      if (auto bad = check_name_format(account, "Account")) return std::move(*bad);
    }
    const auto source = parse_object_name(request.headers.get("X-Copy-From"));
    if (!source) return bad_target("X-Copy-From");
    Response found = read_source(request, object_path(path.version, account, *source));
    if (found.status >= 300) return found;
    if (!found.content_length || *found.content_length > static_cast<std::uint64_t>(max_file_size_))
      return error_response(413);

    Headers answer = origin_of(account, *source, found);
    dress(request, found);
    for (const auto& [name, value] : request.headers)
      if (is_shown_in_answer(name)) answer.set(name, value);
    request.context.source = "SSC";
    request.body = std::move(found.body);
    request.content_length = found.content_length;
    request.chunked = false;
    Response out = next()(request);
    if (out.is_success())
      for (const auto& [name, value] : answer) out.headers.set(name, value);
    return out;
  }

  // The newest copy of the source, under the client's own rights and conditions.
  Response read_source(const Request& request, std::string path) const {
    Request get = make_subrequest(request, "GET", std::move(path), "SSC", false);
    get.headers = request.headers;
    get.headers.set("X-Newest", "true");
    get.internal = request.internal;
    get.internal.erase("X-Backend-Storage-Policy-Index");
    get.query = request.query;
    if (get.query.get("multipart-manifest") == "get") get.query.set("format", "raw");
    return next()(get);
  }

  static Headers origin_of(const std::string& account, const ObjectName& source,
                           const Response& found) {
    Headers out{{"X-Copied-From-Account", quote(account)},
                {"X-Copied-From", quote(source.container + "/" + source.object)}};
    if (const std::string* modified = found.headers.find("Last-Modified"))
      out.set("X-Copied-From-Last-Modified", *modified);
    if (const std::string* version = found.headers.find("X-Object-Version-Id"))
      out.set("X-Copied-From-Version-Id", *version);
    return out;
  }

  // Makes the request a PUT of what was found: its metadata below the request's own.
  static void dress(Request& request, const Response& found) {
    const bool is_manifest = found.headers.has("X-Static-Large-Object");
    const bool is_dynamic = found.headers.has("X-Object-Manifest");
    const bool as_manifest = request.query.get("multipart-manifest") == "get";
    const bool typed = !request.headers.get("Content-Type").empty();
    copy_metadata(request, found, is_true(request.headers.get("X-Fresh-Metadata")));
    if (as_manifest && is_manifest) request.query.set("multipart-manifest", "put");
    if (as_manifest && is_dynamic) {
      request.query.erase("multipart-manifest");
      request.headers.set("X-Object-Manifest", std::string(found.headers.get("X-Object-Manifest")));
    }
    request.query.erase("version-id");
    // The digest is verified again only where it is the digest of these very bytes.
    if (found.status == 200 && !is_manifest && (!is_dynamic || as_manifest)) {
      request.headers.set("Etag", std::string(found.headers.get("Etag")));
    } else {
      request.internal.erase_if(
          [](std::string_view name) { return starts_with_name(name, kUpdateOverride); });
    }
    request.headers.erase("X-Copy-From");
    request.headers.erase("X-Copy-From-Account");
    if (!typed) request.headers.set("Content-Type", std::string(found.headers.get("Content-Type")));
  }

  // `fresh` keeps of the source what belongs to the system alone.
  static void copy_metadata(Request& request, const Response& found, bool fresh) {
    for (const auto& [name, value] : found.internal) {
      const bool kept = is_sysmeta(name) || (!fresh && is_transient_sysmeta(name));
      if (kept && !request.internal.has(name)) request.internal.set(name, value);
    }
    if (fresh) return;
    for (const auto& [name, value] : found.headers) {
      const bool kept =
          std::none_of(kNotCopied.begin(), kNotCopied.end(),
                       [&field = name](std::string_view no) { return same_name(field, no); });
      if (kept && !request.headers.has(name)) request.headers.set(name, value);
    }
  }

  std::int64_t max_file_size_;
};

}  // namespace

APUS_EXPORT_FILTER("copy", "1.0", CopyFilter, kOptions)

}  // namespace apus
