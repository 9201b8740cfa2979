// listing_formats: below it listings are JSON; clients get the form they asked for.
#include <apus/constraints.h>
#include <apus/json.h>
#include <apus/listing.h>
#include <apus/plugin.h>

#include <algorithm>
#include <array>

namespace apus {
namespace {

constexpr std::array<OptionSpec, 0> kOptions = {};
constexpr std::size_t kMaxBody = 20480000;
constexpr std::string_view kEscapedNul = "\\u0000";

// Rows of a JSON listing, one by one into the writer. What is no listing is noticed.
class Rows final : public JsonHandler {
 public:
  Rows(ListingWriter& to, ListingKind kind, bool names_only, bool reserved)
      : to_(to), kind_(kind), names_only_(names_only), reserved_(reserved) {}

  void begin_object() override {
    if (depth_++ == 1) {
      entry_ = ListingEntry();
      seen_ = 0;
    } else {
      odd_ = odd_ || depth_ == 1;
    }
  }
  void end_object() override {
    if (--depth_ != 1) return;
    const bool nul = entry_.name.find('\0') != std::string::npos;
    odd_ = odd_ || !complete();
    if (nul && !reserved_) {
      ++hidden_;
    } else {
      to_.add(entry_);
    }
  }
  void begin_array() override {
    odd_ = odd_ || depth_ == 1;
    ++depth_;
  }
  void end_array() override { --depth_; }
  void key(std::string_view name) override { key_ = depth_ == 2 ? name : std::string_view(); }
  void text(std::string_view value) override {
    odd_ = odd_ || depth_ < 2;
    if (depth_ != 2) return;
    if (key_ == "name") see(kName, entry_.name = value);
    if (key_ == "hash") see(kHash, entry_.hash = value);
    if (key_ == "content_type") see(kType, entry_.content_type = value);
    if (key_ == "last_modified") see(kModified, entry_.last_modified = value);
    if (key_ == "subdir") {
      see(kSubdir, entry_.name = value);
      entry_.subdir = true;
    }
  }
  void integer(std::int64_t value) override {
    odd_ = odd_ || depth_ < 2;
    if (depth_ != 2) return;
    if (key_ == "bytes") see(kBytes, entry_.bytes = value);
    if (key_ == "count") see(kCount, entry_.count = value);
  }
  void other(const Json& /*value*/) override { odd_ = odd_ || depth_ < 2; }

  [[nodiscard]] bool is_listing() const { return !odd_; }
  [[nodiscard]] std::size_t hidden() const { return hidden_; }

 private:
  enum Member : unsigned {
    kName = 1,
    kHash = 2,
    kType = 4,
    kModified = 8,
    kBytes = 16,
    kCount = 32,
    kSubdir = 64
  };
  template <typename T>
  void see(Member member, const T& /*kept*/) {
    seen_ |= member;
  }
  [[nodiscard]] bool complete() const {
    if ((seen_ & kSubdir) != 0) return true;
    unsigned wanted = kName;
    if (!names_only_) {
      wanted |= kBytes | kModified;
      wanted |= kind_ == ListingKind::kAccount ? unsigned{kCount} : kHash | kType;
    }
    return (seen_ & wanted) == wanted;
  }

  ListingWriter& to_;
  ListingKind kind_;
  bool names_only_;
  bool reserved_;
  ListingEntry entry_;
  std::string key_;
  int depth_ = 0;
  unsigned seen_ = 0;
  std::size_t hidden_ = 0;
  bool odd_ = false;
};

class ListingFormatsFilter final : public Filter {
 public:
  ListingFormatsFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)), host_(args.host), log_(args.host.logger(args.options)) {}

  Response operator()(Request& request) const override {
    const bool reads = request.method == "GET" || request.method == "HEAD";
    const auto path = reads ? split_api_path(request.path, 2) : std::nullopt;
    if (!path || !path->object.empty() ||
        !is_valid_api_version(path->version, host_.swift_conf().constraints)) {
      return next()(request);
    }
    const std::string account(path->account);
    const std::string container(path->container);
    Response refusal;
    const auto format = listing_format(request, refusal);
    if (!format) return refusal;
    const bool varies = !request.query.has("format");
    if (!request.query.get("format").empty())
      request.headers.set("Accept", bare_type(listing_content_type(*format)));
    request.query.set("format", "json");
    request.raw_query = request.query.encode();
    Response out = next()(request);
    if (!request.context.format_listing) return out;
    if (out.status != 200 && out.status != 204) return out;
    if (varies) vary_by_accept(out.headers);
    const std::string_view type = out.headers.get("Content-Type");
    if (type.substr(0, type.find(';')) != "application/json") return out;
    if (request.method == "HEAD") {
      out.headers.set("Content-Type", std::string(listing_content_type(*format)));
      out.content_length = 0;
      return out;
    }
    if (out.content_length.value_or(kMaxBody + 1) <= kMaxBody)
      convert(request, out, *format, account, container);
    return out;
  }

 private:
  static std::string bare_type(std::string_view type) {
    return std::string(type.substr(0, type.find(';')));
  }

  static void vary_by_accept(Headers& headers) {
    const std::string* vary = headers.find("Vary");
    if (vary == nullptr) {
      headers.set("Vary", "Accept");
      return;
    }
    const std::vector<std::string> names = split_list(lower(*vary));
    if (std::find(names.begin(), names.end(), "accept") == names.end())
      headers.set("Vary", *vary + ", Accept");
  }

  void convert(const Request& request, Response& out, ListingFormat format,
               const std::string& account, const std::string& container) const {
    std::string json = read_all(out.body.get(), kMaxBody);
    // As the servers wrote it, unless there may be a name to hide.
    const bool as_it_is =
        format == ListingFormat::kJson && json.find(kEscapedNul) == std::string::npos;
    const ListingKind kind = container.empty() ? ListingKind::kAccount : ListingKind::kContainer;
    ListingWriter writer(kind, format, container.empty() ? account : container);
    Rows rows(writer, kind, format == ListingFormat::kPlain, request.context.allow_reserved_names);
    if (!as_it_is && (!read_json(json, rows) || !rows.is_listing())) {
      set_body(out, std::move(json));  // another filter's page: the client gets it as it is
      return;
    }
    if (rows.hidden() > 0) {
      log_.warning(
          (container.empty() ? "Account listing for " + quote(account)
                             : "Container listing for " + quote(account) + "/" + quote(container)) +
              " had reserved byte in " + std::to_string(rows.hidden()) + " names",
          request.context.trans_id);
    }
    out.headers.set("Content-Type", std::string(listing_content_type(format)));
    set_body(out, as_it_is ? std::move(json) : writer.finish());
    if (out.content_length > 0U) return;
    out.status = 204;
    out.reason.clear();
  }

  // An empty text is no body at all.
  static void set_body(Response& out, std::string text) {
    out.content_length = text.size();
    out.body = text.empty() ? nullptr : std::make_unique<StringSource>(std::move(text));
  }

  Host& host_;
  Logger& log_;
};

}  // namespace

APUS_EXPORT_FILTER("listing_formats", "1.0", ListingFormatsFilter, kOptions)

}  // namespace apus
