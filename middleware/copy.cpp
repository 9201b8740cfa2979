// copy: COPY, and PUT with X-Copy-From, as a GET whose body becomes a PUT's.
#include <apus/plugin.h>

#include <array>

namespace apus {
namespace {

constexpr std::array<OptionSpec, 0> kOptions = {};

struct Target {
  std::string container;
  std::string object;
};

// "[/]CONTAINER/OBJECT", quoted.
std::optional<Target> parse_target(std::string_view text) {
  const std::string plain = unquote(text);
  std::string_view rest = plain;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == rest.size())
    return std::nullopt;
  return Target{std::string(rest.substr(0, slash)), std::string(rest.substr(slash + 1))};
}

class CopyFilter final : public Filter {
 public:
  CopyFilter(const PluginArgs& /*args*/, std::unique_ptr<const App> next)
      : Filter(std::move(next)) {}

  Response operator()(Request& request) const override {
    const auto path = split_api_path(request.path, 4);
    if (!path) return next()(request);
    if (request.method == "COPY") return from_copy(request, *path);
    if (request.method == "OPTIONS") {
      Response out = next()(request);
      if (const std::string* allow = out.headers.find("Allow"))
        out.headers.set("Allow", *allow + ", COPY");
      return out;
    }
    if (request.method == "PUT" && request.headers.has("X-Copy-From"))
      return from_put(request, *path);
    return next()(request);
  }

 private:
  static Response refuse(int status, std::string text) {
    return Response(status, std::move(text), "text/html; charset=UTF-8");
  }

  // COPY of the source to Destination is a PUT there with X-Copy-From.
  Response from_copy(Request& request, const ApiPath& path) const {
    const std::string* destination = request.headers.find("Destination");
    if (destination == nullptr || destination->empty())
      return refuse(412, "Destination header required");
    const auto target = parse_target(*destination);
    if (!target)
      return refuse(412, "Destination header must be of the form <container name>/<object name>");
    const std::string source_account(path.account);
    const std::string source = quote(std::string(path.container) + "/" + std::string(path.object));
    const std::string account =
        unquote(request.headers.get("Destination-Account", quote(path.account)));
    request.path = "/" + std::string(path.version) + "/" + account + "/" + target->container + "/" +
                   target->object;
    request.method = "PUT";
    request.headers.set("X-Copy-From", source);
    request.headers.set("X-Copy-From-Account", quote(source_account));
    request.headers.erase("Destination");
    request.headers.erase("Destination-Account");
    request.content_length = 0;
    request.chunked = false;
    const auto changed = split_api_path(request.path, 4);
    return from_put(request, *changed);
  }

  Response from_put(Request& request, const ApiPath& path) const {
    if (request.content_length.value_or(0) != 0 || request.chunked) {
      return refuse(400, "Copy requests require a zero byte body");
    }
    const auto source = parse_target(request.headers.get("X-Copy-From"));
    if (!source)
      return refuse(412, "X-Copy-From header must be of the form <container name>/<object name>");
    const std::string account =
        unquote(request.headers.get("X-Copy-From-Account", quote(path.account)));
    Request get("GET", "/" + std::string(path.version) + "/" + account + "/" + source->container +
                           "/" + source->object);
    get.context = request.context;
    get.context.source = "SSC";
    for (const char* name : {"Range", "If-Match", "If-None-Match", "If-Modified-Since",
                             "If-Unmodified-Since", "X-Auth-Token", "Referer", "User-Agent"}) {
      if (const std::string* value = request.headers.find(name)) get.headers.set(name, *value);
    }
    get.headers.set("X-Newest", "true");
    Response found = next()(get);
    if (!found.is_success()) return found;
    if (!found.content_length) return refuse(413, "Your request is too large.");
    const std::string copied_from = quote(source->container + "/" + source->object);
    const std::string modified(found.headers.get("Last-Modified"));
    dress(request, found);
    request.body = std::move(found.body);
    request.content_length = found.content_length;
    Response out = next()(request);
    if (!out.is_success()) return out;
    out.headers.set("X-Copied-From-Account", quote(account));
    out.headers.set("X-Copied-From", copied_from);
    if (!modified.empty()) out.headers.set("X-Copied-From-Last-Modified", modified);
    for (const auto& [name, value] : request.headers) {
      if (starts_with_name(name, "X-Object-Meta-")) out.headers.set(name, value);
    }
    return out;
  }

  // The source's metadata, unless the request brings its own or wants none.
  static void dress(Request& request, const Response& found) {
    const bool fresh = is_true(request.headers.get("X-Fresh-Metadata"));
    for (const char* name :
         {"X-Copy-From", "X-Copy-From-Account", "X-Fresh-Metadata", "Range", "If-Match",
          "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"}) {
      request.headers.erase(name);
    }
    for (const auto& [name, value] : found.headers) {
      const bool kept = starts_with_name(name, "X-Object-Meta-") ||
                        same_name(name, "Content-Encoding") ||
                        same_name(name, "Content-Disposition") || same_name(name, "X-Delete-At");
      if (!fresh && kept && !request.headers.has(name)) request.headers.set(name, value);
    }
    if (!request.headers.has("Content-Type")) {
      request.headers.set("Content-Type", std::string(found.headers.get("Content-Type")));
    }
    // A whole copy must arrive whole.
    if (found.status == 200 && !request.headers.has("Etag"))
      request.headers.set("Etag", std::string(found.headers.get("Etag")));
  }
};

}  // namespace

APUS_EXPORT_FILTER("copy", "1.0", CopyFilter, kOptions)

}  // namespace apus
