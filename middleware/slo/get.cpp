#include "middleware/slo/get.h"

#include <apus/conditional.h>
#include <apus/digest.h>
#include <apus/segments.h>

#include "middleware/slo/walk.h"

namespace apus::slo {
namespace {

constexpr std::string_view kUnsatisfiable = "The requested part number is not satisfiable";

void append_name(Headers& headers, const char* list, const std::string& name) {
  const std::string* known = headers.find(list);
  headers.set(list, known != nullptr && !known->empty() ? *known + "," + name : name);
}

bool is_slo(const Response& response) {
  return is_true(response.headers.get("X-Static-Large-Object"));
}

// The manifest as stored, or in the form of a put.
void show_manifest(const Request& request, Response& response) {
  if (request.query.get("format") != "raw") {
    response.headers.set("Content-Type", "application/json; charset=utf-8");
    return;
  }
  if (request.method == "HEAD" || !response.is_success()) return;
  const auto segments = parse_slo_manifest(read_all(response.body.get(), kLargestManifest));
  std::string json = to_raw_json(segments.value_or(Segments()));
  response.headers.set("Etag", md5_hex(json));
  response.content_length = json.size();
  response.body = std::make_unique<StringSource>(std::move(json));
}

bool is_conditional(const Request& request) {
  return request.headers.has("If-Match") || request.headers.has("If-None-Match");
}

// Whether what came is not the whole manifest.
bool must_ask_again(const Request& request, const Response& response) {
  if (request.method == "HEAD") return true;
  return !response.is_success() || response.status == 206;
}

Response ask_again(const Request& request, const App& next) {
  Request get = make_part_request(request, "GET", request.path, kSource, kGetAgent);
  if (const std::string* version = request.query.find("version-id")) {
    get.query.set("version-id", *version);
    get.raw_query = get.query.encode();
  }
  return next(get);
}

// "part-number": nothing = not asked for; 0 = asked for wrongly, with `refusal` set.
std::optional<std::uint64_t> part_number(const Request& request, Response& refusal) {
  const std::string* text = request.query.find("part-number");
  if (text == nullptr) return std::nullopt;
  const auto number = parse_int(*text);
  if (!number || *number <= 0) {
    refusal =
        Response(400, "Part number must be an integer greater than 0", "text/html; charset=UTF-8");
    return 0;
  }
  if (request.headers.has("Range")) {
    refusal = Response(400, "Range requests are not supported with part number queries",
                       "text/html; charset=UTF-8");
    return 0;
  }
  return static_cast<std::uint64_t>(*number);
}

// Opens ranges of one large object. Outlives the request it was made for: parts of an answer with
// several are opened while it streams.
class Opener {
 public:
  Opener(const Request& request, const App& next, const Rules& rules,
         std::shared_ptr<const Segments> segments)
      : parent_(copy_head(request)), next_(next), rules_(rules), segments_(std::move(segments)) {}

  // Looks at the first segment of the first part that will be opened.
  void check(ByteRange range) {
    range_ = range;
    first_ = make(range);
    refusal_ = first_->check_first();
  }
  std::unique_ptr<Source> open(ByteRange range) {
    return first_ && range == range_ ? std::move(first_) : make(range);
  }
  std::optional<Response> refusal() { return std::move(refusal_); }

 private:
  std::unique_ptr<SegmentedSource> make(ByteRange range) {
    SegmentRules how;
    how.source = kSource;
    how.agent = kGetAgent;
    how.name = quote(parent_.path);
    how.max_get_time = rules_.max_get_time;
    how.unlimited_segments = rules_.rate_limit_after_segment;
    how.segments_per_second = rules_.rate_limit_segments_per_sec;
    how.length = range.length();
    auto walk = std::make_shared<Walk>(parent_, next_, rules_, segments_, range);
    return std::make_unique<SegmentedSource>(
        parent_, next_, rules_.host, rules_.log, [walk] { return walk->next(); }, std::move(how));
  }

  Request parent_;
  const App& next_;
  const Rules& rules_;
  std::shared_ptr<const Segments> segments_;
  ByteRange range_;
  std::unique_ptr<SegmentedSource> first_;
  std::optional<Response> refusal_;
};

// One large object that is to be answered with.
class Answer {
 public:
  Answer(const Request& request, const App& next, const Rules& rules, Response& out,
         std::shared_ptr<const Segments> segments)
      : request_(request),
        rules_(rules),
        out_(out),
        segments_(segments),
        opener_(std::make_shared<Opener>(request, next, rules, std::move(segments))) {
    const std::string* etag = out.internal.find(kEtagField);
    etag_ = etag != nullptr ? *etag : slo_etag(*segments_);
    const auto size = parse_digits(out.internal.get(kSizeField));
    for (const SloSegment& segment : *segments_) length_ += segment.length();
    if (size) length_ = static_cast<std::uint64_t>(*size);
  }

  Response all() {
    prepare();
    if (const auto first = first_range()) {
      opener_->check(*first);
      if (auto refusal = opener_->refusal()) return std::move(*refusal);
    }
    answer_conditionally(
        request_, out_, length_, etag_,
        [opener = opener_](ByteRange range) { return opener->open(range); },
        rules_.host.entropy().hex(16));
    return std::move(out_);
  }

