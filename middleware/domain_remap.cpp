// domain_remap: CONTAINER.ACCOUNT.STORAGE_DOMAIN in Host becomes a path.
#include <apus/json.h>
#include <apus/plugin.h>

#include <algorithm>
#include <array>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"storage_domain", OptionType::kText, "example.com", "domains, comma-separated"},
    OptionSpec{"path_root", OptionType::kText, "v1", "first piece of the new path"},
    OptionSpec{"reseller_prefixes", OptionType::kText, "AUTH",
               "how accounts may start; DNS loses their case. Empty = any"},
    OptionSpec{"default_reseller_prefix", OptionType::kText, nullptr,
               "put in front of accounts without one"},
    OptionSpec{"mangle_client_paths", OptionType::kBool, "false",
               "drop path_root from the start of the client's path"},
};

// With a dot in front; those written with one come last.
std::vector<std::string> domains(const Options& options) {
  std::vector<std::string> out;
  std::vector<std::string> dotted;
  for (std::string& name : split_list(options.text("storage_domain"))) {
    if (name.starts_with('.')) {
      dotted.push_back(std::move(name));
    } else {
      out.push_back("." + name);
    }
  }
  out.insert(out.end(), dotted.begin(), dotted.end());
  return out;
}

std::string without_slashes(std::string text) {
  text.erase(0, std::min(text.find_first_not_of('/'), text.size()));
  text.erase(text.find_last_not_of('/') + 1);
  return text;
}

class DomainRemapFilter final : public Filter {
 public:
  DomainRemapFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        domains_(domains(args.options)),
        root_(without_slashes(args.options.text("path_root"))),
        prefixes_(split_list(args.options.text("reseller_prefixes"))),
        default_prefix_(args.options.text("default_reseller_prefix")),
        mangle_(args.options.flag("mangle_client_paths")) {
    Json info;
    const auto prefix = args.options.find("default_reseller_prefix");
    info.set("default_reseller_prefix", prefix ? Json(*prefix) : Json());
    args.host.info().set("domain_remap", info.dump());
  }

  Response operator()(Request& request) const override {
    std::string_view host = request.headers.get("Host", request.context.local_address);
    host = host.substr(0, host.rfind(':'));
    const auto domain = std::find_if(domains_.begin(), domains_.end(),
                                     [&](const std::string& its) { return host.ends_with(its); });
    if (domain == domains_.end()) return next()(request);
    host.remove_suffix(domain->size());
    while (host.starts_with('.')) host.remove_prefix(1);
    while (host.ends_with('.')) host.remove_suffix(1);
    const auto dots = std::count(host.begin(), host.end(), '.');
    if (dots > 1) return Response(400, "Bad domain in host header");
    const std::size_t dot = dots == 0 ? std::string_view::npos : host.find('.');
    const std::string container(dots == 0 ? std::string_view() : host.substr(0, dot));
    const auto account = account_of(std::string(dots == 0 ? host : host.substr(dot + 1)));
    return account ? remap(request, *account, container) : next()(request);
  }

 private:
  // With the case and the '_' that DNS names cannot have.
  [[nodiscard]] std::optional<std::string> account_of(std::string name) const {
    if (prefixes_.empty()) return name;
    if (const std::size_t dash = name.find('-');
        dash != std::string::npos && name.find('_') == std::string::npos) {
      name[dash] = '_';
    }
    const std::string prefix = lower(name.substr(0, name.find('_')));
    const auto known = std::find_if(prefixes_.begin(), prefixes_.end(),
                                    [&](const std::string& its) { return lower(its) == prefix; });
    if (known != prefixes_.end())
      return name.starts_with(*known) ? name : *known + name.substr(known->size());
    if (default_prefix_.empty()) return std::nullopt;
    return default_prefix_ + "_" + name;
  }

  Response remap(Request& request, const std::string& account, const std::string& container) const {
    const std::string asked = request.path;
    std::string_view rest = std::string_view(asked).substr(1);
    const std::string root = root_ + "/";
    if (mangle_ && (std::string(rest) + "/").starts_with(root))
      rest.remove_prefix(std::min(root.size(), rest.size()));
    request.path = "/" + root_ + "/" + account;
    if (!container.empty()) request.path += "/" + container;
    request.path.append("/").append(rest);
    const std::string mapped = quote(request.path);
    request.raw_path = mapped;
    Response out = next()(request);
    for (const char* name : {"Location", "Content-Location"}) {
      if (const std::string* value = out.headers.find(name))
        out.headers.set(name, unmapped(*value, mapped, quote(asked)));
    }
    return out;
  }

  // The path as the client knows it, in a URL or alone.
  static std::string unmapped(const std::string& location, const std::string& mapped,
                              const std::string& asked) {
    std::size_t start = 0;
    if (location.starts_with("http://") || location.starts_with("https://"))
      start = std::min(location.find('/', location.find("//") + 2), location.size());
    if (!std::string_view(location).substr(start).starts_with(mapped)) return location;
    return location.substr(0, start) + asked + location.substr(start + mapped.size());
  }

  std::vector<std::string> domains_;
  std::string root_;
  std::vector<std::string> prefixes_;
  std::string default_prefix_;
  bool mangle_;
};

}  // namespace

APUS_EXPORT_FILTER("domain_remap", "1.0", DomainRemapFilter, kOptions)

}  // namespace apus
