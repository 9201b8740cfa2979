// keymaster: a key for every path, made of a root secret and the path itself; `encryption` asks for
// them. Nothing is stored but the name of the secret.
#include <apus/crypto_keys.h>
#include <apus/digest.h>
#include <apus/ini.h>
#include <apus/plugin.h>
#include <apus/plugin_check.h>

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>
#include <utility>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{.name = "encryption_root_secret*",
               .type = OptionType::kText,
               .fallback = nullptr,
               .help = "base64 of 32 or more random bytes (openssl rand -base64 32); a name behind "
                       "it, _ID, tells several apart. Lose it and all that is encrypted is lost",
               .secret = true},
    OptionSpec{"active_root_secret_id", OptionType::kText, "",
               "the ID of the secret for what is written from now on; empty: the one without ID"},
    OptionSpec{"meta_version_to_write", OptionType::kInt, "2",
               "form of the key's name beside what is encrypted: 3 once every proxy reads it", 1,
               3},
    OptionSpec{"keymaster_config_path", OptionType::kText, nullptr,
               "a file, or a folder of *.conf files, whose section [keymaster] has these options, "
               "instead of this section"},
};

constexpr std::string_view kFamily = "encryption_root_secret";
constexpr std::size_t kLeastSecret = 32;

using Texts = std::map<std::string, std::string, std::less<>>;
using FetchKeys = decltype(Context::fetch_crypto_keys);

// ---- the conf ----

std::string text_of(const Texts& texts, const char* name, const char* fallback) {
  const auto found = texts.find(name);
  return found == texts.end() || found->second.empty() ? fallback : found->second;
}

// The options of this section, or of the file it names; never of both.
Texts options_of(const Options& options) {
  const std::string path = options.find("keymaster_config_path").value_or("");
  Texts out;
  if (path.empty()) {
    for (const auto& [name, value] : options.all()) out.emplace(name, value.text);
    return out;
  }
  std::string misplaced;
  for (const auto& [name, value] : options.all()) {
    if (name.starts_with(kFamily) || name == "active_root_secret_id")
      misplaced += (misplaced.empty() ? "" : ", ") + name;
  }
  if (!misplaced.empty()) {
    throw std::runtime_error("keymaster_config_path is set, and so are " + misplaced +
                             ": they belong into that file");
  }
  const auto sections = read_ini(path);
  if (!sections) throw std::runtime_error("keymaster_config_path: cannot read " + path);
  const auto section = sections->find("keymaster");
  if (section == sections->end())
    throw std::runtime_error(path +
                             " has no section [keymaster], which keymaster_config_path asks for");
  return section->second;
}

Secret decode_secret(const std::string& option, const std::string& text, const std::string& where) {
  if (lower(trim(text)) == "changeme") {
    throw std::runtime_error(option + " in " + where +
                             " is that of Swift's sample conf, which everybody knows: make one "
                             "with openssl rand -base64 32, and keep a copy of it");
  }
  std::string letters = text;
  std::erase_if(letters, [](char c) { return c == '\r' || c == '\n'; });
  const bool url_safe = letters.find_first_of("-_") != std::string::npos;
  auto bytes = url_safe ? std::nullopt : base64_decode(letters);
  wipe(letters);
  if (!bytes || bytes->size() < kLeastSecret) {
    throw std::runtime_error(option + " in " + where +
                             " must be a base64 encoding of at least 32 raw bytes");
  }
  return Secret(std::move(*bytes));
}

// By ID; "" is the one without.
std::map<std::string, Secret> secrets_of(const Texts& texts, const std::string& where) {
  std::map<std::string, Secret> out;
  for (auto at = texts.lower_bound(kFamily); at != texts.end() && at->first.starts_with(kFamily);
       ++at) {
    const std::string id = at->first.substr(kFamily.size());
    if (!id.empty() && (id.front() != '_' || id.size() < 2))
      throw std::runtime_error("Malformed root secret option name " + at->first);
    out.emplace(id.empty() ? id : id.substr(1), decode_secret(at->first, at->second, where));
  }
  return out;
}

// What a keymaster works with; to be had only whole.
struct RootSecrets {
  std::map<std::string, Secret> by_id;
  std::string active_id;
  std::string version;  ///< of the meta to write
};

