#include "middleware/slo/put.h"

#include <apus/accept.h>
#include <apus/account_info.h>
#include <apus/bulk_result.h>
#include <apus/digest.h>
#include <apus/segments.h>

#include <algorithm>
#include <map>

#include "middleware/slo/patient_source.h"

namespace apus::slo {
namespace {

constexpr const char* kPutAgent = "SLO MultipartPUT";
constexpr const char* kOverrideEtag = "X-Object-Sysmeta-Container-Update-Override-Etag";
constexpr std::size_t kLargestAnswer = 1 << 20;
constexpr std::size_t kManyAtOnce = 10000;

// A moment of a header as listings and manifests have it.
std::string listing_time(const Response& response) {
  const auto seconds = parse_http_date(response.headers.get("Last-Modified"));
  return Timestamp::from_raw(seconds.value_or(0) * 100000).isoformat();
}

// What is to be done, in steps that a heartbeat can come between.
class PutWork final : public Work {
 public:
  PutWork(Request request, const App& self, const App& next, const Rules& rules,
          std::vector<SloEntry> entries, std::string type)
      : request_(std::move(request)),
        self_(self),
        next_(next),
        rules_(rules),
        entries_(std::move(entries)),
        segments_(entries_.size()),
        type_(std::move(type)) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].path.empty()) {
        segments_[i].data = entries_[i].data;
        total_ += segments_[i].data.size();
      } else {
        places_[entries_[i].path].push_back(i);
      }
    }
    at_ = places_.begin();
  }

  // Looks at as many objects as are looked at at once. False when all were looked at.
  bool step() override { return look_at(rules_.concurrency); }

  // Looks at up to `most` objects. False when all were looked at.
  bool look_at(std::size_t most) {
    const auto first = at_;
    std::vector<Request> heads;
    for (; at_ != places_.end() && heads.size() < most; ++at_) heads.push_back(head_of(at_->first));
    std::vector<Response> found(heads.size());
    rules_.crew->each(heads.size(), rules_.concurrency,
                      [&](std::size_t i) { found[i] = self_(heads[i]); });
    std::size_t i = 0;
    for (auto at = first; at != at_; ++at, ++i) {
      for (const std::size_t place : at->second) check(place, found[i]);
    }
    return at_ != places_.end();
  }

  // Stores the manifest. The answer as it is without a heartbeat.
  Response finish() {
    if (!problems_.empty()) return problem_answer();
    etag_ = slo_etag(segments_);
    const std::string wanted(without_quotes(trim(request_.headers.get("Etag"))));
    if (!wanted.empty() && wanted != etag_) {
      refused_ = true;
      return error_response(422);
    }
    Response out = store();
    if (out.is_success()) out.headers.set("Etag", "\"" + etag_ + "\"");
    return out;
  }

  // The last piece of a body that began with a heartbeat.
  std::string finish_as_text() override {
    Response out = finish();
    BulkResult result;
    result.set("Response Status", status_line(out.status));
    if (out.is_success()) {
      result.set("Etag", std::string(out.headers.get("Etag")));
      result.set("Last Modified", std::string(out.headers.get("Last-Modified")));
    }
    if (refused_) {
      result.set("Response Body", page_text(out.status));
    } else if (problems_.empty()) {
      result.set("Response Body", read_all(out.body.get(), kLargestAnswer));
    } else {
      result.set("Response Body", page_text(400));
      result.errors = problems_;
    }
    return result.text(type_, "upload");
  }

 private:
  bool refused_ = false;  ///< the client's own ETag did not match

  // Reason and paragraph of a status's page, a line each.
  static std::string page_text(int status) {
    const std::string page = read_all(error_response(status).body.get(), kLargestAnswer);
    const std::size_t begin = page.find("<p>");
    const std::size_t end = page.find("</p>");
    std::string out(reason_phrase(status));
    if (begin != std::string::npos && end != std::string::npos && begin < end)
      out += "\n" + page.substr(begin + 3, end - begin - 3);
    return out;
  }

  // What is known of containers is copied: requests that run at once cannot share it.
  Request head_of(const std::string& path) const {
    Request out =
        make_part_request(request_, "HEAD", object_path(request_.path, path), kSource, kPutAgent);
    if (const auto& known = out.context.info_cache)
      out.context.info_cache = std::make_shared<InfoCache>(*known);
    return out;
  }

  void problem(const SloEntry& entry, std::string what) {
    problems_.emplace_back(quote(entry.path), std::move(what));
  }

  void check(std::size_t place, const Response& found) {
    const SloEntry& entry = entries_[place];
    if (!found.is_success()) return problem(entry, status_line(found.status));
    SloSegment& out = segments_[place];
    out.name =
        "/" + entry.path.substr(std::min(entry.path.find_first_not_of('/'), entry.path.size()));
    out.bytes = found.content_length.value_or(0);
    out.hash = without_quotes(found.headers.get("Etag"));
    const std::string_view type = found.headers.get("Content-Type");
    out.content_type = trim(type.substr(0, type.find(';')));
    out.last_modified = listing_time(found);
    out.sub_slo = is_true(found.headers.get("X-Static-Large-Object"));
    if (!entry.range.empty()) take_range(entry, out);
    const bool last = place + 1 == entries_.size();
    if (out.length() < 1 && !last)
      problem(entry, "Too small; each segment must be at least 1 byte.");
    if (entry.size_bytes && *entry.size_bytes != static_cast<std::int64_t>(out.bytes))
      problem(entry, "Size Mismatch");
    if (entry.etag && *entry.etag != out.hash) problem(entry, "Etag Mismatch");
    total_ += out.length();
  }

  // With both ends; nothing when it is the whole object.
  void take_range(const SloEntry& entry, SloSegment& out) {
    const auto ranges = parse_range("bytes=" + entry.range, out.bytes);
    if (!ranges || ranges->empty()) return problem(entry, "Unsatisfiable Range");
    if (ranges->front() != ByteRange{0, out.bytes - 1}) out.range = ranges->front();
  }

  Response problem_answer() const {
    BulkResult result;
    result.errors = problems_;
    return Response(400, result.text(type_, "upload"), type_);
  }

  Response store() {
    std::string json = to_json(segments_);
    const std::string digest = md5_hex(json);
    request_.headers.set("X-Static-Large-Object", "True");
    request_.headers.set("Etag", digest);
    request_.internal.set(kEtagField, etag_);
    request_.internal.set(kSizeField, std::to_string(total_));
    // Listings show both ETags; what a filter in front said of the first one stands.
    std::string shown(request_.internal.get(kOverrideEtag));
    if (shown.empty()) shown = digest;
    if (shown.starts_with(';')) shown = digest + shown;
    request_.internal.set(kOverrideEtag, shown + "; slo_etag=" + etag_);
    std::string type(request_.headers.get("Content-Type"));
    if (type.empty()) type = "application/octet-stream";
    request_.headers.set("Content-Type", type + ";swift_bytes=" + std::to_string(total_));
    request_.context.content_type_overridden = true;
    request_.content_length = json.size();
    request_.chunked = false;
    request_.body = std::make_unique<StringSource>(std::move(json));
    return next_(request_);
  }

  Request request_;
  const App& self_;
  const App& next_;
  const Rules& rules_;
  std::vector<SloEntry> entries_;
  std::vector<SloSegment> segments_;
  std::string type_;
  std::map<std::string, std::vector<std::size_t>> places_;
  std::map<std::string, std::vector<std::size_t>>::iterator at_;
  std::vector<std::pair<std::string, std::string>> problems_;
  std::uint64_t total_ = 0;
  std::string etag_;
};

