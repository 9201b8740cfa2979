#include <apus/conditional.h>

#include <algorithm>

namespace apus {
namespace {

constexpr std::size_t kMaxRanges = 50;
constexpr std::size_t kMaxOverlaps = 2;
constexpr std::size_t kMaxNotAscending = 8;

struct Spec {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;
};

std::optional<std::uint64_t> digits(std::string_view text) {
  const auto value = parse_digits(trim(text));
  return value ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
}

std::optional<std::vector<Spec>> parse_specs(std::string_view header) {
  if (!starts_with_name(header, "bytes=")) return std::nullopt;
  header.remove_prefix(6);
  std::vector<Spec> out;
  while (true) {
    const std::size_t comma = std::min(header.find(','), header.size());
    const std::string_view piece = trim(header.substr(0, comma));
    const std::size_t dash = piece.find('-');
    if (dash == std::string_view::npos || piece.size() < 2) return std::nullopt;
    Spec spec{digits(piece.substr(0, dash)), digits(piece.substr(dash + 1))};
    if (!spec.first && dash != 0) return std::nullopt;
    if (!spec.last && dash + 1 != piece.size()) return std::nullopt;
    if (spec.first && spec.last && *spec.first > *spec.last) return std::nullopt;
    out.push_back(spec);
    if (comma == header.size()) return out;
    header.remove_prefix(comma + 1);
  }
}

// The tags of If-Match and If-None-Match, quotes taken off.
std::vector<std::string> parse_tags(std::string_view header) {
  std::vector<std::string> out = split_list(header);
  for (std::string& tag : out) {
    if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"')
      tag = tag.substr(1, tag.size() - 2);
  }
  return out;
}

bool has_tag(const std::vector<std::string>& tags, std::string_view etag) {
  return std::any_of(tags.begin(), tags.end(),
                     [&](const std::string& tag) { return tag == "*" || tag == etag; });
}

std::string content_range(const ByteRange& range, std::uint64_t length) {
  return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" +
         std::to_string(length);
}

// Parts of an entity between their heads: multipart/byteranges.
class MultipartSource final : public Source {
 public:
  MultipartSource(std::vector<ByteRange> ranges, std::uint64_t length, std::string type,
                  std::string boundary, OpenRange open)
      : ranges_(std::move(ranges)),
        length_(length),
        type_(std::move(type)),
        boundary_(std::move(boundary)),
        open_(std::move(open)) {}

  std::uint64_t size() const {
    std::uint64_t total = boundary_.size() + 4;
    for (const ByteRange& range : ranges_) total += head(range).size() + range.length() + 2;
    return total;
  }

  std::size_t read(std::span<char> out) override {
    while (true) {
      if (text_ != nullptr) {
        if (const std::size_t count = text_->read(out)) return count;
        text_.reset();
      }
      if (part_ != nullptr) {
        if (const std::size_t count = part_->read(out)) return count;
        part_.reset();
        text_ = std::make_unique<StringSource>("\r\n");
      } else if (opened_) {
        part_ = open_(ranges_[next_ - 1]);
        opened_ = false;
      } else if (next_ < ranges_.size()) {
        text_ = std::make_unique<StringSource>(head(ranges_[next_++]));
        opened_ = true;
      } else if (!ended_) {
        ended_ = true;
        text_ = std::make_unique<StringSource>("--" + boundary_ + "--");
      } else {
        return 0;
      }
    }
  }

 private:
  std::string head(const ByteRange& range) const {
    return "--" + boundary_ + "\r\nContent-Type: " + type_ +
           "\r\nContent-Range: " + content_range(range, length_) + "\r\n\r\n";
  }