RootSecrets root_secrets_of(const Options& options) {
  const Texts texts = options_of(options);
  const std::string file = options.find("keymaster_config_path").value_or("");
  RootSecrets out;
  out.by_id = secrets_of(texts, file.empty() ? "proxy-server.conf" : file);
  out.active_id = text_of(texts, "active_root_secret_id", "");
  out.version = text_of(texts, "meta_version_to_write", "2");
  if (!out.by_id.contains(out.active_id)) {
    throw std::runtime_error(out.active_id.empty()
                                 ? "encryption_root_secret is not set"
                                 : "No secret loaded for active_root_secret_id " + out.active_id);
  }
  if (out.version != "1" && out.version != "2" && out.version != "3")
    throw std::runtime_error("Unknown/unsupported metadata version: '" + out.version + "'");
  return out;
}

void check_options(const Options& options) { root_secrets_of(options); }

// ---- names of keys ----

// Bytes as the characters of the same numbers, in UTF-8; and back, where all of them are below 256.
std::string as_characters(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) out += static_cast<char>(0xc0U | (byte >> 6U));
    out += static_cast<char>(byte < 0x80 ? byte : 0x80U | (byte & 0x3fU));
  }
  return out;
}
std::optional<std::string> as_bytes(std::string_view characters) {
  std::string out;
  for (std::size_t i = 0; i < characters.size(); ++i) {
    const auto byte = static_cast<unsigned char>(characters[i]);
    if (byte >= 0x80) {
      if ((byte != 0xc2 && byte != 0xc3) || ++i == characters.size()) return std::nullopt;
      out += static_cast<char>(((byte & 3U) << 6U) |
                               (static_cast<unsigned char>(characters[i]) & 0x3fU));
    } else {
      out += characters[i];
    }
  }
  return out;
}

struct Place {
  std::string account;
  std::string container;
  std::string object;
  friend bool operator==(const Place&, const Place&) = default;
};

std::string path_of(const Place& place) {
  std::string out = "/" + place.account;
  if (!place.container.empty()) out += "/" + place.container;
  if (!place.object.empty()) out += "/" + place.object;
  return out;
}

// Which secret and path make a key.
struct Recipe {
  std::string secret_id;
  std::string version;
  Place place;
};

const std::string& text_member(const Json& id, const char* name) {
  const Json* member = id.find(name);
  if (member == nullptr || member->text() == nullptr)
    throw std::runtime_error(std::string("key id without a text '") + name + "'");
  return *member->text();
}

std::string secret_id_of(const Json& id) {
  const Json* member = id.find("secret_id");
  if (member == nullptr || member->is_null()) return "";
  if (member->text() == nullptr) throw std::runtime_error("key id whose secret_id is no text");
  return *member->text();
}

Place split_key_path(const std::string& path) {
  const std::string api = "/v1" + path;
  const auto pieces = split_api_path(api, 2);
  if (!path.starts_with('/') || !pieces) throw std::runtime_error("key id with a malformed path");
  return {std::string(pieces->account), std::string(pieces->container),
          std::string(pieces->object)};
}

// Versions 1 and 2 may hold the path's bytes as if each were a character. Taken for what it means
// where that leads to the path that was asked for, or into its container.
Place place_of(const Place& asked, const std::string& path, const std::string& version) {
  // Version 1 forgot account and container where an object's name began with a slash.
  if (version == "1" && !path.starts_with("/" + asked.account + "/"))
    return {asked.account, asked.container, path};
  Place stored = split_key_path(path);
  if (version == "3") return stored;
  const auto bytes = as_bytes(path);
  if (!bytes || !is_utf8(*bytes)) return stored;
  const Place meant = split_key_path(*bytes);
  const Place wanted{asked.account, asked.container.empty() ? stored.container : asked.container,
                     asked.object.empty() ? stored.object : asked.object};
  if (stored == wanted) return stored;
  const bool inside = asked.object.empty() && wanted.account == meant.account &&
                      wanted.container == meant.container;
  return wanted == meant || inside ? meant : stored;
}

// ---- the filter ----

class KeymasterFilter final : public Filter {
 public:
  KeymasterFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        log_(args.host.logger(args.options)),
        secrets_(root_secrets_of(args.options)) {}

