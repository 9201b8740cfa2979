#include <apus/testing/lint.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "framework/testing/lint_rules.h"

namespace apus::testing {

LintError::LintError(const std::string& what) : std::logic_error(what) {}
LintError::~LintError() = default;

void LintReport::add(std::string problem) {
  const std::lock_guard lock(mutex_);
  problems_.push_back(std::move(problem));
}

void LintReport::raise_if_any() {
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& problem : problems_) text += (text.empty() ? "" : "\n") + problem;
    problems_.clear();
  }
  if (!text.empty()) throw LintError(text);
}

std::vector<std::string> LintReport::problems() const {
  const std::lock_guard lock(mutex_);
  return problems_;
}

void LintReport::allow_internal(const Headers& headers) {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, value] : headers) {
    if (is_internal_name(name)) internal_names_.push_back(name);
  }
}

bool LintReport::allows_internal(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return std::find(internal_names_.begin(), internal_names_.end(), name) != internal_names_.end();
}

Lint::Lint(std::unique_ptr<const App> app, std::string place, std::shared_ptr<LintReport> report,
           Mode mode)
    : app_(std::move(app)), place_(std::move(place)), report_(std::move(report)), mode_(mode) {}

Lint::~Lint() {
  app_.reset();
  if (mode_ == Mode::kRecord) return;
  const std::vector<std::string> problems = report_->problems();
  for (const std::string& problem : problems) std::fprintf(stderr, "lint: %s\n", problem.c_str());
  if (!problems.empty() && std::uncaught_exceptions() == 0) std::abort();
}

Response Lint::operator()(Request& request) const {
  if (mode_ == Mode::kRecord) return ask(request);
  report_->allow_internal(request.headers);
  try {
    Response out = ask(request);
    report_->raise_if_any();
    return out;
  } catch (...) {
    report_->raise_if_any();
    throw;
  }
}

Response Lint::ask(Request& request) const {
  const std::string line = request.method + " " + request.raw_path;
  const auto complain_of = [&](const char* whose) -> Complain {
    return [report = report_, about = place_ + ", " + line + ", " + whose](
               const std::string& what) { report->add(about + ": " + what); };
  };
  check_request(request, *report_, complain_of("request"));
  // What the app reads must not raise: the app might catch it.
  if (request.body != nullptr)
    request.body = watch_body(std::move(request.body), request.content_length,
                              complain_of("request's body"), [] {});
  const bool head = request.method == "HEAD";
  Response out = (*app_)(request);
  check_response(head, out, complain_of("answer"));
  if (head) out.body.reset();
  if (out.body == nullptr) return out;
  const auto raise = [report = report_, mode = mode_] {
    if (mode == Mode::kRaise) report->raise_if_any();
  };
  out.body =
      watch_body(std::move(out.body), out.content_length, complain_of("answer's body"), raise);
  return out;
}

}  // namespace apus::testing
