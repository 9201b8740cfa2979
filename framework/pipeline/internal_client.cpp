#include "framework/pipeline/internal_client.h"

#include <algorithm>
#include <chrono>

#include "framework/backend/pace.h"
#include "framework/conf/server_options.h"
#include "framework/pipeline/pipeline.h"

namespace apus {
namespace {

constexpr std::size_t kLargestBody = 64U << 20U;

bool is_wanted(int status, InternalClient::Wanted wanted) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](int one) { return one == status || one == status / 100; });
}

std::string status_text(int status) {
  return std::to_string(status) + " " + std::string(reason_phrase(status));
}

void name_logs(PasteStage& stage, const std::string& name) {
  stage.options["log_name"] = {name, {}};
}

void check(const std::vector<ConfProblem>& problems) {
  std::string text;
  for (const ConfProblem& problem : problems) {
    if (problem.fatal) text += (text.empty() ? "" : "\n") + problem.text();
  }
  if (!text.empty()) throw std::runtime_error(text);
}

ConfFile readable(const std::filesystem::path& conf) {
  std::vector<ConfProblem> problems;
  ConfFile out = read_conf(conf, problems);
  check(problems);
  return out;
}

}  // namespace

UnexpectedAnswer::UnexpectedAnswer(int status, const std::string& what)
    : std::runtime_error(what), status_(status) {}
UnexpectedAnswer::~UnexpectedAnswer() = default;

struct InternalClient::Pipeline {
  PluginLoader loader;
  LoadedApp loaded;
  std::unique_ptr<const App> app;
};

InternalClient::InternalClient(Host& host, const std::filesystem::path& conf, Settings settings)
    : InternalClient(host, readable(conf), std::move(settings)) {}

InternalClient::InternalClient(Host& host, const ConfFile& file, Settings settings)
    : host_(host), pipeline_(std::make_unique<Pipeline>()), settings_(std::move(settings)) {
  std::vector<ConfProblem> problems;
  PasteConf paste = resolve_paste(file, problems);
  check(problems);
  if (!settings_.log_name.empty()) {
    for (PasteStage& stage : paste.app.filters) name_logs(stage, settings_.log_name);
    name_logs(paste.app.app, settings_.log_name);
  }
  const auto specs = server_options();
  const Options server("internal-client", specs.data(), specs.size(), paste.server);
  std::vector<std::filesystem::path> folders;
  for (const std::string& folder : server.list("plugin_path"))
    folders.push_back(file.here / folder);
  pipeline_->loader = PluginLoader(std::move(folders));
  pipeline_->loaded = load_app(paste.app, pipeline_->loader, problems, true);
  check(problems);
  pipeline_->app = make_app(pipeline_->loaded, host);
}

InternalClient::InternalClient(Host& host, std::unique_ptr<const App> app, Settings settings)
    : host_(host), pipeline_(std::make_unique<Pipeline>()), settings_(std::move(settings)) {
  pipeline_->app = std::move(app);
}

InternalClient::~InternalClient() = default;

Request InternalClient::request(const std::string& method, const std::string& path,
                                const Headers& fields, std::string_view query) const {
  Request out(method, path);
  out.raw_path = quote(path);
  out.raw_query = query;
  out.query = Query(query);
  out.context.allow_reserved_names = true;
  for (const auto& [name, value] : fields) {
    const bool internal = is_internal_name(name) || same_name(name, "X-Timestamp");
    (internal ? out.internal : out.headers).set(name, value);
  }
  out.headers.set("User-Agent", settings_.user_agent);
  if (settings_.replication_network) out.internal.set("X-Backend-Use-Replication-Network", "true");
  if (method == "PUT" || method == "POST") out.content_length = 0;
  return out;
}

Response InternalClient::wanted_answer(const std::string& method, const std::string& path,
                                       Wanted wanted, const Headers& fields, std::string_view query,
                                       const std::stop_token& stop, const std::string& body,
                                       std::string* text) const {
  int status = 0;
  std::string why = "no answer";
  auto pause = std::chrono::seconds(2);
  for (std::int64_t attempt = 0; attempt < settings_.tries; ++attempt, pause *= 2) {
    if (attempt > 0) sleep_unless_stopped(host_.clock(), pause, stop);
    if (attempt > 0 && stop.stop_requested()) break;
    try {
      Request one = request(method, path, fields, query);
      if (!body.empty()) {
        one.content_length = body.size();
        one.body = std::make_unique<StringSource>(body);
      }
      Response response = (*pipeline_->app)(one);
      status = response.status;
      if (text != nullptr) *text = read_all(response.body.get(), kLargestBody);
      if (is_wanted(status, wanted)) return response;
      why = status_text(status);
      if (status < 500) break;
    } catch (const std::exception& error) {
      status = 0;
      why = error.what();
    }
  }
  throw UnexpectedAnswer(status, "Unexpected response: " + why);
}

InternalClient::Answer InternalClient::ask(const std::string& method, const std::string& path,
                                           Wanted wanted, const Headers& fields,
                                           std::string_view query, const std::stop_token& stop,
                                           const std::string& body) const {
  std::string text;
  Response response = wanted_answer(method, path, wanted, fields, query, stop, body, &text);
  return {response.status, std::move(response.headers), std::move(text),
          std::move(response.internal)};
}

Response InternalClient::open(const std::string& method, const std::string& path, Wanted wanted,
                              const Headers& fields, std::string_view query,
                              const std::stop_token& stop) const {
  return wanted_answer(method, path, wanted, fields, query, stop, {}, nullptr);
}

void InternalClient::upload(const std::string& path, std::unique_ptr<Source> body,
                            std::optional<std::uint64_t> length, const Headers& fields) const {
  Request one = request("PUT", path, fields, {});
  one.content_length = length;
  one.chunked = !length;
  one.body = std::move(body);
  int status = 0;
  std::string why;
  try {
    Response response = (*pipeline_->app)(one);
    drain(response.body.get(), kLargestBody);
    if (response.is_success()) return;
    status = response.status;
    why = status_text(status);
  } catch (const std::exception& error) {
    why = error.what();
  }
  throw UnexpectedAnswer(status, "Unexpected response: " + why);
}

InternalClient::AccountNumbers InternalClient::account_numbers(const std::string& account,
                                                               const std::stop_token& stop) const {
  const Answer answer = ask("HEAD", "/v1/" + account, {2, 404}, {}, {}, stop);
  if (answer.status == 404) return {};
  return {parse_int(answer.headers.get("X-Account-Container-Count")).value_or(0),
          parse_int(answer.headers.get("X-Account-Object-Count")).value_or(0)};
}

void InternalClient::list(const std::string& path, const std::function<bool(const Json&)>& visit,
                          const std::stop_token& stop) const {
  std::string marker;
  while (!stop.stop_requested()) {
    Query query;
    query.set("format", "json");
    query.set("marker", marker);
    const Answer answer = ask("GET", path, {2, 404}, {}, query.encode(), stop);
    if (answer.status != 200) return;
    const auto rows = Json::parse(answer.body, kLargestBody);
    if (!rows || rows->array() == nullptr)
      throw UnexpectedAnswer(answer.status, "a listing of " + path + " is no JSON");
    std::string last = marker;
    for (const Json& row : *rows->array()) {
      if (!visit(row)) return;
      for (const char* name : {"name", "subdir"}) {
        const Json* value = row.find(name);
        if (value != nullptr && value->text() != nullptr) last = *value->text();
      }
    }
    if (last == marker) return;  // nothing more, or nothing that leads on
    marker = std::move(last);
  }
}

}  // namespace apus
