#include "framework/pipeline/server_plan.h"

#include <algorithm>
#include <set>

#include "framework/conf/nearest_name.h"
#include "framework/conf/server_options.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> plugin_folders(const Options& options, const fs::path& here) {
  std::vector<fs::path> out;
  for (const std::string& folder : options.list("plugin_path")) out.push_back(here / folder);
  return out;
}

void check_server(const ServerPlan& plan, std::vector<ConfProblem>& problems) {
  for (const Options::Problem& problem : plan.options.check()) {
    // Names that the server does not know are the app's: told with the app's section.
    const bool unknown = !problem.fatal && plan.options.find(problem.option) &&
                         std::none_of(server_options().begin(), server_options().end(),
                                      [&](const auto& s) { return problem.option == s.name; });
    if (unknown) continue;
    ConfProblem told{problem.fatal, problem.origin, problem.option, problem.message};
    if (told.origin.file.empty()) told.origin = {plan.conf.file.path.string(), 0, "DEFAULT"};
    problems.push_back(std::move(told));
  }
}

void gather(const LoadedStage& stage, std::set<std::string, std::less<>>& names) {
  if (stage.descriptor == nullptr) return;
  for (std::size_t i = 0; i < stage.descriptor->option_count; ++i)
    names.insert(stage.descriptor->options[i].name);
}

void gather(const LoadedApp& app, std::set<std::string, std::less<>>& names) {
  for (const LoadedStage& stage : app.filters) gather(stage, names);
  gather(app.app, names);
  for (const LoadedApp::Route& route : app.routes) gather(route.app.front(), names);
  for (const LoadedApp& other : app.not_found) gather(other, names);
}

// Daemons share the file and its [DEFAULT]: their sections bear no colon.
bool has_daemons(const ConfFile& file) {
  return std::any_of(file.sections.begin(), file.sections.end(), [](const ConfSection& section) {
    return section.name != "DEFAULT" && section.name.find(':') == std::string::npos;
  });
}

// An option of [DEFAULT] that nothing in the file reads. Next to daemons, whose options are not
// known here, only what looks like a slip is told.
void check_defaults(const ServerPlan& plan, std::vector<ConfProblem>& problems) {
  const ConfSection* defaults = plan.conf.file.find("DEFAULT");
  if (defaults == nullptr) return;
  std::set<std::string, std::less<>> names(server_option_names().begin(),
                                           server_option_names().end());
  gather(plan.loaded, names);
  const std::vector<std::string> all(names.begin(), names.end());
  for (const ConfOption& option : defaults->options) {
    const std::string& name = option.name;
    if (names.contains(name) || plan.conf.referred.contains(name)) continue;
    if (name.starts_with("set ") || name.starts_with("get ")) continue;
    const std::string near = nearest_name(name, all);
    if (near.empty() && has_daemons(plan.conf.file)) continue;
    problems.push_back({false, option.origin, name,
                        "is not known to anything in this file" +
                            (near.empty() ? "" : "; did you mean " + near + "?")});
  }
}

}  // namespace

std::string ServerPlan::name() const {
  return conf.app.app.name.empty() ? path.stem().string() : conf.app.app.name;
}

ServerPlan plan_server(const fs::path& path, std::vector<ConfProblem>& problems) {
  ServerPlan plan;
  plan.path = path;
  std::vector<ConfProblem> found;
  ConfFile file = read_conf(path, found);
  const bool unread = file.sections.empty() && any_fatal(found);
  const std::vector<ConfProblem> why = unread ? found : std::vector<ConfProblem>{};
  plan.conf = resolve_paste(file, found);
  const auto specs = server_options();
  plan.options = Options(plan.name(), specs.data(), specs.size(), plan.conf.server);
  check_server(plan, found);
  PluginLoader loader(plugin_folders(plan.options, plan.conf.file.here));
  plan.loaded = load_app(plan.conf.app, loader, found);
  check_defaults(plan, found);
  if (unread) found = why;  // of a file that is not there, nothing else is to be told
  if (plan.options.flag("strict_config")) {
    for (ConfProblem& problem : found) problem.fatal = true;
  }
  std::set<std::string> seen;
  for (ConfProblem& problem : found) {
    if (seen.insert(problem.text()).second) problems.push_back(std::move(problem));
  }
  return plan;
}

}  // namespace apus
