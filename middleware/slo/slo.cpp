// slo: static large objects: a manifest names the objects, and ranges of them, that make one.
#include <apus/json.h>
#include <apus/plugin.h>

#include <array>

#include "middleware/slo/delete.h"
#include "middleware/slo/get.h"
#include "middleware/slo/put.h"

namespace apus::slo {
namespace {

constexpr double kMost = 1e9;
constexpr std::array kOptions = {
    OptionSpec{"max_manifest_segments", OptionType::kInt, "1000",
               "object-backed segments of a new manifest", 0, kMost},
    OptionSpec{"max_manifest_size", OptionType::kInt, "8388608", "bytes of a new manifest", 1,
               kMost},
    OptionSpec{"yield_frequency", OptionType::kInt, "10", "seconds between heartbeats", 0, kMost},
    OptionSpec{"allow_async_delete", OptionType::kBool, "false",
               "leave segments to the expirer when a client asks for it"},
    OptionSpec{"max_get_time", OptionType::kInt, "86400", "seconds one GET may take", 1, kMost},
    OptionSpec{"rate_limit_under_size", OptionType::kInt, "1048576",
               "segments of fewer bytes are limited", 0, 9e18},
    OptionSpec{"rate_limit_after_segment", OptionType::kInt, "10",
               "small segments of a GET that are not limited", 0, kMost},
    OptionSpec{"rate_limit_segments_per_sec", OptionType::kInt, "1",
               "small segments a second after them; 0 = no limit", 0, kMost},
    OptionSpec{"concurrency", OptionType::kInt, "2",
               "segments of one new manifest that are looked at at once", 1, 1000},
    OptionSpec{"delete_concurrency", OptionType::kInt, nullptr,
               "accepted for Swift's confs: one after the other", 0, 1000},
    OptionSpec{"expiring_objects_account_name", OptionType::kText, "expiring_objects",
               "account of the expirer's queue"},
    OptionSpec{"expiring_objects_container_divisor", OptionType::kInt, "86400",
               "seconds per queue container", 1, kMost},
};
constexpr std::size_t kLargestListing = 20480000;
// Threads that look at segments, of all requests together.
constexpr std::size_t kMostHelpers = 64;

Rules rules_of(const PluginArgs& args, const Crew& crew) {
  const Options& options = args.options;
  Rules out{.host = args.host, .log = args.host.logger(options)};
  out.concurrency = static_cast<std::size_t>(options.integer("concurrency"));
  out.crew = &crew;
  out.max_segments = options.integer("max_manifest_segments");
  out.max_manifest_size = options.integer("max_manifest_size");
  out.yield_frequency = options.number("yield_frequency");
  out.allow_async_delete = options.flag("allow_async_delete");
  out.max_get_time = options.number("max_get_time");
  out.rate_limit_under_size = static_cast<std::uint64_t>(options.integer("rate_limit_under_size"));
  out.rate_limit_after_segment = options.integer("rate_limit_after_segment");
  out.rate_limit_segments_per_sec = options.number("rate_limit_segments_per_sec");
  out.expirer_account = args.host.swift_conf().constraints.auto_create_account_prefix +
                        options.text("expiring_objects_account_name");
  out.expirer_divisor = options.integer("expiring_objects_container_divisor");
  return out;
}

// "MD5; slo_etag=X[; other=Y]" as "MD5[; other=Y]", and the X.
std::optional<std::string> take_slo_etag(std::string& hash) {
  std::optional<std::string> out;
  std::string kept;
  for (const std::string& piece : split_list(hash, ';')) {
    constexpr std::string_view kMark = "slo_etag=";
    if (piece.starts_with(kMark)) {
      out = piece.substr(kMark.size());
    } else {
      kept += (kept.empty() ? "" : "; ") + piece;
    }
  }
  if (out) hash = kept;
  return out;
}

// Listings show a large object's own ETag as a member of its own.
void show_slo_etags(Response& listing) {
  const std::string_view type = listing.headers.get("Content-Type");
  const bool json = type.substr(0, type.find(';')) == "application/json";
  if (!listing.is_success() || !json || !listing.body ||
      listing.content_length.value_or(kLargestListing + 1) > kLargestListing) {
    return;
  }
  std::string text = read_all(listing.body.get(), kLargestListing);
  auto rows = text.find("slo_etag=") != std::string::npos ? Json::parse(text) : std::nullopt;
  if (rows && rows->array() != nullptr) {
    Json::Array changed = *rows->array();
    for (Json& row : changed) {
      const Json* value = row.find("hash");
      if (value == nullptr || value->text() == nullptr) continue;
      std::string hash = *value->text();
      const auto etag = take_slo_etag(hash);
      if (!etag) continue;
      row.set("hash", hash);
      row.set("slo_etag", "\"" + *etag + "\"");
    }
    text = Json(std::move(changed)).dump();
  }
  listing.content_length = text.size();
  listing.body = std::make_unique<StringSource>(std::move(text));
}

class SloFilter final : public Filter {
 public:
  SloFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)), rules_(rules_of(args, crew_)) {
    Json info;
    info.set("max_manifest_segments", rules_.max_segments);
    info.set("max_manifest_size", rules_.max_manifest_size);
    info.set("yield_frequency", args.options.integer("yield_frequency"));
    info.set("min_segment_size", 1);
    info.set("allow_async_delete", rules_.allow_async_delete);
    args.host.info().set("slo", info.dump());
  }

  Response operator()(Request& request) const override {
    const auto path = split_api_path(request.path, 3);
    if (!path || request.context.slo_override) return next()(request);
    if (path->object.empty()) {
      Response out = next()(request);
      if (request.method == "GET") show_slo_etags(out);
      return out;
    }
    const std::string_view manifest = request.query.get("multipart-manifest");
    if (request.method == "PUT" && manifest == "put")
      return put_manifest(request, *this, next(), rules_);
    if (request.method == "DELETE" && manifest == "delete")
      return delete_all(request, next(), rules_);
    if (request.method == "GET" || request.method == "HEAD")
      return get_or_head(request, next(), rules_);
    if (!request.headers.has("X-Static-Large-Object")) return next()(request);
    return Response(400,
                    "X-Static-Large-Object is a reserved header. To create a static large object "
                    "add query param multipart-manifest=put.",
                    "text/html; charset=UTF-8");
  }

 private:
  Crew crew_{kMostHelpers};
  Rules rules_;
};

}  // namespace

APUS_EXPORT_FILTER("slo", "1.0", SloFilter, kOptions)

}  // namespace apus::slo
