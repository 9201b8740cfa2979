// list_endpoints: tells machines of the cluster where an account, container or object lies. Without
// any authentication: not for a proxy that strangers can reach.
#include <apus/account_info.h>
#include <apus/json.h>
#include <apus/plugin.h>
#include <apus/ring.h>

#include <array>
#include <charconv>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"list_endpoints_path", OptionType::kText, "/endpoints/", "where to ask"},
};

struct Wanted {
  bool second_version = false;
  std::string account;
  std::string container;
  std::string object;
};

std::string with_slash(const std::string& path) { return path.ends_with('/') ? path : path + "/"; }

// What Python's float() makes of a version with its leading 'v's cut; nothing when it is no number.
std::optional<double> version_of(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of('v'), text.size()));
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class ListEndpointsFilter final : public Filter {
 public:
  ListEndpointsFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        path_(with_slash(args.options.text("list_endpoints_path"))) {}

  Response operator()(Request& request) const override {
    if (!request.path.starts_with(path_)) return next()(request);
    if (request.method != "GET") return method_not_allowed(request, "GET");
    std::string why;
    const auto wanted = parse(quote(request.path).substr(quote(path_).size() - 1), why);
    if (!wanted) return Response(400, why, "text/html; charset=UTF-8");
    return answer(request, *wanted);
  }

 private:
  // "[/VERSION]/ACCOUNT[/CONTAINER[/OBJECT]]", quoted.
  static std::optional<Wanted> parse(const std::string& path, std::string& why) {
    const auto pieces = split_api_path(path, 1);
    why = "No account specified";
    if (!pieces) return std::nullopt;
    const std::string first(pieces->version);
    const auto version = version_of(first);
    const bool known = version && (*version == 1.0 || *version == 2.0);
    if (!known && first.starts_with('v') && first.find('_') == std::string::npos) {
      why = "Unsupported version '" + first + "'";
      return std::nullopt;
    }
    Wanted out;
    out.second_version = known && *version == 2.0;
    // What follows the version has the form of a path with a version in front of it.
    const std::string rest = known ? path : "/v1" + path;
    const auto place = split_api_path(rest, 2);
    if (!place) return std::nullopt;
    out.account = unquote(place->account);
    out.container = unquote(place->container);
    out.object = unquote(place->object);
    return out;
  }

  Response answer(Request& request, const Wanted& wanted) const {
    std::shared_ptr<const Ring> ring;
    std::optional<int> policy;
    if (!wanted.object.empty()) {
      policy = get_container_info(request, next(), wanted.account, wanted.container, "LE")
                   ->storage_policy;
      ring = host_.rings().object(*policy);
    } else {
      ring = wanted.container.empty() ? host_.rings().account() : host_.rings().container();
    }
    const std::uint32_t partition = ring->partition_of(
        host_.swift_conf().hash_path(wanted.account, wanted.container, wanted.object));
    std::string name = quote(wanted.account);
    if (!wanted.container.empty()) name += "/" + quote(wanted.container);
    if (!wanted.object.empty()) name += "/" + quote(wanted.object);
    Json::Array endpoints;
    for (const RingNode& node : ring->primaries(partition)) {
      endpoints.emplace_back("http://" + node.device->ip + ":" + std::to_string(node.device->port) +
                             "/" + node.device->device + "/" + std::to_string(partition) + "/" +
                             name);
    }
    Json body(std::move(endpoints));
    if (wanted.second_version) {
      Json whole;
      whole.set("endpoints", std::move(body));
      Json headers{Json::Object{}};
      if (policy) headers.set("X-Backend-Storage-Policy-Index", std::to_string(*policy));
      whole.set("headers", std::move(headers));
      body = std::move(whole);
    }
    return Response(200, body.dump(), "application/json");
  }

  Host& host_;
  std::string path_;
};

}  // namespace

APUS_EXPORT_FILTER("list_endpoints", "1.0", ListEndpointsFilter, kOptions)

}  // namespace apus
