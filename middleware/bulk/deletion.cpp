#include "middleware/bulk/deletion.h"

#include <apus/constraints.h>

#include <algorithm>
#include <cmath>

namespace apus::bulk {
namespace {

// Without slashes at its ends.
std::string_view bare(std::string_view name) {
  const std::size_t first = name.find_first_not_of('/');
  if (first == std::string_view::npos) return {};
  return name.substr(first, name.find_last_not_of('/') - first + 1);
}

bool is_object(std::string_view name) { return bare(name).find('/') != std::string_view::npos; }

bool refuse(Report& report, int status, std::string text) {
  report.status = status_line(status);
  report.body = std::move(text);
  return false;
}

// Moves the whole lines of `pending` to `names`.
bool take_lines(std::string& pending, std::vector<std::string>& names, const DeleteLimits& limits,
                Report& report) {
  std::size_t at = 0;
  for (std::size_t end = pending.find('\n'); end != std::string::npos;
       end = pending.find('\n', at)) {
    names.push_back(unquote(trim(std::string_view(pending).substr(at, end - at))));
    at = end + 1;
    if (static_cast<std::int64_t>(names.size()) > limits.max_deletes)
      return refuse(report, 413,
                    "Maximum Bulk Deletes: " + std::to_string(limits.max_deletes) + " per request");
  }
  pending.erase(0, at);
  return pending.size() <= limits.max_path * 2 || refuse(report, 400, "Invalid File Name");
}

}  // namespace

std::vector<std::string> read_names(Request& request, const DeleteLimits& limits, Report& report) {
  std::vector<std::string> names;
  std::string pending;
  std::string piece(limits.max_path, '\0');
  while (request.body != nullptr) {
    const std::size_t count = request.body->read(piece);
    if (count == 0) break;
    pending.append(piece, 0, count);
    if (!take_lines(pending, names, limits, report)) return {};
  }
  pending += '\n';
  if (trim(pending).empty()) return names;
  if (!take_lines(pending, names, limits, report)) return {};
  return names;
}

Deletion::Deletion(Clock& clock, std::chrono::seconds pause, std::optional<ListingFormat> format,
                   Request request, std::vector<std::string> names, const DeleteLimits& limits,
                   const App& next, const Report& refusal)
    : WorkSource(clock, pause, format, "delete"),
      clock_(clock),
      request_(std::move(request)),
      names_(std::move(names)),
      limits_(limits),
      next_(next),
      refused_(!refusal.status.empty()) {
  report.status = refusal.status;
  report.body = refusal.body;
  std::erase_if(names_, [](const std::string& name) { return name.empty(); });
  std::stable_partition(names_.begin(), names_.end(), is_object);
  if (const auto path = split_api_path(request_.path, 2))
    root_ = "/" + std::string(path->version) + "/" + std::string(path->account) + "/";
}

Deletion::Outcome Deletion::remove(const std::string& name) const {
  const std::string path = root_ + name.substr(std::min(name.find_first_not_of('/'), name.size()));
  if (!is_valid_text(path)) return {412, ""};
  for (std::int64_t retry = 0;; ++retry) {
    Request asked = make_subrequest(request_, "DELETE", path, "BD", false);
    // What one request finds out is for one thread at a time.
    asked.context.info_cache = nullptr;
    asked.headers.set(
        "User-Agent",
        std::string(trim(std::string(request_.headers.get("User-Agent")) + " BulkDelete")));
    if (const std::string* token = request_.headers.find("X-Auth-Token"))
      asked.headers.set("X-Auth-Token", *token);
    asked.content_length = 0;
    const Response out = next_(asked);
    if (out.status != 409 || retry >= limits_.retries) return {out.status, out.reason};
    clock_.sleep(std::chrono::milliseconds(
        std::llround(1000 * std::pow(1.5, static_cast<double>(retry + 1)))));
  }
}

void Deletion::count(const std::string& name, const Outcome& outcome) {
  if (outcome.status / 100 == 2) {
    ++deleted_;
  } else if (outcome.status == 404) {
    ++missing_;
  } else {
    if (outcome.status / 100 == 5) back_end_failed_ = true;
    report.errors.emplace_back(quote(name), status_line(outcome.status, outcome.reason));
  }
}

// A few at once, never a container beside an object.
bool Deletion::step() {
  if (refused_ || at_ == names_.size()) return finish();
  const bool objects = is_object(names_[at_]);
  const std::size_t first = at_;
  while (at_ < names_.size() && at_ - first < limits_.concurrency &&
         is_object(names_[at_]) == objects) {
    ++at_;
  }
  std::vector<Outcome> outcomes(at_ - first);
  limits_.crew->each(outcomes.size(), limits_.concurrency,
                     [&](std::size_t i) { outcomes[i] = remove(names_[first + i]); });
  for (std::size_t i = 0; i < outcomes.size(); ++i) count(names_[first + i], outcomes[i]);
  if (static_cast<std::int64_t>(report.errors.size()) < limits_.max_failures) return true;
  refuse(report, 400, "Max delete failures exceeded");
  refused_ = true;
  return true;
}

bool Deletion::finish() {
  report.counts = {{"Number Deleted", deleted_}, {"Number Not Found", missing_}};
  if (refused_) return false;
  report.status = status_line(200);
  if (!report.errors.empty()) {
    report.status = status_line(back_end_failed_ ? 502 : 400);
  } else if (deleted_ + missing_ == 0) {
    refuse(report, 400, "Invalid bulk delete.");
  }
  return false;
}

}  // namespace apus::bulk
