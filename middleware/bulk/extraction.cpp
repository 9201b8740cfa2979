#include "middleware/bulk/extraction.h"

#include <apus/constraints.h>

#include <algorithm>
#include <array>

namespace apus::bulk {
namespace {

// The present entry as a body. An archive that breaks off is a client that went
// away.
class EntrySource final : public Source {
 public:
  EntrySource(ArchiveReader& archive, std::string& fault) : archive_(archive), fault_(fault) {}
  std::size_t read(std::span<char> out) override {
    try {
      return archive_.read(out);
    } catch (const ArchiveError& error) {
      fault_ = error.what();
      throw BodyError(BodyError::Kind::kDisconnect, fault_);
    }
  }

 private:
  ArchiveReader& archive_;
  std::string& fault_;
};

// The header that an extended attribute becomes; empty = none.
std::string header_of(std::string_view attribute) {
  constexpr std::string_view kMeta = "user.meta.";
  if (attribute == "user.mime_type") return "Content-Type";
  if (!attribute.starts_with(kMeta)) return "";
  return "X-Object-Meta-" + std::string(attribute.substr(kMeta.size()));
}

bool is_field_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c != 0x7f &&
           std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
  });
}

bool is_field_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(),
                      [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; });
}

bool set_attributes(const ArchiveEntry& entry, Headers& to) {
  for (const auto& [name, value] : entry.attributes) {
    const std::string header = header_of(name);
    if (header.empty()) continue;
    if (!is_field_name(header) || !is_field_value(value)) return false;
    to.set(title_case(header), value);
  }
  return true;
}

}  // namespace

Extraction::Extraction(Clock& clock, std::chrono::seconds pause,
                       std::optional<ListingFormat> format, Request request,
                       Compression compression, const ExtractLimits& limits,
                       const Constraints& constraints, const App& next, const Report& refusal)
    : WorkSource(clock, pause, format, "extract"),
      request_(std::move(request)),
      archive_(*request_.body, compression),
      limits_(limits),
      constraints_(constraints),
      next_(next),
      refused_(!refusal.status.empty()) {
  report.status = refusal.status;
  report.body = refusal.body;
  const auto path = split_api_path(request_.path, 2);
  if (!path) return;
  root_ = "/" + std::string(path->version) + "/" + std::string(path->account) + "/";
  base_ = request_.path.substr(std::min(root_.size(), request_.path.size()));
  base_.erase(base_.find_last_not_of('/') + 1);
}
Extraction::~Extraction() = default;

bool Extraction::refuse(int status, std::string text) {
  report.status = status_line(status);
  report.body = std::move(text);
  refused_ = true;
  return true;
}

void Extraction::fail(const std::string& path, const std::string& status) {
  const auto longest = static_cast<std::size_t>(constraints_.max_object_name_length +
                                                constraints_.max_container_name_length + 2);
  report.errors.emplace_back(quote(path.substr(0, longest)), status);
}

bool Extraction::step() {
  if (refused_ || static_cast<std::int64_t>(report.errors.size()) >= limits_.max_failures)
    return finish();
  try {
    ArchiveEntry entry;
    if (!archive_.next(entry)) return finish();
    return !entry.regular_file || take(entry);
  } catch (const ArchiveError& error) {
    return refuse(400, "Invalid Tar File: " + std::string(error.what()));
  }
}

bool Extraction::take(const ArchiveEntry& entry) {
  std::string_view name = entry.path;
  if (name.starts_with("./")) name.remove_prefix(2);
  name.remove_prefix(std::min(name.find_first_not_of('/'), name.size()));
  const std::string path = base_.empty() ? std::string(name) : base_ + "/" + std::string(name);
  if (path.find('/') == std::string::npos) return true;
  if (!is_valid_text(root_ + path)) {
    fail(path, status_line(412));
    return true;
  }
  if (entry.size > static_cast<std::uint64_t>(constraints_.max_file_size)) {
    fail(path, status_line(413));
    return true;
  }
  return put(entry, path);
}

Request Extraction::subrequest(std::string method, std::string path) const {
  Request out = make_subrequest(request_, std::move(method), std::move(path), "EA", false);
  if (const std::string* token = request_.headers.find("X-Auth-Token"))
    out.headers.set("X-Auth-Token", *token);
  return out;
}

// The status with which the container was not to be had; 0 when it is there.
// Counts those it made.
int Extraction::make_container(const std::string& container, std::string& reason) {
  Request head = subrequest("HEAD", root_ + container);
  Response out = next_(head);
  if (out.is_success()) return 0;
  if (out.status == 404) {
    Request put = subrequest("PUT", root_ + container);
    put.content_length = 0;
    out = next_(put);
    if (out.is_success()) {
      ++containers_made_;
      return 0;
    }
  }
  reason = out.reason;
  return out.status;
}

bool Extraction::put(const ArchiveEntry& entry, const std::string& path) {
  const std::string container = path.substr(0, path.find('/'));
  std::string reason;
  int no_container = 0;
  if (!seen_.contains(container)) {
    no_container = make_container(container, reason);
    if (no_container == 401) return refuse(401, "");
    if (containers_made_ > limits_.max_containers)
      return refuse(400, "More than " + std::to_string(limits_.max_containers) +
                             " containers to create from tar.");
  }
  Request asked = subrequest("PUT", root_ + path);
  asked.headers.set("User-Agent", std::string(trim(std::string(request_.headers.get("User-Agent")) +
                                                   " BulkExpand")));
  for (const auto& [name, value] : request_.headers) {
    if (starts_with_name(name, "X-Object-Meta-") || same_name(name, "X-Delete-At") ||
        same_name(name, "X-Delete-After"))
      asked.headers.set(name, value);
  }
  if (!set_attributes(entry, asked.headers)) {
    fail(path, status_line(400));
    return true;
  }
  std::string fault;
  asked.content_length = entry.size;
  if (entry.size > 0) asked.body = std::make_unique<EntrySource>(archive_, fault);
  Response out;
  try {
    out = next_(asked);
  } catch (const BodyError&) {
    if (fault.empty()) throw;
  }
  asked.body.reset();
  if (!fault.empty()) return refuse(400, "Invalid Tar File: " + fault);
  seen_.insert(container);
  if (out.is_success()) {
    ++created_;
    return true;
  }
  if (no_container != 0) fail(root_ + container, status_line(no_container, reason));
  if (out.status / 100 == 5) back_end_failed_ = true;
  fail(path, status_line(out.status, out.reason));
  return out.status == 401 ? refuse(401, "") : true;
}

bool Extraction::finish() {
  report.counts = {{"Number Files Created", created_}};
  if (refused_) return false;
  report.status = status_line(201);
  if (!report.errors.empty()) {
    report.status = status_line(back_end_failed_ ? 502 : 400);
  } else if (created_ == 0) {
    refuse(400, "Invalid Tar File: No Valid Files");
  }
  return false;
}

}  // namespace apus::bulk
