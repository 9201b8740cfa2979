// dlo: an object with X-Object-Manifest is read as all objects whose names start as it says.
#include <apus/conditional.h>
#include <apus/digest.h>
#include <apus/json.h>
#include <apus/plugin.h>
#include <apus/segments.h>

#include <array>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"max_get_time", OptionType::kInt, "86400", "seconds one GET may take", 1, 1e9},
    OptionSpec{"rate_limit_after_segment", OptionType::kInt, "10",
               "segments of a GET that are not limited", 0, 1e9},
    OptionSpec{"rate_limit_segments_per_sec", OptionType::kInt, "1",
               "segments a second after them; 0 = no limit", 0, 1e9},
};
constexpr const char* kAgent = "DLO MultipartGET";
constexpr std::size_t kLargestListing = 64U << 20U;
constexpr std::uint64_t kSmallManifest = 1024;

struct Row {
  std::string name;
  std::uint64_t bytes = 0;
  std::string hash;
};
using Page = std::vector<Row>;

// Which objects, in whose name.
struct Manifest {
  std::string version;
  std::string account;
  std::string container;
  std::string prefix;
};

std::optional<Page> parse_page(std::string_view text) {
  const auto json = Json::parse(text);
  if (!json || json->array() == nullptr) return std::nullopt;
  Page out;
  for (const Json& entry : *json->array()) {
    const Json* name = entry.find("name");
    const Json* bytes = entry.find("bytes");
    const Json* hash = entry.find("hash");
    if (name == nullptr || name->text() == nullptr || bytes == nullptr ||
        bytes->integer() == nullptr || *bytes->integer() < 0 || hash == nullptr ||
        hash->text() == nullptr) {
      return std::nullopt;
    }
    out.push_back({*name->text(), static_cast<std::uint64_t>(*bytes->integer()), *hash->text()});
  }
  return out;
}

std::uint64_t total(const Page& page) {
  std::uint64_t out = 0;
  for (const Row& row : page) out += row.bytes;
  return out;
}

std::string bare(std::string etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"'))
    return etag.substr(1, etag.size() - 2);
  return etag;
}

class DloFilter final : public Filter {
 public:
  DloFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        log_(args.host.logger(args.options)),
        options_(args.options) {}

  Response operator()(Request& request) const override {
    const auto path = split_api_path(request.path, 4);
    if (!path || path->object.empty()) return next()(request);
    if (request.method == "PUT") {
      if (const std::string* value = request.headers.find("X-Object-Manifest");
          value != nullptr && !is_manifest(*value)) {
        return Response(400, "X-Object-Manifest must be in the format container/prefix",
                        "text/html; charset=UTF-8");
      }
      return next()(request);
    }
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (!reads || request.query.get("multipart-manifest") == "get") return next()(request);
    const std::string version(path->version);
    const std::string account(path->account);
    const std::string* ignored = request.internal.find(kIgnoreRange);
    request.internal.set(kIgnoreRange,
                         (ignored != nullptr ? *ignored + "," : "") + "X-Object-Manifest");
    Response out = next()(request);
    const std::string* value = out.headers.find("X-Object-Manifest");
    if (value == nullptr) return out;
    const std::string target = unquote(*value);
    const std::size_t slash = target.find('/');
    if (slash == std::string::npos) return out;
    if (out.content_length.value_or(kSmallManifest) < kSmallManifest)
      drain(out.body.get(), kSmallManifest);
    out.body.reset();
    return answer(request, std::move(out),
                  {version, account, target.substr(0, slash), target.substr(slash + 1)});
  }

 private:
  static constexpr const char* kIgnoreRange = "X-Backend-Ignore-Range-If-Metadata-Present";

  static bool is_manifest(std::string_view value) {
    const std::size_t slash = value.find('/');
    if (slash == std::string_view::npos || slash == 0) return false;
    const std::string_view prefix = value.substr(slash + 1);
    return !prefix.empty() && !prefix.starts_with('/') &&
           value.find_first_of("?&") == std::string_view::npos;
  }

  [[nodiscard]] std::size_t page_size() const {
    return static_cast<std::size_t>(host_.swift_conf().constraints.container_listing_limit);
  }