// The text of the manifest, or why there is none.
std::optional<Response> read_manifest(Request& request, const Rules& rules, std::string& out) {
  const auto limit = static_cast<std::uint64_t>(rules.max_manifest_size);
  if (!request.headers.get("X-Copy-From").empty())
    return refuse(405, "Multipart Manifest PUTs cannot be COPY requests");
  if (!request.content_length && !request.chunked) return error_response(411);
  if (request.content_length.value_or(0) > limit)
    return refuse(413, "Manifest File > " + std::to_string(limit) + " bytes");
  try {
    out = read_all(request.body.get(), limit);
  } catch (const BodyError& error) {
    if (error.kind() != BodyError::Kind::kTooLarge) throw;
    return refuse(413, "Manifest File > " + std::to_string(limit) + " bytes");
  }
  request.body.reset();
  return std::nullopt;
}

}  // namespace

Response put_manifest(Request& request, const App& self, const App& next, const Rules& rules) {
  std::string text;
  if (auto refusal = read_manifest(request, rules, text)) return std::move(*refusal);
  std::string errors;
  auto entries = parse_slo_put(text, request.path, errors);
  if (!entries) {
    const bool list = errors.starts_with("Index") || errors.starts_with("Inline");
    return Response(400, errors, list ? "text/plain" : "text/html; charset=UTF-8");
  }
  std::int64_t objects = 0;
  for (const SloEntry& entry : *entries) objects += entry.path.empty() ? 0 : 1;
  if (objects > rules.max_segments) {
    return refuse(
        413, "Number of object-backed segments must be <= " + std::to_string(rules.max_segments));
  }
  const auto choice = choose_type(request.headers.get("Accept"), kBulkTypes);
  const std::string type(kBulkTypes[choice.best.value_or(0)]);
  auto job =
      std::make_unique<PutWork>(copy_head(request), self, next, rules, std::move(*entries), type);
  if (is_true(request.query.get("heartbeat"))) {
    Response out(202);
    out.headers.set("Content-Type", type);
    out.content_length.reset();
    out.body = std::make_unique<PatientSource>(std::move(job), rules, " ", true);
    return out;
  }
  // Helpers that are there stay to the end.
  while (job->look_at(kManyAtOnce)) {
  }
  return job->finish();
}

}  // namespace apus::slo
