// proxy_logging: one line in the access log for every request, and its time and bytes as metrics.
#include <apus/plugin.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "middleware/proxy_logging/facts.h"
#include "middleware/proxy_logging/fields.h"

namespace apus {
namespace proxy_logging {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"log_msg_template", OptionType::kText,
               "{client_ip} {remote_addr} {end_time.datetime} {method} {path} {protocol} "
               "{status_int} {referer} {user_agent} {auth_token} {bytes_recvd} {bytes_sent} "
               "{client_etag} {transaction_id} {headers} {request_time} {source} {log_info} "
               "{start_time} {end_time} {policy_index}",
               "the line; see doc/access-log.md for the fields"},
    OptionSpec{"log_anonymization_method", OptionType::kText, "md5",
               "digest behind {FIELD.anonymized}"},
    OptionSpec{"log_anonymization_salt", OptionType::kText, "", "goes into that digest first",
               -9.2e18, 9.2e18, true},
    OptionSpec{"access_log_headers", OptionType::kBool, nullptr, "show request headers"},
    OptionSpec{"log_headers", OptionType::kBool, "false", "show request headers"},
    OptionSpec{"access_log_headers_only", OptionType::kList, "", "of the headers only these"},
    OptionSpec{"access_log_statsd_valid_http_methods", OptionType::kList, nullptr,
               "methods with metrics of their own; others count as BAD_METHOD"},
    OptionSpec{"log_statsd_valid_http_methods", OptionType::kList,
               "GET,HEAD,POST,PUT,DELETE,COPY,OPTIONS", "the same"},
    OptionSpec{"access_log_route", OptionType::kText, "proxy-access", "name of the log route"},
    OptionSpec{"access_log_*", OptionType::kText, nullptr, "as log_*, for the access log alone"},
    OptionSpec{"reveal_sensitive_prefix", OptionType::kInt, "16",
               "characters shown of tokens and signatures", 0},
};

// access_log_X stands for log_X here.
Options access_options(const Options& options) {
  Options::Map values = options.all();
  for (const auto& [name, value] : options.family("access_log_"))
    values.insert_or_assign(name.substr(std::string_view("access_").size()), value);
  return {options.text("access_log_route"), kOptions.data(), kOptions.size(), std::move(values)};
}

