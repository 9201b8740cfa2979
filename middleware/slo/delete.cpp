#include "middleware/slo/delete.h"

#include <apus/accept.h>
#include <apus/account_info.h>
#include <apus/bulk_result.h>
#include <apus/constraints.h>
#include <apus/digest.h>
#include <apus/json.h>
#include <apus/segments.h>

#include <array>
#include <cstdio>
#include <deque>
#include <set>

#include "middleware/slo/patient_source.h"

namespace apus::slo {
namespace {

constexpr const char* kDeleteAgent = "MultipartDELETE";
constexpr std::size_t kMostFailures = 1000;
constexpr std::int64_t kMostOverLimit = 10;
constexpr const char* kEmptyMd5 = "d41d8cd98f00b204e9800998ecf8427e";

struct Refusal {
  int status = 0;
  std::string text;
};

// The segments of a manifest, or why there are none.
std::optional<std::vector<SloSegment>> fetch(const Request& request, const App& next,
                                             const std::string& name, Refusal& refusal) {
  Request get =
      make_part_request(request, "GET", object_path(request.path, name), kSource, kDeleteAgent);
  get.query.set("multipart-manifest", "get");
  if (const std::string* version = request.query.find("version-id"))
    get.query.set("version-id", *version);
  get.raw_query = get.query.encode();
  // Of what is no manifest the last byte is enough.
  get.headers.set("Range", "bytes=-1");
  get.internal.set("X-Backend-Ignore-Range-If-Metadata-Present", "X-Static-Large-Object");
  Response found = next(get);
  if (found.status == 404) {
    refusal = {404, "SLO manifest not found"};
  } else if (found.status == 401) {
    refusal = {401, "401 Unauthorized"};
  } else if (!found.is_success() && found.status != 416) {
    refusal = {500, "Unable to load SLO manifest or segment."};
  } else if (!is_true(found.headers.get("X-Static-Large-Object"))) {
    refusal = {400, "Not an SLO manifest"};
  } else {
    auto segments = parse_slo_manifest(read_all(found.body.get(), kLargestManifest));
    if (segments) return segments;
    refusal = {500, "Unable to load SLO manifest"};
  }
  return std::nullopt;
}

// Manifests are opened first and deleted behind their segments.
class DeleteWork final : public Work {
 public:
  DeleteWork(Request request, const App& next, const Rules& rules, std::string type)
      : request_(std::move(request)), next_(next), rules_(rules), type_(std::move(type)) {
    const auto path = split_api_path(request_.path, 4);
    Item manifest;
    manifest.name = "/" + std::string(path->container) + "/" + std::string(path->object);
    manifest.unopened = true;
    manifest.version = request_.query.find("version-id") != nullptr;
    queue_.push_back(std::move(manifest));
  }

  // Opens or deletes one. False when there is no more to do.
  bool step() override {
    if (queue_.empty() || !failure_.empty()) return false;
    if (static_cast<std::int64_t>(queue_.size()) > rules_.max_segments * kMostOverLimit) {
      failure_ = "Too many buffered slo segments to delete.";
      return false;
    }
    Item item = std::move(queue_.front());
    queue_.pop_front();
    if (item.unopened) {
      open(std::move(item));
    } else {
      remove(item);
    }
    if (result_.errors.size() >= kMostFailures) failure_ = "Max delete failures exceeded";
    return !queue_.empty() && failure_.empty();
  }

  std::string finish_as_text() override {
    int status = 200;
    std::string body = failure_;
    if (!failure_.empty()) {
      status = 400;
    } else if (!result_.errors.empty()) {
      status = server_failed_ ? 502 : 400;
    } else if (deleted_ == 0 && not_found_ == 0) {
      status = 400;
      body = "Invalid bulk delete.";
    }
    result_.set("Response Status", status_line(status));
    result_.set("Response Body", body);
    result_.set("Number Deleted", deleted_);
    result_.set("Number Not Found", not_found_);
    return result_.text(type_, "delete");
  }

 private:
  struct Item {
    std::string name;
    bool unopened = false;
    bool version = false;  // deleted by its version-id
    Refusal refusal;
  };

  void open(Item item) {
    item.unopened = false;
    const auto segments = fetch(request_, next_, item.name, item.refusal);
    for (const SloSegment& segment : segments.value_or(std::vector<SloSegment>())) {
      if (segment.name.empty()) continue;
      Item inside;
      inside.name = segment.name;
      inside.unopened = segment.sub_slo;
      queue_.push_back(std::move(inside));
    }
    queue_.push_back(std::move(item));
  }

  void remove(const Item& item) {
    if (item.refusal.status == 404) {
      ++not_found_;
    } else if (item.refusal.status != 0) {
      result_.errors.emplace_back(quote(item.name), item.refusal.text);
    } else if (!is_valid_text(item.name)) {
      result_.errors.emplace_back(quote(item.name), status_line(412));
    } else {
      ask_to_remove(item);
    }
  }

  void ask_to_remove(const Item& item) {
    Request out = make_part_request(request_, "DELETE", object_path(request_.path, item.name),
                                    kSource, kDeleteAgent);
    if (item.version) {
      out.query.set("version-id", request_.query.get("version-id"));
      out.raw_query = out.query.encode();
    }
    const Response done = next_(out);
    if (done.is_success()) {
      ++deleted_;
    } else if (done.status == 404) {
      ++not_found_;
    } else {
      server_failed_ = server_failed_ || done.status >= 500;
      result_.errors.emplace_back(quote(item.name), status_line(done.status));
    }
  }

