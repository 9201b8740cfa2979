#include <apus/digest.h>
#include <apus/segments.h>

#include <algorithm>

namespace apus {
namespace {

constexpr std::size_t kShownBody = 60;
constexpr std::size_t kMostOfError = 65536;
constexpr double kRateBuffer = 5;

std::string_view bare(std::string_view etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"'))
    etag = etag.substr(1, etag.size() - 2);
  return etag;
}

std::string shown(std::string_view text) {
  return text.size() <= kShownBody ? std::string(text)
                                   : std::string(text.substr(0, kShownBody - 3)) + "...";
}

}  // namespace

// The segment that is being read.
struct SegmentedSource::Open {
  std::string name;
  std::unique_ptr<Source> body;
  std::optional<std::uint64_t> length;  // announced
  std::uint64_t seen = 0;
  std::string etag;
  std::unique_ptr<Digest> digest;  // of whole objects only
};

SegmentError::SegmentError(const std::string& what) : std::runtime_error(what) {}
SegmentError::~SegmentError() = default;

Request make_part_request(const Request& parent, std::string method, std::string path,
                          const std::string& source, const std::string& agent) {
  Request out = make_subrequest(parent, std::move(method), std::move(path), source, false);
  for (const char* name : {"X-Auth-Token", "Referer", "Origin"}) {
    if (const std::string* value = parent.headers.find(name)) out.headers.set(name, *value);
  }
  const std::string_view client = parent.headers.get("User-Agent");
  out.headers.set("User-Agent", client.empty() ? agent : std::string(client) + " " + agent);
  return out;
}

SegmentedSource::SegmentedSource(const Request& parent, const App& next, Host& host, Logger& log,
                                 NextSegment segments, SegmentRules rules)
    : parent_(make_part_request(parent, "GET", parent.path, rules.source, rules.agent)),
      next_(next),
      host_(host),
      log_(log),
      segments_(std::move(segments)),
      rules_(std::move(rules)),
      limiter_(rules_.segments_per_second, kRateBuffer),
      start_(host.clock().now()) {}
SegmentedSource::~SegmentedSource() = default;

std::optional<Response> SegmentedSource::check_first() {
  try {
    if (!open_ && !at_end_) at_end_ = !open_next();
    return std::nullopt;
  } catch (const SegmentError& error) {
    log_.error(error.what(), parent_.context.trans_id);
  }
  return error_response(servers_failed_ ? 503 : 409);
}

std::size_t SegmentedSource::read(std::span<char> out) {
  try {
    return read_on(out);
  } catch (const SegmentError& error) {
    log_.error(error.what(), parent_.context.trans_id);
    throw BodyError(BodyError::Kind::kIo, error.what());
  }
}

std::size_t SegmentedSource::read_on(std::span<char> out) {
  while (!at_end_) {
    if (!open_ && !open_next()) {
      at_end_ = true;
      break;
    }
    const std::size_t size = open_->body ? open_->body->read(out) : 0;
    if (size > 0) {
      open_->seen += size;
      if (open_->digest) open_->digest->update({out.data(), size});
      count(size);
      return size;
    }
    check_end();
    open_.reset();
  }
  if (rules_.length && given_ < *rules_.length) {
    throw SegmentError("Expected another " + std::to_string(*rules_.length - given_) +
                       " bytes for " + rules_.name + "; closing connection");
  }
  return 0;
}

void SegmentedSource::count(std::size_t bytes) {
  given_ += bytes;
  if (rules_.length && given_ > *rules_.length) {
    throw SegmentError("Too many bytes for " + rules_.name + " in " + open_->name + ", " +
                       std::to_string(given_ - *rules_.length) + " bytes left");
  }
  if (host_.clock().now() - start_ > rules_.max_get_time) {
    throw SegmentError("While processing manifest " + rules_.name +
                       ", the longest time for a large object was exceeded");
  }
}

bool SegmentedSource::open_next() {
  const auto segment = segments_();
  if (!segment) return false;
  if (segment->path.empty()) {
    const std::uint64_t end = std::min<std::uint64_t>(
        segment->data.size(), segment->last ? *segment->last + 1 : segment->data.size());
    open_ = std::make_unique<Open>();
    open_->name = "data segment";
    if (segment->first < end) {
      open_->body = std::make_unique<StringSource>(
          segment->data.substr(segment->first, end - segment->first));
    }
    return true;
  }
  if (segment->limited && rules_.unlimited_segments-- <= 0) {
    const double wait = limiter_.wait(host_.clock().now());
    if (wait > 0)
      host_.clock().sleep(std::chrono::nanoseconds(static_cast<std::int64_t>(wait * 1e9)));
  }
  fetch(*segment);
  return true;
}

void SegmentedSource::fetch(const Segment& segment) {
  Request get = make_part_request(parent_, "GET", segment.path, rules_.source, "");
  get.headers.set("User-Agent", std::string(parent_.headers.get("User-Agent")));
  // The object as it lies there: its ETag is its MD5 then.
  get.query.set("multipart-manifest", "get");
  get.raw_query = get.query.encode();
  const bool to_end = !segment.last || (segment.size && *segment.last + 1 == *segment.size);
  const bool whole = segment.first == 0 && to_end;
  if (!whole) {
    get.headers.set("Range", "bytes=" + std::to_string(segment.first) + "-" +
                                 (to_end ? "" : std::to_string(*segment.last)));
  }
  Response found = next_(get);
  if (!found.is_success()) {
    std::string body;
    try {
      body = read_all(found.body.get(), kMostOfError);
    } catch (const BodyError&) {
      body.clear();
    }
    servers_failed_ = found.status >= 500;
    fail_fetch(found, body, segment);
  }
  const std::string etag(bare(found.headers.get("Etag")));
  const bool changed = segment.etag && etag != *segment.etag;
  const bool resized = segment.size && whole && found.content_length != segment.size;
  if (changed || resized) {
    throw SegmentError("Object segment no longer valid: " + segment.path + " etag: " + etag +
                       " != " + segment.etag.value_or("-") + " or " +
                       std::to_string(found.content_length.value_or(0)) +
                       " != " + std::to_string(segment.size.value_or(0)) + ".");
  }
  open_ = std::make_unique<Open>();
  open_->name = segment.path;
  open_->body = std::move(found.body);
  open_->length = found.content_length;
  open_->etag = etag;
  if (whole && !etag.empty()) open_->digest = std::make_unique<Digest>(DigestKind::kMd5);
}

void SegmentedSource::fail_fetch(const Response& response, std::string_view body,
                                 const Segment& segment) const {
  throw SegmentError("While processing manifest " + rules_.name + ", got " +
                     std::to_string(response.status) + " (" + shown(body) + ") while retrieving " +
                     segment.path);
}

void SegmentedSource::check_end() {
  if (open_->length && open_->seen != *open_->length) {
    throw SegmentError("Bad response length for " + open_->name + " as part of " + rules_.name +
                       ": headers had " + std::to_string(*open_->length) + ", but there were " +
                       std::to_string(open_->seen));
  }
  if (!open_->digest) return;
  const std::string digest = open_->digest->finish_hex();
  if (digest != open_->etag) {
    throw SegmentError("Bad MD5 checksum for " + open_->name + " as part of " + rules_.name +
                       ": headers had " + open_->etag + ", but object MD5 was actually " + digest);
  }
}

}  // namespace apus