std::vector<std::string> metric_methods(const Options& options) {
  std::vector<std::string> out = options.list(options.find("access_log_statsd_valid_http_methods")
                                                  ? "access_log_statsd_valid_http_methods"
                                                  : "log_statsd_valid_http_methods");
  for (std::string& method : out) {
    for (char& c : method) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

std::string number_or_nothing(std::uint64_t value) {
  return value == 0 ? std::string() : std::to_string(value);
}

// What is known of one request, from its start until its body is out.
struct Record {
  double start = 0;
  int wire_status = 0;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  bool client_lost = false;
  bool of_filter = false;  // a sub-request
  std::string trans_id;
  LogTemplate::Line line;
  std::string metric;         // "object.GET", empty = none
  std::string policy_metric;  // "object.policy.1.GET"
};

class ReceivedBody final : public Source {
 public:
  ReceivedBody(std::unique_ptr<Source> body, std::shared_ptr<Record> record)
      : body_(std::move(body)), record_(std::move(record)) {}
  std::size_t read(std::span<char> out) override {
    try {
      const std::size_t count = body_->read(out);
      record_->received += count;
      return count;
    } catch (...) {
      record_->client_lost = true;
      throw;
    }
  }

 private:
  std::unique_ptr<Source> body_;
  std::shared_ptr<Record> record_;
};

class ProxyLoggingFilter final : public Filter {
 public:
  ProxyLoggingFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        log_(args.host.logger(access_options(args.options))),
        template_(args.options.text("log_msg_template"), kFields,
                  args.options.text("log_anonymization_method"),
                  args.options.text("log_anonymization_salt")),
        show_headers_(args.options.find("access_log_headers")
                          ? args.options.flag("access_log_headers")
                          : args.options.flag("log_headers")),
        headers_only_(args.options.list("access_log_headers_only")),
        methods_(metric_methods(args.options)),
        revealed_(static_cast<std::size_t>(args.options.integer("reveal_sensitive_prefix"))),
        pid_(std::to_string(::getpid())) {}

  Response operator()(Request& request) const override {
    if (request.context.access_log_made) return next()(request);
    request.context.access_log_made = true;
    auto record = std::make_shared<Record>();
    record->start = host_.clock().now();
    const std::string method = request.method;  // a COPY is a PUT further in
    if (request.body)
      request.body = std::make_unique<ReceivedBody>(std::move(request.body), record);
    Response out;
    try {
      out = next()(request);
    } catch (...) {
      begin(*record, request, method, nullptr);
      finish(*record, 500);
      throw;
    }
    begin(*record, request, method, &out);
    if (out.body && method != "HEAD" && out.status != 204 && out.status != 304) {
      out.body = std::make_unique<SentBody>(*this, std::move(out.body), std::move(record),
                                            out.content_length);
    } else {
      finish(*record, out.status);
    }
    return out;
  }

 private:
  // Passes stretches of files through to the host, and logs when the body is let go.
  class SentBody final : public Source {
   public:
    SentBody(const ProxyLoggingFilter& filter, std::unique_ptr<Source> body,
             std::shared_ptr<Record> record, std::optional<std::uint64_t> length)
        : filter_(filter), body_(std::move(body)), record_(std::move(record)), length_(length) {}
    ~SentBody() override {
      const bool whole = at_end_ || (length_ && record_->sent >= *length_);
      // A filter that saw an error need not read its page.
      const bool left_out = record_->of_filter && record_->wire_status >= 400;
      if (!whole && !left_out && status_ != 500) status_ = 499;
      if (at_end_ && length_ && record_->sent < *length_) status_ = 500;
      filter_.finish(*record_, status_ == 0 ? record_->wire_status : status_);
    }
    std::size_t read(std::span<char> out) override {
      try {
        const std::size_t count = body_->read(out);
        record_->sent += count;
        at_end_ = count == 0;
        return count;
      } catch (...) {
        status_ = 500;
        throw;
      }
    }
    std::optional<FileRegion> file_region() override {
      const auto region = body_->file_region();
      if (region) region_ = region->length;
      return region;
    }
    void sent() override {
      record_->sent += region_;
      at_end_ = true;
      body_->sent();
    }

   private:
    const ProxyLoggingFilter& filter_;
    std::unique_ptr<Source> body_;
    std::shared_ptr<Record> record_;
    std::optional<std::uint64_t> length_;
    std::uint64_t region_ = 0;
    int status_ = 0;
    bool at_end_ = false;
  };

  // All that the request tells, while it is still there. Null `response` = there is none.
  void begin(Record& record, const Request& request, const std::string& method,
             const Response* response) const {
    record.wire_status = response != nullptr ? response->status : 500;
    record.trans_id = request.context.trans_id;
    record.of_filter = !request.context.source.empty();
    const std::string policy = policy_of(request, response);
    const std::string_view path = request.path;
    name_metrics(record, request, path, method, policy);
    std::string ttfb;
    if (method == "GET" && response != nullptr) ttfb = time_first_byte(record);
    if (!log_.enabled(LogLevel::kInfo)) return;

    Values values;
    const Headers& headers = request.headers;
    const Context& context = request.context;
    values[kRemoteAddr].text = context.remote_address;
    values[kClientIp].text = client_of(request);
    values[kDomain].text = headers.get("Host", context.local_address);
    if (const std::size_t colon = values[kDomain].text.rfind(':'); colon != std::string_view::npos)
      values[kDomain].text = values[kDomain].text.substr(0, colon);
    const std::string full_path = logged_path(request, revealed_);
    values[kPath].text = full_path;
    values[kReferer].text = headers.get("Referer");
    values[kUserAgent].text = headers.get("User-Agent");
    values[kClientEtag].text = headers.get("Etag");
    const std::string shown_headers =
        show_headers_ ? logged_headers(request, headers_only_, revealed_) : std::string();
    values[kHeaders].text = shown_headers;
    if (const auto parts = split_api_path(path, 1); parts && parts->version == "v1") {
      values[kAccount].text = parts->account;
      values[kContainer].text = parts->container;
      values[kObject].text = parts->object;
    }
    values[kMethod].text = method;
    values[kProtocol].text = request.protocol;
    const std::string token = obscured(headers.get("X-Auth-Token"), revealed_);
    values[kAuthToken].text = token;
    values[kTransactionId].text = context.trans_id;
    values[kSource].text = context.source;
    const std::string log_info = joined(context.log_info);
    values[kLogInfo].text = log_info;
    values[kPolicyIndex].text = policy;
    values[kTtfb].text = ttfb;
    values[kPid].text = pid_;
    const std::string wire_status = std::to_string(record.wire_status);
    values[kWireStatusInt].text = wire_status;
    values[kStartTime].time = record.start;
    record.line = template_.begin(values);
  }

  void finish(const Record& record, int status) const {
    if (record.client_lost) status = 499;
    const double end = host_.clock().now();
    const std::string status_text = std::to_string(status);
    if (log_.enabled(LogLevel::kInfo)) {
      Values values;
      const std::string received = number_or_nothing(record.received);
      const std::string sent = number_or_nothing(record.sent);
      std::array<char, 40> took;
      const auto took_end = std::to_chars(took.data(), took.data() + took.size(),
                                          end - record.start, std::chars_format::fixed, 4)
                                .ptr;
      values[kEndTime].time = end;
      values[kStatusInt].text = status_text;
      values[kBytesRecvd].text = received;
      values[kBytesSent].text = sent;
      values[kRequestTime].text =
          std::string_view(took.data(), static_cast<std::size_t>(took_end - took.data()));
      log_.write(LogLevel::kInfo, template_.finish(record.line, values), record.trans_id);
    }
    for (const std::string* metric : {&record.metric, &record.policy_metric}) {
      if (metric->empty()) continue;
      std::string name;
      name.reserve(metric->size() + 16);
      name.append(*metric).append(".").append(status_text);
      const std::size_t stem = name.size();
      host_.metrics().timing(name.append(".timing"), (end - record.start) * 1000);
      name.resize(stem);
      host_.metrics().increment(name.append(".xfer"),
                                static_cast<std::int64_t>(record.received + record.sent));
    }
  }

  std::string time_first_byte(const Record& record) const {
    const double took = host_.clock().now() - record.start;
    for (const std::string* metric : {&record.metric, &record.policy_metric}) {
      if (metric->empty()) continue;
      std::string name;
      name.reserve(metric->size() + 32);
      name.append(*metric).append(".").append(std::to_string(record.wire_status));
      host_.metrics().timing(name.append(".first-byte.timing"), took * 1000);
    }
    return took == 0 ? std::string() : python_float(took);
  }

  void name_metrics(Record& record, const Request& request, std::string_view path,
                    const std::string& method, const std::string& policy) const {
    std::string_view kind = request.context.source;
    if (path.starts_with("/v1/")) {
      const std::size_t first = path.find_first_not_of('/');
      const std::string_view inner = path.substr(first, path.find_last_not_of('/') + 1 - first);
      const auto slashes = std::count(inner.begin(), inner.end(), '/');
      static constexpr std::array<std::string_view, 3> kKinds = {"", "account", "container"};
      kind = slashes < 3 ? kKinds.at(static_cast<std::size_t>(slashes)) : "object";
    }
    if (kind.empty()) return;
    const bool known = std::find(methods_.begin(), methods_.end(), method) != methods_.end();
    const std::string_view shown = known ? std::string_view(method) : "BAD_METHOD";
    record.metric.append(kind).append(".").append(shown);
    const auto index = parse_digits(policy);
    if (kind != "object" || !index ||
        host_.swift_conf().policy(static_cast<int>(*index)) == nullptr)
      return;
    record.policy_metric.append("object.policy.").append(policy).append(".").append(shown);
  }

  Host& host_;
  Logger& log_;
  LogTemplate template_;
  bool show_headers_;
  std::vector<std::string> headers_only_;
  std::vector<std::string> methods_;
  std::size_t revealed_;
  std::string pid_;
};

}  // namespace

APUS_EXPORT_FILTER("proxy_logging", "1.0", ProxyLoggingFilter, kOptions)

}  // namespace proxy_logging

}  // namespace apus
