// cname_lookup: a Host that is an alias of a storage domain becomes that domain.
#include <apus/dns.h>
#include <apus/json.h>
#include <apus/plugin.h>
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"storage_domain", OptionType::kText, "example.com", "domains, comma-separated"},
    OptionSpec{"lookup_depth", OptionType::kInt, "1", "aliases to follow", 0, 1000},
    OptionSpec{"nameservers", OptionType::kText, nullptr,
               "IP[:PORT],...; unset = those of the system"},
};
constexpr std::chrono::seconds kNoAliasKept{60};

bool is_ip(const std::string& text) {
  std::array<unsigned char, 16> bytes;
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

// "IP", "IP:PORT", "[V6]" or "[V6]:PORT".
Nameserver parse_nameserver(const std::string& text) {
  Nameserver out;
  std::string port;
  if (text.starts_with('[')) {
    // Without its bracket it is no address: nothing is left of it.
    const std::size_t end = std::min(text.find(']'), text.size());
    out.ip = end < text.size() ? text.substr(1, end - 1) : std::string();
    port = text.substr(std::min(end + 1, text.size()));
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    out.ip = text.substr(0, colon);
    port = text.substr(colon);
  }
  const auto number = parse_digits(port.empty() ? "53" : port.substr(1));
  if (!is_ip(out.ip) || (!port.empty() && port.front() != ':') || !number || *number < 1 ||
      *number > 65535) {
    throw std::runtime_error(
        "Invalid cname_lookup/nameservers configuration found. All nameservers must be valid IPv4 "
        "or IPv6, followed by an optional :<integer> port.");
  }
  out.port = static_cast<int>(*number);
  return out;
}

std::vector<Nameserver> nameservers(const Options& options) {
  std::vector<Nameserver> out;
  for (const std::string& text : split_list(options.text("nameservers")))
    out.push_back(parse_nameserver(text));
  return out;
}

class CnameLookupFilter final : public Filter {
 public:
  CnameLookupFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        log_(args.host.logger(args.options)),
        depth_(args.options.integer("lookup_depth")),
        resolver_(make_resolver(nameservers(args.options))) {
    for (const std::string& name : split_list(args.options.text("storage_domain")))
      domains_.push_back(name.starts_with('.') ? name : "." + name);
    Json info;
    info.set("lookup_depth", depth_);
    args.host.info().set("cname_lookup", info.dump());
  }

  Response operator()(Request& request) const override {
    const std::string asked(request.headers.get("Host", request.context.local_address));
    const std::size_t colon = asked.rfind(':');
    const std::string domain = asked.substr(0, colon);
    const std::string port = colon == std::string::npos ? "" : asked.substr(colon);
    if (domains_.empty() || is_ip(domain) || is_ours(domain)) return next()(request);
    bool chain_too_long = false;
    const auto found = follow(request, domain, chain_too_long);
    if (!found) {
      return Response(400, chain_too_long
                               ? "CNAME lookup failed after " + std::to_string(depth_) + " tries"
                               : "CNAME lookup failed to resolve to a valid domain");
    }
    log_.info("Mapped " + domain + " to " + *found, request.context.trans_id);
    request.headers.set("Host", *found + port);
    Response out = next()(request);
    for (const char* name : {"Location", "Content-Location"}) {
      if (const std::string* value = out.headers.find(name))
        out.headers.set(name, unmapped(*value, *found + port, asked));
    }
    return out;
  }

 private:
  [[nodiscard]] bool is_ours(const std::string& domain) const {
    const std::string dotted = "." + domain;
    return std::any_of(domains_.begin(), domains_.end(),
                       [&](const std::string& its) { return dotted.ends_with(its); });
  }

  std::optional<std::string> follow(const Request& request, std::string domain,
                                    bool& chain_too_long) const {
    for (std::int64_t i = 0; i < depth_; ++i) {
      const auto alias = alias_of(request, domain);
      chain_too_long = alias && *alias != domain;
      if (!chain_too_long || is_ours(*alias)) return chain_too_long ? alias : std::nullopt;
      domain = *alias;
    }
    return std::nullopt;
  }

  // From the cache (a name, or false for none), else from the DNS.
  std::optional<std::string> alias_of(const Request& request, const std::string& domain) const {
    Cache* cache = request.context.cache;
    const std::string key = "cname-" + domain;
    if (cache != nullptr) {
      const auto kept = Json::parse(cache->get(key).value_or(""));
      if (kept && kept->text() != nullptr) return *kept->text();
      if (kept && kept->boolean() != nullptr) return std::nullopt;
    }
    const CnameAnswer answer = resolver_->cname(domain);
    const bool found = answer.kind == CnameAnswer::Kind::kFound;
    const auto ttl = answer.kind == CnameAnswer::Kind::kNone ? kNoAliasKept : answer.ttl;
    if (cache != nullptr && ttl.count() > 0)
      cache->set(key, (found ? Json(answer.name) : Json(false)).dump(), ttl);
    return found && !answer.name.empty() ? std::optional(answer.name) : std::nullopt;
  }

  // The host as the client knows it.
  static std::string unmapped(const std::string& location, const std::string& mapped,
                              const std::string& asked) {
    for (const std::string scheme : {"http://", "https://"}) {
      if (!location.starts_with(scheme + mapped)) continue;
      const std::string rest = location.substr(scheme.size() + mapped.size());
      if (rest.empty() || rest.starts_with('/')) return scheme + asked + rest;
    }
    return location;
  }

  Logger& log_;
  std::int64_t depth_;
  std::unique_ptr<Resolver> resolver_;
  std::vector<std::string> domains_;
};

}  // namespace

APUS_EXPORT_FILTER("cname_lookup", "1.0", CnameLookupFilter, kOptions)

}  // namespace apus
