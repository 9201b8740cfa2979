// formpost: a browser's upload form, signed beforehand, becomes PUTs of its files as they stream
// in.
#include <apus/constraints.h>
#include <apus/json.h>
#include <apus/plugin.h>

#include <algorithm>
#include <array>

#include "middleware/formpost/form_upload.h"

namespace apus {
namespace {

using enum OptionType;
using formpost::FormFields;
using formpost::FormInvalid;
using formpost::FormUnauthorized;
using formpost::PartSource;

constexpr std::array kOptions = {
    OptionSpec{"allowed_digests", kText, "", "words of: sha1 sha256 sha512; empty = all"},
};

constexpr std::size_t kMaxValue = 4096;
constexpr std::size_t kMaxFields = 1000;

// Every word with a capital letter first.
std::string title(std::string_view text) {
  std::string out = lower(text);
  bool inside = false;
  for (char& c : out) {
    const bool letter = c >= 'a' && c <= 'z';
    if (letter && !inside) c = static_cast<char>(c - 32);
    inside = letter;
  }
  return out;
}

std::string status_line(int status, std::string_view reason = {}) {
  return std::to_string(status) + " " +
         std::string(reason.empty() ? reason_phrase(status) : reason);
}

// Inside an attribute's quotes.
std::string attribute(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '<' || c == '>') {
      out += quote(std::string_view(&c, 1));
    } else {
      out += c;
    }
  }
  return out;
}

bool is_header_text(std::string_view text) {
  for (const char c : text) {
    if ((c >= 0 && c < ' ') || c == 0x7f) return false;
  }
  return true;
}

// What became of the form so far.
struct Outcome {
  int status = 0;
  std::string reason;
  std::string message;
  Headers headers;
};

class FormpostFilter final : public Filter {
 public:
  FormpostFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        digests_(args.options, args.host.logger(args.options)) {
    Json section;
    digests_.describe(section);
    host_.info().set("formpost", section.dump());
  }

  Response operator()(Request& request) const override {
    if (request.method != "POST") return next()(request);
    const ParsedDisposition type = parse_disposition(request.headers.get("Content-Type"));
    const auto boundary = type.attributes.find("boundary");
    if (type.value != "multipart/form-data" || boundary == type.attributes.end())
      return next()(request);
    try {
      return take_form(request, boundary->second);
    } catch (const MultipartError& error) {
      return refuse(400, error.what());
    } catch (const FormInvalid& error) {
      return refuse(400, error.what());
    } catch (const FormUnauthorized& error) {
      Response out = unauthorized_response(request, "FormPost: " + title(error.what()));
      out.headers.set("Www-Authenticate", "Swift realm=\"unknown\"");
      return out;
    }
  }

 private:
  static Response refuse(int status, const std::string& why) {
    return Response(status, "FormPost: " + why);
  }

  Response take_form(Request& request, const std::string& boundary) const {
    request.headers.set(
        "User-Agent",
        std::string(trim(std::string(request.headers.get("User-Agent")) + " FormPost")));
    const std::vector<ScopedKey> keys = keys_of(request);
    StringSource nothing("");
    MultipartReader parts(request.body ? *request.body : nothing, boundary);
    FormFields fields;
    Outcome outcome;
    std::int64_t files = 0;
    for (std::size_t count = 0; parts.next(); ++count) {
      if (count == kMaxFields) throw FormInvalid("too many fields");
      const ParsedDisposition about = parse_disposition(parts.headers().get("Content-Disposition"));
      const auto filename = about.attributes.find("filename");
      if (about.value != "form-data" || filename == about.attributes.end() ||
          filename->second.empty()) {
        take_field(parts, about, fields);
        continue;
      }
      if (++files > fields.integer("max_file_count")) {
        outcome = {400, "", "max file count exceeded", {}};
        break;
      }
      outcome = upload(request, parts, fields, filename->second, keys);
      if (outcome.status / 100 != 2) break;
    }
    if (outcome.status == 0) outcome = {400, "", "no files to process", {}};
    return answer(outcome, fields.get("redirect"));
  }

  // Keys open a container alone.
  std::vector<ScopedKey> keys_of(Request& request) const {
    const std::string path_text = request.path;
    const auto path = split_api_path(path_text, 3);
    if (!path || !is_valid_api_version(path->version, host_.swift_conf().constraints)) return {};
    return temp_url_keys(request, next(), path->account, path->container, "FP");
  }

