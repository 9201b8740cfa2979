// bulk: an archive whose files become objects, and lists of names to delete.
#include <apus/json.h>
#include <apus/listing.h>
#include <apus/plugin.h>

#include <algorithm>
#include <array>

#include "middleware/bulk/deletion.h"
#include "middleware/bulk/extraction.h"

namespace apus {
namespace {

using enum OptionType;
using bulk::Report;

// Threads that delete, of all requests together.
constexpr std::size_t kMostHelpers = 64;
constexpr std::array kOptions = {
    OptionSpec{"max_containers_per_extraction", kInt, "10000", "containers one archive may make", 0,
               1e9},
    OptionSpec{"max_failed_extractions", kInt, "1000", "failures that end an extraction", 1, 1e9},
    OptionSpec{"max_deletes_per_request", kInt, "10000", "names one request may delete", 0, 1e7},
    OptionSpec{"max_failed_deletes", kInt, "1000", "failures that end a deletion", 1, 1e9},
    OptionSpec{"yield_frequency", kInt, "10", "seconds between signs of life", 0, 86400},
    OptionSpec{"delete_concurrency", kInt, "2", "deletions at once", 1, 1000},
    OptionSpec{"delete_container_retry_count", kInt, "0",
               "tries more for containers that are not empty yet", 0, 100},
};

// The first bytes of a body were read already, so that a client that waits for
// "100 Continue" got it before the answer's head goes out.
class PrimedSource final : public Source {
 public:
  explicit PrimedSource(std::unique_ptr<Source> rest) : rest_(std::move(rest)) {
    if (rest_ == nullptr) return;
    first_.resize(4096);
    first_.resize(rest_->read(first_));
  }
  std::size_t read(std::span<char> out) override {
    if (at_ == first_.size()) return rest_ != nullptr ? rest_->read(out) : 0;
    const std::size_t count = std::min(out.size(), first_.size() - at_);
    std::copy_n(first_.data() + at_, count, out.data());
    at_ += count;
    return count;
  }

 private:
  std::unique_ptr<Source> rest_;
  std::string first_;
  std::size_t at_ = 0;
};

// What the work needs of the request, which its owner still reads: its body is taken.
Request take(Request& request) {
  Request out(request.method, request.path);
  out.headers = request.headers;
  out.context = request.context;
  out.content_length = request.content_length;
  out.chunked = request.chunked;
  out.body = std::move(request.body);
  return out;
}

std::optional<Compression> compression_of(std::string_view text) {
  std::string name = lower(text);
  name.erase(0, name.find_first_not_of('.'));
  name.erase(name.find_last_not_of('.') + 1);
  if (name == "tar") return Compression::kNone;
  if (name == "tar.gz") return Compression::kGzip;
  if (name == "tar.bz2") return Compression::kBzip2;
  return std::nullopt;
}

// By the Accept header alone.
std::optional<ListingFormat> format_of(const Request& request) {
  Request asked("GET", request.path);
  if (const std::string* accept = request.headers.find("Accept"))
    asked.headers.set("Accept", *accept);
  Response refusal;
  return listing_format(asked, refusal);
}

std::string_view type_of(std::optional<ListingFormat> format) {
  if (!format) return "text/html; charset=UTF-8";
  switch (*format) {
    case ListingFormat::kJson:
      return "application/json";
    case ListingFormat::kXml:
      return "application/xml";
    case ListingFormat::kTextXml:
      return "text/xml";
    case ListingFormat::kPlain:
      return "text/plain";
  }
  return "";
}

class BulkFilter final : public Filter {
 public:
  BulkFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)), host_(args.host), pause_(args.options.integer("yield_frequency")) {
    const Options& options = args.options;
    const Constraints& limits = host_.swift_conf().constraints;
    extract_ = {options.integer("max_containers_per_extraction"),
                options.integer("max_failed_extractions")};
    delete_ = {options.integer("max_deletes_per_request"),
               options.integer("max_failed_deletes"),
               static_cast<std::size_t>(options.integer("delete_concurrency")),
               options.integer("delete_container_retry_count"),
               static_cast<std::size_t>(limits.max_object_name_length +
                                        limits.max_container_name_length + 2),
               &crew_};
    Json upload;
    upload.set("max_containers_per_extraction", extract_.max_containers);
    upload.set("max_failed_extractions", extract_.max_failures);
    host_.info().set("bulk_upload", upload.dump());
    Json deletes;
    deletes.set("max_deletes_per_request", delete_.max_deletes);
    deletes.set("max_failed_deletes", delete_.max_failures);
    host_.info().set("bulk_delete", deletes.dump());
  }

  Response operator()(Request& request) const override {
    const bool posts = request.method == "POST" || request.method == "DELETE";
    if (posts && request.query.has("bulk-delete")) return remove(request);
    const std::string* archive = request.query.find("extract-archive");
    if (archive == nullptr || request.method != "PUT") return next()(request);
    const auto compression = compression_of(*archive);
    if (!compression)
      return Response(400, "Unsupported archive format", "text/html; charset=UTF-8");
    return extract(request, *compression);
  }

 private:
  // What keeps a request from being begun; no status = nothing.
  static Report judge(const Request& request, std::optional<ListingFormat> format, bool names) {
    Report out;
    const auto refuse = [&](int status) { out.status = bulk::status_line(status); };
    const bool sized = request.content_length || request.chunked;
    const std::string_view type = request.headers.get("Content-Type");
    if (!format) {
      refuse(406);
    } else if (!names && !sized) {
      refuse(411);
    } else if (!split_api_path(request.path, 2)) {
      refuse(404);
    } else if (names && !type.empty() && !type.starts_with("text/plain")) {
      refuse(406);
    } else if (names && !sized) {
      refuse(411);
    }
    return out;
  }

  static Response answer(std::optional<ListingFormat> format, std::unique_ptr<Source> work) {
    Response out;
    out.headers.set("Content-Type", std::string(type_of(format)));
    out.body = std::move(work);
    return out;
  }

  Response remove(Request& request) const {
    const auto format = format_of(request);
    Report refusal = judge(request, format, true);
    std::vector<std::string> names;
    if (refusal.status.empty()) names = bulk::read_names(request, delete_, refusal);
    return answer(format,
                  std::make_unique<bulk::Deletion>(host_.clock(), pause_, format, take(request),
                                                   std::move(names), delete_, next(), refusal));
  }

  Response extract(Request& request, Compression compression) const {
    const auto format = format_of(request);
    const Report refusal = judge(request, format, false);
    request.body = refusal.status.empty() ? std::make_unique<PrimedSource>(std::move(request.body))
                                          : std::make_unique<PrimedSource>(nullptr);
    return answer(format, std::make_unique<bulk::Extraction>(
                              host_.clock(), pause_, format, take(request), compression, extract_,
                              host_.swift_conf().constraints, next(), refusal));
  }

  Host& host_;
  std::chrono::seconds pause_;
  bulk::ExtractLimits extract_;
  Crew crew_{kMostHelpers};
  bulk::DeleteLimits delete_;
};

}  // namespace

APUS_EXPORT_FILTER("bulk", "1.0", BulkFilter, kOptions)

}  // namespace apus