  Response operator()(Request& request) const override {
    const auto path = split_api_path(request.path, 2);
    if (!path || !needs_keys(request.method)) return next()(request);
    const Place place{std::string(path->account), std::string(path->container),
                      std::string(path->object)};
    const Installed installed(request.context,
                              [this, place, other = request.context.fetch_crypto_keys,
                               trans_id = request.context.trans_id](const Json* id) {
                                return fetch(place, id, other, trans_id);
                              });
    return next()(request);
  }

 private:
  // Whoever sends the request once more does so with a context as it was.
  class Installed {
   public:
    Installed(Context& context, FetchKeys fetch)
        : context_(context), before_(std::exchange(context.fetch_crypto_keys, std::move(fetch))) {}
    Installed(const Installed&) = delete;
    Installed& operator=(const Installed&) = delete;
    ~Installed() { context_.fetch_crypto_keys = std::move(before_); }

   private:
    Context& context_;
    FetchKeys before_;
  };

  static bool needs_keys(std::string_view method) {
    return method == "PUT" || method == "POST" || method == "GET" || method == "HEAD";
  }

  // `other` is of a keymaster in front, which may know secrets that this one does not.
  std::shared_ptr<const CryptoKeys> fetch(const Place& asked, const Json* id,
                                          const FetchKeys& other,
                                          const std::string& trans_id) const {
    const bool named = id != nullptr && (id->object() == nullptr || !id->object()->empty());
    const Recipe recipe = named ? recipe_of(*id, asked, trans_id)
                                : Recipe{secrets_.active_id, secrets_.version, asked};
    const auto root = secrets_.by_id.find(recipe.secret_id);
    if (root == secrets_.by_id.end()) {
      if (other) return other(id);
      throw UnknownSecretId(recipe.secret_id);
    }
    auto out = std::make_shared<CryptoKeys>();
    const std::string path = make_keys(asked, recipe, root->second, *out);
    out->id = id_of(path, recipe.secret_id, recipe.version);
    for (const auto& [secret_id, secret] : secrets_.by_id)
      out->all_ids.push_back(id_of(path, secret_id, recipe.version));
    if (other) {
      const auto more = other(nullptr);
      out->all_ids.insert(out->all_ids.end(), more->all_ids.begin(), more->all_ids.end());
    }
    return out;
  }

  Recipe recipe_of(const Json& id, const Place& asked, const std::string& trans_id) const {
    Recipe out{secret_id_of(id), text_member(id, "v"), {}};
    if (out.version != "1" && out.version != "2" && out.version != "3")
      throw std::runtime_error("Unknown key_id version: " + out.version);
    const std::string& path = text_member(id, "path");
    out.place = place_of(asked, path, out.version);
    const bool elsewhere = out.place.account != asked.account ||
                           (!asked.container.empty() && out.place.container != asked.container) ||
                           (!asked.object.empty() && out.place.object != asked.object);
    // As after a copy that was made behind encryption.
    if (elsewhere) {
      log_.info("keys are those of " + quote(path) +
                    ", which is stored with what was asked for: " + quote(path_of(asked)),
                trans_id);
    }
    return out;
  }

  // The keys that the request's own path needs, no more. Returns the path of the last one.
  static std::string make_keys(const Place& asked, const Recipe& recipe, const Secret& root,
                               CryptoKeys& out) {
    const Place& place = recipe.place;
    const bool in_container = !asked.container.empty();
    const bool in_object = in_container && !asked.object.empty();
    if ((in_container && place.container.empty()) || (in_object && place.object.empty()))
      throw std::runtime_error("key id of another kind of path");
    std::string path = "/" + place.account;
    if (in_container) {
      path += "/" + place.container;
      out.container = Secret(hmac(DigestKind::kSha256, root.bytes(), path));
    }
    if (in_object) {
      const bool bare = recipe.version == "1" && place.object.starts_with('/');
      path = bare ? place.object : path + "/" + place.object;
      out.object = Secret(hmac(DigestKind::kSha256, root.bytes(), path));
    }
    return path;
  }

  static Json id_of(const std::string& path, const std::string& secret_id,
                    const std::string& version) {
    Json out;
    out.set("v", version);
    out.set("path", version == "3" ? path : as_characters(path));
    if (!secret_id.empty()) out.set("secret_id", secret_id);
    return out;
  }

  Logger& log_;
  RootSecrets secrets_;
};

}  // namespace

APUS_EXPORT_FILTER("keymaster", "1.0", KeymasterFilter, kOptions)
APUS_EXPORT_CHECK(check_options)

}  // namespace apus