  static void take_field(MultipartReader& parts, const ParsedDisposition& about,
                         FormFields& fields) {
    std::string value(kMaxValue, '\0');
    std::size_t size = 0;
    while (size < value.size()) {
      const std::size_t count = parts.read(std::span(value.data() + size, value.size() - size));
      if (count == 0) break;
      size += count;
    }
    value.resize(size);
    value.resize(value.find_last_not_of("\r\n-") + 1);
    const auto name = about.attributes.find("name");
    if (name != about.attributes.end()) fields.set(name->second, std::move(value));
  }

  Outcome upload(const Request& form, MultipartReader& parts, const FormFields& fields,
                 const std::string& filename, const std::vector<ScopedKey>& keys) const {
    if (keys.empty()) throw FormUnauthorized("invalid signature");
    const std::int64_t max_size = fields.integer("max_file_size");
    Request put = make_put(form, fields, filename, parts.headers());
    const std::string algorithm =
        formpost::check_form(fields, form.path, keys, digests_, host_.clock().now());
    host_.metrics().increment("formpost.digests." + algorithm);
    bool exceeded = false;
    put.body = std::make_unique<PartSource>(
        parts, static_cast<std::uint64_t>(std::max<std::int64_t>(max_size, 0)), exceeded);
    put.chunked = true;
    Response out;
    try {
      out = next()(put);
    } catch (const BodyError&) {
      if (!exceeded) throw;
    }
    put.body.reset();
    if (exceeded) throw FormInvalid("max_file_size exceeded");
    Outcome outcome{out.status, out.reason, "", {}};
    for (const auto& [name, value] : out.headers) {
      if (starts_with_name(name, "Access-Control")) outcome.headers.set(name, value);
    }
    return outcome;
  }

  // The PUT of one file, without its body.
  static Request make_put(const Request& form, const FormFields& fields,
                          const std::string& filename, const Headers& part) {
    std::string path = form.path;
    if (!path.ends_with('/') && std::count(path.begin(), path.end(), '/') < 4) path += '/';
    Request put = make_subrequest(form, "PUT", path + filename, "FP", true);
    for (const char* name : {"Origin", "Access-Control-Request-Method", "Host"}) {
      if (const std::string* value = form.headers.find(name)) put.headers.set(name, *value);
    }
    if (fields.has("x_delete_at"))
      put.headers.set("X-Delete-At", number(fields, "x_delete_at", "Unix timestamp required."));
    if (fields.has("x_delete_after"))
      put.headers.set("X-Delete-After",
                      number(fields, "x_delete_after", "Number of seconds required."));
    take_header(fields, part, "Content-Type", "application/octet-stream", put.headers);
    take_header(fields, part, "Content-Encoding", "", put.headers);
    return put;
  }

  static std::string number(const FormFields& fields, const char* name, const char* hint) {
    if (fields.get(name).empty()) throw FormInvalid(std::string(name) + " not an integer: " + hint);
    return std::to_string(fields.integer(name, std::string(": ") + hint));
  }

  // From the form's field of that name, else from the part's head.
  static void take_header(const FormFields& fields, const Headers& part, const char* name,
                          std::string_view usual, Headers& to) {
    const std::string field = lower(name);
    std::string value(fields.has(field) ? std::string_view(fields.get(field)) : part.get(name));
    if (!fields.has(field) && !part.has(name)) return;
    if (value.empty()) value = usual;
    if (!is_header_text(value)) throw FormInvalid("invalid " + field);
    to.set(name, value);
  }

  static Response answer(Outcome& outcome, const std::string& redirect) {
    const std::string status = status_line(outcome.status, outcome.reason);
    if (redirect.empty()) {
      std::string text = status;
      if (!outcome.message.empty()) text += "\r\nFormPost: " + title(outcome.message);
      Response out(outcome.status, std::move(text));
      out.reason = outcome.reason;
      for (const auto& [name, value] : outcome.headers) out.headers.set(name, value);
      return out;
    }
    if (!is_header_text(redirect)) throw FormInvalid("invalid redirect");
    const std::string target = redirect + (redirect.find('?') != std::string::npos ? "&" : "?") +
                               "status=" + std::to_string(outcome.status) +
                               "&message=" + quote(outcome.message);
    std::string page = "<html><body><p><a href=\"" + attribute(target) +
                       "\">Click to continue...</a></p></body></html>";
    Response out(303);
    out.headers = std::move(outcome.headers);
    out.headers.set("Location", target);
    out.content_length = page.size();
    out.body = std::make_unique<StringSource>(std::move(page));
    return out;
  }

  Host& host_;
  AllowedDigests digests_;
};

}  // namespace

APUS_EXPORT_FILTER("formpost", "1.0", FormpostFilter, kOptions)

}  // namespace apus