  Request request_;
  const App& next_;
  const Rules& rules_;
  std::string type_;
  std::deque<Item> queue_;
  BulkResult result_;
  std::int64_t deleted_ = 0;
  std::int64_t not_found_ = 0;
  bool server_failed_ = false;
  std::string failure_;
};

std::optional<Response> judge(Request& request, const std::string& acl) {
  if (!request.context.authorize) return std::nullopt;
  request.context.acl = acl;
  auto refusal = request.context.authorize(request);
  request.context.acl.clear();
  return refusal;
}

// Rows for the expirer's queue.
std::string expirer_jobs(const std::string& account, const std::string& container,
                         const std::vector<SloSegment>& segments, const Timestamp& now) {
  Json::Array jobs;
  std::array<char, 32> due;
  std::snprintf(due.data(), due.size(), "%016.5f", now.seconds());
  for (const SloSegment& segment : segments) {
    const std::string object = segment.name.substr(segment.name.find('/', 1) + 1);
    Json job;
    job.set("name", std::string(due.data()) + "-" + account + "/" + container + "/" + object);
    job.set("deleted", 0);
    job.set("created_at", now.internal());
    job.set("etag", kEmptyMd5);
    job.set("size", 0);
    job.set("storage_policy_index", 0);
    job.set("content_type", "application/async-deleted");
    jobs.push_back(std::move(job));
  }
  return Json(std::move(jobs)).dump();
}

// The queue container of a moment: a day's, less up to 99 seconds by the object's hash.
std::string expirer_container(const Rules& rules, const ApiPath& path, const Timestamp& now) {
  const std::string hash =
      rules.host.swift_conf().hash_path(path.account, path.container, path.object);
  std::uint64_t rest = 0;
  for (const char c : hash)
    rest = (rest * 16 + static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10)) % 100;
  const std::int64_t seconds = now.raw() / 100000;
  return normalize_delete_at(seconds / rules.expirer_divisor * rules.expirer_divisor -
                             static_cast<std::int64_t>(rest));
}

Response delete_later(Request& request, const App& next, const Rules& rules) {
  const std::string own_path = request.path;
  const auto path = split_api_path(own_path, 4);
  const std::string account(path->account);
  const std::string own_container(path->container);
  Refusal refusal;
  auto segments =
      fetch(request, next, "/" + own_container + "/" + std::string(path->object), refusal);
  if (!segments) return refuse(refusal.status, refusal.text);
  std::erase_if(*segments, [](const SloSegment& segment) { return segment.name.empty(); });
  if (segments->empty()) return next(request);
  std::set<std::string> containers;
  bool nested = false;
  for (const SloSegment& segment : *segments) {
    containers.insert(segment.name.substr(1, segment.name.find('/', 1) - 1));
    nested = nested || segment.sub_slo;
  }
  if (containers.size() > 1) {
    std::string names;
    for (const std::string& name : containers)
      names += (names.empty() ? "\"" : ", \"") + quote(name) + "\"";
    return refuse(400, "All segments must be in one container. Found segments in " + names);
  }
  if (nested) return refuse(400, "No segments may be large objects.");
  std::set<std::string> written = containers;
  written.insert(own_container);
  for (const std::string& container : written) {
    const auto info = get_container_info(request, next, account, container, kSource);
    if (auto denied = judge(request, info->write_acl)) return std::move(*denied);
  }
  if (!request.context.timestamp) request.context.timestamp = rules.host.clock().timestamp();
  const Timestamp now = *request.context.timestamp;
  std::string jobs = expirer_jobs(account, *containers.begin(), *segments, now);
  Request enqueue = make_subrequest(
      request, "UPDATE",
      "/v1/" + rules.expirer_account + "/" + expirer_container(rules, *path, now), kSource, true);
  enqueue.headers.set("Content-Type", "application/json");
  enqueue.internal.set("X-Backend-Storage-Policy-Index", "0");
  enqueue.internal.set("X-Backend-Allow-Private-Methods", "True");
  enqueue.content_length = jobs.size();
  enqueue.body = std::make_unique<StringSource>(std::move(jobs));
  const Response queued = next(enqueue);
  if (!queued.is_success()) {
    rules.log.error("Failed to enqueue expiration entries: " + status_line(queued.status),
                    request.context.trans_id);
    return error_response(503);
  }
  return next(request);
}

}  // namespace

Response delete_all(Request& request, const App& next, const Rules& rules) {
  if (rules.allow_async_delete && is_true(request.query.get("async"))) {
    if (!is_valid_text(request.path)) return refuse(412, "Invalid UTF8 or contains NULL");
    return delete_later(request, next, rules);
  }
  const auto choice = choose_type(request.headers.get("Accept"), kBulkTypes);
  Response out(200);
  out.content_length.reset();
  if (!choice.best || !is_valid_text(request.path)) {
    BulkResult result;
    const int status = choice.best ? 412 : 406;
    result.set("Response Status", status_line(status));
    result.set("Response Body", choice.best ? "Invalid UTF8 or contains NULL" : "");
    result.set("Number Deleted", std::int64_t{0});
    result.set("Number Not Found", std::int64_t{0});
    const std::string_view type = choice.best ? kBulkTypes[*choice.best] : "";
    return Response(200, result.text(type, "delete"),
                    choice.best ? type : "text/html; charset=UTF-8");
  }
  const std::string type(kBulkTypes[*choice.best]);
  out.headers.set("Content-Type", type);
  const char* blank = type.ends_with("/xml") ? "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" : " ";
  auto job = std::make_unique<DeleteWork>(copy_head(request), next, rules, type);
  out.body = std::make_unique<PatientSource>(std::move(job), rules, blank, false);
  return out;
}

}  // namespace apus::slo