  // The objects behind `marker`; what was answered instead when there is no listing.
  Response list(const Request& request, const Manifest& manifest, const std::string& marker) const {
    Request get = make_part_request(
        request, "GET", "/" + manifest.version + "/" + manifest.account + "/" + manifest.container,
        "DLO", kAgent);
    get.query.set("format", "json");
    get.query.set("prefix", manifest.prefix);
    if (!marker.empty()) get.query.set("marker", marker);
    get.raw_query = get.query.encode();
    return next()(get);
  }

  // Nothing when a listing is not one.
  static std::optional<Page> page_of(Response& response) {
    if (response.status == 204) return Page();
    return parse_page(read_all(response.body.get(), kLargestListing));
  }

  Response answer(Request& request, Response manifest_answer, const Manifest& manifest) const {
    Response listing = list(request, manifest, "");
    if (!listing.is_success()) {
      if (request.method == "HEAD") listing.body.reset();
      return listing;
    }
    const auto page = page_of(listing);
    if (!page) return error_response(503, request.method == "HEAD");
    const bool complete = page->size() < page_size();
    Response out = std::move(manifest_answer);
    if (out.status / 100 != 2 && out.status != 304 && out.status != 412 && out.status != 416)
      return out;
    out.status = 200;
    out.reason.clear();
    out.headers.erase("Content-Range");
    out.content_length.reset();
    if (!complete) return answer_unknown(request, std::move(out), manifest, *page);
    Digest digest(DigestKind::kMd5);
    for (const Row& row : *page) digest.update(bare(row.hash));
    const std::string etag = digest.finish_hex();
    out.headers.set("Etag", "\"" + etag + "\"");
    return answer_known(request, std::move(out), manifest, *page, etag);
  }

  // As Swift tells it: nothing of the object but its length.
  static Response beyond_the_end(const Response& answered) {
    Response out = error_response(416);
    for (const char* name : {"Content-Range", "Accept-Ranges"}) {
      if (const std::string* value = answered.headers.find(name)) out.headers.set(name, *value);
    }
    return out;
  }

  // Swift judges a range of a HEAD here, and nowhere else.
  static bool is_beyond(const Request& request, std::uint64_t length) {
    const auto ranges = parse_range(request.headers.get("Range"), length);
    return ranges && ranges->empty();
  }

  // All segments are known: length, ETag and one range can be told.
  Response answer_known(Request& request, Response out, const Manifest& manifest, const Page& page,
                        const std::string& etag) const {
    const std::uint64_t length = total(page);
    drop_several_ranges(request, length);
    std::optional<Response> refusal;
    const OpenRange open = [&](ByteRange range) -> std::unique_ptr<Source> {
      auto source = make_source(request, manifest, page, range.first, range.last);
      refusal = source->check_first();
      return source;
    };
    const bool says_ranges = out.headers.has("Accept-Ranges");
    answer_conditionally(request, out, length, etag, open, "");
    // Of a manifest whose own conditions were refused the proxy does not say it, nor does Swift.
    if (!says_ranges) out.headers.erase("Accept-Ranges");
    if (out.status == 416) return beyond_the_end(out);
    if (request.method == "HEAD" && out.status == 200 && is_beyond(request, length)) {
      out.headers.set("Content-Range", "bytes */" + std::to_string(length));
      Response refused = beyond_the_end(out);
      refused.body.reset();
      refused.content_length = 0;
      return refused;
    }
    return refusal ? std::move(*refusal) : std::move(out);
  }