  std::vector<ByteRange> ranges_;
  std::uint64_t length_;
  std::string type_;
  std::string boundary_;
  OpenRange open_;
  std::unique_ptr<Source> text_;
  std::unique_ptr<Source> part_;
  std::size_t next_ = 0;
  bool opened_ = false;
  bool ended_ = false;
};

void make_empty(Response& response, int status) {
  response.status = status;
  response.body.reset();
  response.content_length = 0;
}

}  // namespace

std::optional<std::vector<ByteRange>> parse_range(std::string_view header, std::uint64_t length) {
  const auto specs = parse_specs(header);
  if (!specs) return std::nullopt;
  if (specs->size() > kMaxRanges) return std::vector<ByteRange>();
  // The last bytes of nothing are all of it.
  const auto is_suffix = [](const Spec& spec) { return !spec.first && *spec.last > 0; };
  if (length == 0 && std::any_of(specs->begin(), specs->end(), is_suffix)) return std::nullopt;
  std::vector<ByteRange> out;
  for (const Spec& spec : *specs) {
    if (!spec.first) {
      if (*spec.last == 0 || length == 0) continue;
      out.push_back({length - std::min(length, *spec.last), length - 1});
    } else if (*spec.first < length) {
      out.push_back({*spec.first, std::min(spec.last.value_or(length - 1), length - 1)});
    }
  }
  if (out.size() < 2) return out;
  std::size_t not_ascending = 0;
  for (std::size_t i = 1; i < out.size(); ++i)
    not_ascending += out[i].first < out[i - 1].first ? 1 : 0;
  std::vector<ByteRange> sorted = out;
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::size_t overlaps = 0;
  for (std::size_t i = 1; i < sorted.size(); ++i)
    overlaps += sorted[i].first <= sorted[i - 1].last ? 1 : 0;
  if (not_ascending >= kMaxNotAscending || overlaps > kMaxOverlaps) return std::vector<ByteRange>();
  return out;
}

std::optional<int> failed_precondition(const Headers& request, std::string_view etag,
                                       std::optional<std::int64_t> last_modified, bool exists) {
  if (!exists) {
    const auto tags = parse_tags(request.get("If-Match"));
    return std::find(tags.begin(), tags.end(), "*") != tags.end() ? std::optional(412)
                                                                  : std::nullopt;
  }
  if (const std::string* header = request.find("If-None-Match");
      header != nullptr && !etag.empty()) {
    if (has_tag(parse_tags(*header), etag)) return 304;
  }
  if (const std::string* header = request.find("If-Match"); header != nullptr && !etag.empty()) {
    const auto tags = parse_tags(*header);
    if (!tags.empty() && !has_tag(tags, etag)) return 412;
  }
  if (!last_modified) return std::nullopt;
  if (const auto since = parse_http_date(request.get("If-Modified-Since"));
      since && *last_modified <= *since) {
    return 304;
  }
  if (const auto since = parse_http_date(request.get("If-Unmodified-Since"));
      since && *last_modified > *since) {
    return 412;
  }
  return std::nullopt;
}

void answer_conditionally(const Request& request, Response& response, std::uint64_t length,
                          std::string_view etag, const OpenRange& open,
                          const std::string& boundary) {
  const bool head = request.method == "HEAD";
  response.headers.set("Accept-Ranges", "bytes");
  const bool dated =
      request.headers.has("If-Modified-Since") || request.headers.has("If-Unmodified-Since");
  const auto changed =
      dated ? parse_http_date(response.headers.get("Last-Modified")) : std::nullopt;
  if (const auto status = failed_precondition(request.headers, etag, changed)) {
    make_empty(response, *status);
    return;
  }
  const std::string* header = request.headers.find("Range");
  const auto ranges = header == nullptr || head ? std::nullopt : parse_range(*header, length);
  if (!ranges) {
    response.content_length = length;
    if (!head && length > 0) response.body = open({0, length - 1});
    return;
  }
  if (ranges->empty()) {
    Response page = error_response(416, head);
    make_empty(response, 416);
    response.headers.set("Content-Range", "bytes */" + std::to_string(length));
    response.content_length = page.content_length;
    response.body = std::move(page.body);
    return;
  }
  response.status = 206;
  if (ranges->size() == 1) {
    response.headers.set("Content-Range", content_range(ranges->front(), length));
    response.content_length = ranges->front().length();
    response.body = open(ranges->front());
    return;
  }
  auto body = std::make_unique<MultipartSource>(
      *ranges, length, std::string(response.headers.get("Content-Type")), boundary, open);
  response.headers.set("Content-Type", "multipart/byteranges;boundary=" + boundary);
  response.content_length = body->size();
  response.body = std::move(body);
}

}  // namespace apus
