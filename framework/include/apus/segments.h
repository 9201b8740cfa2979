// Large objects: one body out of many objects, fetched one after the other.
#pragma once

#include <apus/abi.h>
#include <apus/app.h>
#include <apus/host.h>
#include <apus/message.h>
#include <apus/rate_limiter.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace apus {

/// A stretch of one object, or bytes that are at hand.
struct Segment {
  std::string path;  ///< decoded, "/v1/a/c/o"; empty = `data` is the segment
  std::string data;
  std::optional<std::string> etag;    ///< what its ETag must be, without quotes
  std::optional<std::uint64_t> size;  ///< how long the whole object must be
  std::uint64_t first = 0;
  std::optional<std::uint64_t> last;  ///< included; nothing = to its end
  bool limited = true;                ///< counts for the rate limit
};

/// A segment is missing, changed or cannot be listed.
class APUS_API SegmentError : public std::runtime_error {
 public:
  explicit SegmentError(const std::string& what);
  ~SegmentError() override;
};

/// The next segment, or nothing at the end. Called once for each, in order, by the thread that
/// reads. Throws SegmentError.
using NextSegment = std::function<std::optional<Segment>()>;

struct SegmentRules {
  std::string source;                    ///< swift.source of the requests, "SLO"
  std::string agent;                     ///< behind the client's User-Agent, "SLO MultipartGET"
  std::string name;                      ///< of the whole, for logs
  double max_get_time = 86400;           ///< seconds
  std::int64_t unlimited_segments = 10;  ///< of those that count for the rate limit
  double segments_per_second = 1;        ///< after them; 0 = no limit
  std::optional<std::uint64_t> length;   ///< bytes to give out; more or less is an error
};

/// A request by which a filter reads parts of a large object for `parent`: like make_subrequest,
/// with the client's token and referrer, and `agent` behind its User-Agent.
APUS_API Request make_part_request(const Request& parent, std::string method, std::string path,
                                   const std::string& source, const std::string& agent);

/// The body. Fetches a segment when its bytes are wanted ("?multipart-manifest=get"), checks it
/// against what was promised and against its own ETag, and throws BodyError kIo when it is not what
/// it was; the log has the reason. One thread at a time. `next`, `host` and `log` outlive it.
class APUS_API SegmentedSource final : public Source {
 public:
  SegmentedSource(const Request& parent, const App& next, Host& host, Logger& log,
                  NextSegment segments, SegmentRules rules);
  ~SegmentedSource() override;

  /// Fetches the first segment before anything is promised to the client. Nothing = all is well;
  /// else 409 for a segment that is not what it was, 503 when the servers failed.
  std::optional<Response> check_first();

  std::size_t read(std::span<char> out) override;

 private:
  struct Open;

  /// False at the end of all segments.
  bool open_next();
  void fetch(const Segment& segment);
  [[noreturn]] void fail_fetch(const Response& response, std::string_view body,
                               const Segment& segment) const;
  void check_end();
  std::size_t read_on(std::span<char> out);
  void count(std::size_t bytes);

  Request parent_;
  const App& next_;
  Host& host_;
  Logger& log_;
  NextSegment segments_;
  SegmentRules rules_;
  RateLimiter limiter_;
  double start_;
  std::unique_ptr<Open> open_;
  std::uint64_t given_ = 0;
  bool at_end_ = false;
  bool servers_failed_ = false;
};

}  // namespace apus