  // More than one page: the whole object without a length, or a range that lies in the first page.
  Response answer_unknown(Request& request, Response out, const Manifest& manifest,
                          const Page& page) const {
    const std::uint64_t known = total(page);
    const std::string etag = bare(std::string(out.headers.get("Etag")));
    if (const auto status = failed_precondition(
            request.headers, etag, parse_http_date(out.headers.get("Last-Modified")))) {
      Response refusal = error_response(*status, request.method == "HEAD");
      for (const auto& [name, value] : out.headers) {
        if (!same_name(name, "Content-Type")) refusal.headers.set(name, value);
      }
      return refusal;
    }
    if (request.method == "HEAD") return out;
    std::uint64_t first = 0;
    std::uint64_t last = UINT64_MAX - 1;
    const std::string_view header = request.headers.get("Range");
    const auto within = parse_range(header, known);
    const auto without_end = parse_range(header, UINT64_MAX / 2);
    // An open end or a suffix names bytes that nobody has counted.
    if (within && within->size() == 1 && without_end && *without_end == *within &&
        within->front().last + 1 < known) {
      first = within->front().first;
      last = within->front().last;
      out.status = 206;
      out.content_length = last - first + 1;
      out.headers.set("Content-Range", "bytes " + std::to_string(first) + "-" +
                                           std::to_string(last) + "/" + std::to_string(known));
    }
    auto source = make_source(request, manifest, page, first, last);
    if (auto refusal = source->check_first()) return std::move(*refusal);
    out.body = std::move(source);
    return out;
  }

  static void drop_several_ranges(Request& request, std::uint64_t length) {
    const std::string* header = request.headers.find("Range");
    if (header == nullptr) return;
    const auto ranges = parse_range(*header, length);
    if (ranges && header->find(',') != std::string::npos) request.headers.erase("Range");
  }

  std::unique_ptr<SegmentedSource> make_source(const Request& request, const Manifest& manifest,
                                               const Page& page, std::uint64_t first,
                                               std::uint64_t last) const {
    SegmentRules rules;
    rules.source = "DLO";
    rules.agent = kAgent;
    rules.name = quote(request.path);
    rules.max_get_time = options_.number("max_get_time");
    rules.unlimited_segments = options_.integer("rate_limit_after_segment");
    rules.segments_per_second = options_.number("rate_limit_segments_per_sec");
    if (last < UINT64_MAX - 1) rules.length = last - first + 1;
    auto walk = std::make_shared<Walk>(*this, request, manifest, page, first, last);
    return std::make_unique<SegmentedSource>(
        request, next(), host_, log_, [walk] { return walk->next(); }, std::move(rules));
  }

  // Goes through the listing, page by page, and cuts the wanted bytes out of each row.
  class Walk {
   public:
    Walk(const DloFilter& filter, const Request& request, Manifest manifest, Page page,
         std::uint64_t first, std::uint64_t last)
        : filter_(filter),
          parent_(make_part_request(request, "GET", request.path, "DLO", "")),
          manifest_(std::move(manifest)),
          page_(std::move(page)),
          first_(first),
          last_(last) {
      const std::string* agent = request.headers.find("User-Agent");
      parent_.headers.erase("User-Agent");
      if (agent != nullptr) parent_.headers.set("User-Agent", *agent);
    }

    std::optional<Segment> next() {
      while (passed_ <= last_) {
        if (at_ == page_.size() && !next_page()) return std::nullopt;
        const Row& row = page_[at_++];
        const std::uint64_t start = passed_;
        passed_ += row.bytes;
        if (first_ >= passed_ || row.bytes == 0) continue;
        Segment out;
        out.path = "/" + manifest_.version + "/" + manifest_.account + "/" + manifest_.container +
                   "/" + row.name;
        out.first = first_ > start ? first_ - start : 0;
        if (last_ < passed_ - 1) out.last = last_ - start;
        return out;
      }
      return std::nullopt;
    }

   private:
    // False when the listing ends here.
    bool next_page() {
      if (page_.size() < filter_.page_size()) return false;
      Response listing = filter_.list(parent_, manifest_, page_.back().name);
      std::optional<Page> page;
      if (listing.is_success()) page = page_of(listing);
      if (!page) {
        throw SegmentError("Got status " + std::to_string(listing.status) + " listing container /" +
                           manifest_.account + "/" + manifest_.container);
      }
      page_ = std::move(*page);
      at_ = 0;
      return !page_.empty();
    }

    const DloFilter& filter_;
    Request parent_;
    Manifest manifest_;
    Page page_;
    std::uint64_t first_;
    std::uint64_t last_;
    std::uint64_t passed_ = 0;
    std::size_t at_ = 0;
  };

  Host& host_;
  Logger& log_;
  Options options_;
};

}  // namespace

APUS_EXPORT_FILTER("dlo", "1.0", DloFilter, kOptions)

}  // namespace apus