  Response part(std::uint64_t number) {
    if (is_unmet()) return all();
    prepare();
    out_.headers.set("X-Parts-Count", std::to_string(segments_->size()));
    if (number > segments_->size()) return no_such_part();
    ByteRange range;
    for (std::uint64_t i = 0; i + 1 < number; ++i) range.first += (*segments_)[i].length();
    const std::uint64_t length = (*segments_)[number - 1].length();
    range.last = range.first + length - 1;
    out_.status = 206;
    out_.headers.set("Content-Range", "bytes " + std::to_string(range.first) + "-" +
                                          std::to_string(range.last) + "/" +
                                          std::to_string(length_));
    out_.content_length = length;
    if (request_.method == "HEAD" || length == 0) return std::move(out_);
    opener_->check(range);
    if (auto refusal = opener_->refusal()) return std::move(*refusal);
    out_.body = opener_->open(range);
    return std::move(out_);
  }

 private:
  void prepare() {
    out_.status = 200;
    out_.reason.clear();
    out_.body.reset();
    out_.content_length.reset();
    out_.headers.erase("Content-Range");
    out_.headers.set("X-Manifest-Etag", std::string(out_.headers.get("Etag")));
    out_.headers.set("Etag", "\"" + etag_ + "\"");
  }

  bool is_unmet() const {
    const auto changed = parse_http_date(out_.headers.get("Last-Modified"));
    return failed_precondition(request_.headers, etag_, changed).has_value();
  }

  // The first bytes that will be sent; nothing when none will be.
  std::optional<ByteRange> first_range() const {
    if (request_.method == "HEAD" || length_ == 0 || is_unmet()) return std::nullopt;
    const auto ranges = parse_range(request_.headers.get("Range"), length_);
    if (!ranges) return ByteRange{0, length_ - 1};
    return ranges->empty() ? std::nullopt : std::optional(ranges->front());
  }

  Response no_such_part() {
    out_.status = 416;
    out_.headers.set("Content-Range", "bytes */" + std::to_string(length_));
    const bool head = request_.method == "HEAD";
    out_.content_length = head ? 0 : kUnsatisfiable.size();
    if (!head) out_.body = std::make_unique<StringSource>(std::string(kUnsatisfiable));
    return std::move(out_);
  }

  const Request& request_;
  const Rules& rules_;
  Response& out_;
  std::shared_ptr<const Segments> segments_;
  std::shared_ptr<Opener> opener_;
  std::string etag_;
  std::uint64_t length_ = 0;
};

// Its size and ETag were stored beside the manifest: nobody has to read it.
Response from_facts(const Request& request, Response out) {
  out.headers.set("X-Manifest-Etag", std::string(out.headers.get("Etag")));
  out.headers.set("Etag", "\"" + std::string(out.internal.get(kEtagField)) + "\"");
  const bool whole = request.method == "HEAD" && out.is_success();
  if (whole) {
    out.content_length = parse_digits(out.internal.get(kSizeField)).value_or(0);
    out.body.reset();
  }
  return out;
}

}  // namespace

Response get_or_head(Request& request, const App& next, const Rules& rules) {
  const bool manifest = request.query.get("multipart-manifest") == "get";
  if (!manifest) {
    append_name(request.internal, "X-Backend-Etag-Is-At", kEtagField);
    append_name(request.internal, "X-Backend-Ignore-Range-If-Metadata-Present",
                "X-Static-Large-Object");
  }
  Response out = next(request);
  if (!is_slo(out)) return out;
  if (manifest) {
    show_manifest(request, out);
    return out;
  }
  Response refusal;
  const auto part = part_number(request, refusal);
  if (part && *part == 0) return refusal;
  const bool has_facts = out.internal.has(kEtagField) && out.internal.has(kSizeField);
  const bool unmet = (out.status == 304 || out.status == 412) && is_conditional(request);
  if (has_facts && !part && (request.method == "HEAD" || unmet))
    return from_facts(request, std::move(out));
  if (must_ask_again(request, out)) {
    const auto seen = Timestamp::parse(out.internal.get("X-Backend-Timestamp"));
    out.body.reset();
    out = ask_again(request, next);
    if (!is_slo(out)) {
      // Something newer is there now, or nobody has what was there a moment ago.
      const auto now = Timestamp::parse(out.internal.get("X-Backend-Timestamp"));
      return now && seen && *now >= *seen ? std::move(out)
                                          : error_response(503, request.method == "HEAD");
    }
  }
  auto segments = parse_slo_manifest(read_all(out.body.get(), kLargestManifest));
  if (!segments) {
    rules.log.error("manifest " + quote(request.path) + " cannot be read",
                    request.context.trans_id);
    return error_response(500, request.method == "HEAD");
  }
  Answer answer(request, next, rules, out, std::make_shared<const Segments>(std::move(*segments)));
  return part ? answer.part(*part) : answer.all();
}

}  // namespace apus::slo
