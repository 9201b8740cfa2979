// listing_formats: below it listings are JSON; clients get the form they asked for.
#include <apus/json.h>
#include <apus/listing.h>
#include <apus/plugin.h>

#include <array>

namespace apus {
namespace {

constexpr std::array<OptionSpec, 0> kOptions = {};
constexpr std::size_t kMaxBody = 20480000;

// Rows of a JSON listing, one by one into the writer.
class Rows final : public JsonHandler {
 public:
  explicit Rows(ListingWriter& to) : to_(to) {}
  void begin_object() override { entry_ = ListingEntry(); }
  void end_object() override { to_.add(entry_); }
  void begin_array() override {}
  void end_array() override {}
  void key(std::string_view name) override { key_ = name; }
  void text(std::string_view value) override {
    if (key_ == "name") entry_.name = value;
    if (key_ == "hash") entry_.hash = value;
    if (key_ == "content_type") entry_.content_type = value;
    if (key_ == "last_modified") entry_.last_modified = value;
    if (key_ == "subdir") {
      entry_.name = value;
      entry_.subdir = true;
    }
  }
  void integer(std::int64_t value) override {
    if (key_ == "bytes") entry_.bytes = value;
    if (key_ == "count") entry_.count = value;
  }
  void other(const Json& /*value*/) override {}

 private:
  ListingWriter& to_;
  ListingEntry entry_;
  std::string key_;
};

class ListingFormatsFilter final : public Filter {
 public:
  ListingFormatsFilter(const PluginArgs& /*args*/, std::unique_ptr<const App> next)
      : Filter(std::move(next)) {}

  Response operator()(Request& request) const override {
    const bool reads = request.method == "GET" || request.method == "HEAD";
    const auto path = reads ? split_api_path(request.path, 2) : std::nullopt;
    if (!path || !path->object.empty() || !path->version.starts_with('v')) return next()(request);
    Response refusal;
    const auto format = listing_format(request, refusal);
    if (!format) return refusal;
    const bool by_accept = !request.query.has("format");
    const bool account = path->container.empty();
    const std::string owner(account ? path->account : path->container);
    Response out = next()(request);
    if (!out.is_success()) return out;
    if (by_accept) out.headers.set("Vary", "Accept");
    if (!starts_with_name(out.headers.get("Content-Type"), "application/json")) return out;
    out.headers.set("Content-Type", std::string(listing_content_type(*format)));
    if (request.method == "HEAD") {
      out.status = 204;
      out.body.reset();
      out.content_length = 0;
      return out;
    }
    if (*format == ListingFormat::kJson || out.content_length.value_or(kMaxBody + 1) > kMaxBody)
      return out;
    const std::string json = read_all(out.body.get(), kMaxBody);
    ListingWriter writer(account ? ListingKind::kAccount : ListingKind::kContainer, *format, owner);
    Rows rows(writer);
    if (!read_json(json, rows)) {
      out.headers.set("Content-Type", "application/json; charset=utf-8");
      out.body = std::make_unique<StringSource>(json);
      return out;
    }
    std::string text = writer.finish();
    out.content_length = text.size();
    out.status = text.empty() ? 204 : 200;
    out.body = text.empty() ? nullptr : std::make_unique<StringSource>(std::move(text));
    return out;
  }
};

}  // namespace

APUS_EXPORT_FILTER("listing_formats", "1.0", ListingFormatsFilter, kOptions)

}  // namespace apus
