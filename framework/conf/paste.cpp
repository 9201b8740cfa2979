#include "framework/conf/paste.h"

#include <apus/text.h>

#include <algorithm>
#include <memory>
#include <set>

#include "framework/conf/interpolation.h"
#include "framework/conf/section_index.h"
#include "framework/conf/server_options.h"
#include "framework/conf/use_line.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxNesting = 20;
constexpr int kMaxSections = 2000;  // sections looked into for one app, repetitions counted

void lay_over(Options::Map& map, const Options::Map& over) {
  for (const auto& [name, value] : over) map.insert_or_assign(name, value);
}

// What all files of one resolution share.
struct Shared {
  explicit Shared(std::vector<ConfProblem>& to) : problems(to) {}
  std::vector<ConfProblem>& problems;
  std::map<std::string, std::unique_ptr<ConfFile>, std::less<>> files{};
  int sections = 0;
};

// A section with its options sorted by what they do.
struct Opened {
  const ConfSection* section;
  Options::Map globals;  // with this section's 'set'
  Options::Map set;
  Options::Map locals;

  std::optional<Options::Value> take(const std::string& name) {
    const auto at = locals.find(name);
    if (at == locals.end()) return std::nullopt;
    Options::Value out = at->second;
    locals.erase(at);
    return out;
  }
};

class SectionResolver {
 public:
  // `outer`: the globals of a file that uses this one, known here where this file has none.
  SectionResolver(const ConfFile& file, Shared& shared, const Options::Map& outer)
      : file_(file), shared_(shared), index_(file), values_(file, shared.problems) {
    for (const auto& [name, value] : outer) {
      if (!values_.given().contains(name)) values_.give(name, value.text);
    }
    for (const auto& [name, text] : values_.given())
      defaults_[name] = {text, {file.path.string(), 0, "DEFAULT"}};
    for (const auto& [name, value] : outer) {
      if (name != "here" && name != "__file__") defaults_[name] = value;
    }
    const ConfSection* defaults = file.find("DEFAULT");
    if (defaults == nullptr) return;
    for (const ConfOption& option : defaults->options)
      defaults_[option.name] = {values_.expand(defaults, option), option.origin};
  }

  [[nodiscard]] const Options::Map& defaults() const { return defaults_; }
  [[nodiscard]] const auto& referred() const { return values_.referred(); }

  PasteApp app(const std::string& name, const Options::Map& globals, const Origin& from,
               int level) {
    const UseTarget target = parse_use(name, file_.here.string());
    if (target.kind != UseTarget::Kind::kSection)
      return app_from(target, {nullptr, globals, {}, {}}, from, level);
    auto opened = open(PasteKind::kApp, name, globals, from, level);
    if (!opened) return {};
    const auto with = opened->take("filter-with");
    const Options::Map below = opened->globals;
    PasteApp out = section_app(*opened, level);
    if (opened->section->name.starts_with("app")) {
      rename(out.app, *opened->section, name);
      add_policies(out.app);
    }
    if (with)
      put_before(out, filter(with->text, below, with->origin, level + 1),
                 "filter-with of [" + opened->section->name + "]");
    return out;
  }

  std::vector<PasteStage> filter(const std::string& name, const Options::Map& globals,
                                 const Origin& from, int level) {
    const UseTarget target = parse_use(name, file_.here.string());
    if (target.kind != UseTarget::Kind::kSection)
      return filter_from(target, {nullptr, globals, {}, {}}, from, level);
    auto opened = open(PasteKind::kFilter, name, globals, from, level);
    if (!opened) return {};
    const auto with = opened->take("filter-with");
    std::vector<PasteStage> out = filter_by_use(*opened, level);
    if (out.size() == 1) rename(out.front(), *opened->section, name);
    if (!with) return out;
    std::vector<PasteStage> outer = filter(with->text, opened->globals, with->origin, level + 1);
    for (PasteStage& stage : outer) stage.reason = "filter-with of [" + opened->section->name + "]";
    outer.insert(outer.end(), out.begin(), out.end());
    return outer;
  }

 private:
  void problem(const Origin& origin, const std::string& key, const std::string& message) {
    shared_.problems.push_back({true, origin, key, message});
  }

  // [NAME:policy:N] is no section of Paste's: the app NAME sees its options as "policy:N:OPTION".
  void add_policies(PasteStage& app) {
    const std::string prefix = app.name + ":policy:";
    for (const ConfSection& section : file_.sections) {
      if (!section.name.starts_with(prefix)) continue;
      const std::string start = section.name.substr(app.name.size() + 1) + ":";
      for (const ConfOption& option : section.options)
        app.locals[start + option.name] = {values_.expand(&section, option), option.origin};
    }
  }

  static void rename(PasteStage& stage, const ConfSection& section, const std::string& name) {
    stage.section = section.name;
    stage.name = name;
    stage.origin = section.origin;
  }

  static void put_before(PasteApp& app, std::vector<PasteStage> filters,
                         const std::string& reason) {
    for (PasteStage& stage : filters) stage.reason = reason;
    app.filters.insert(app.filters.begin(), filters.begin(), filters.end());
  }

  std::optional<Opened> open(PasteKind kind, const std::string& name, const Options::Map& globals,
                             const Origin& from, int level) {
    std::string why;
    const ConfSection* section = index_.find(kind, name, why);
    if (section == nullptr) {
      problem(from, "", why);
      return std::nullopt;
    }
    if (level > kMaxNesting) {
      problem(section->origin, "", "uses itself");
      return std::nullopt;
    }
    if (++shared_.sections > kMaxSections) {
      if (shared_.sections == kMaxSections + 1)
        problem(section->origin, "", "the conf leads to more than 2000 sections");
      return std::nullopt;
    }
    return sort_options(*section, globals);
  }

  Opened sort_options(const ConfSection& section, const Options::Map& globals) {
    Opened out{&section, defaults_, {}, {}};
    lay_over(out.globals, globals);
    std::vector<std::pair<std::string, Options::Value>> gets;
    const auto sort = [&](const ConfOption& option) {
      const std::string& name = option.name;
      const bool is_get = name.starts_with("get ");
      if (!is_get && !name.starts_with("set ") && defaults_.contains(name)) return;
      const Options::Value value{values_.expand(&section, option), option.origin};
      if (is_get) {
        gets.emplace_back(trim(name.substr(4)), value);
      } else if (name.starts_with("set ")) {
        out.set[std::string(trim(name.substr(4)))] = value;
      } else {
        out.locals[name] = value;
      }
    };
    for (const ConfOption& option : section.options) sort(option);
    if (const ConfSection* defaults = file_.find("DEFAULT")) {
      for (const ConfOption& option : defaults->options) {
        const bool acts = option.name.starts_with("set ") || option.name.starts_with("get ");
        if (acts && section.find(option.name) == nullptr) sort(option);
      }
    }
    lay_over(out.globals, out.set);
    for (const auto& [name, from] : gets) {
      const auto global = out.globals.find(from.text);
      if (global != out.globals.end()) {
        out.locals[name] = global->second;
      } else {
        problem(from.origin, "get " + name, "[DEFAULT] has no option '" + from.text + "'");
      }
    }
    out.locals.erase("require");  // names Python packages
    return out;
  }

  PasteApp section_app(Opened& opened, int level) {
    const std::string& kind = opened.section->name;
    if (kind.starts_with("pipeline:")) return pipeline(opened, level);
    if (kind.starts_with("composit")) return composite(opened, level);
    if (kind.starts_with("filter-app:")) return filter_app(opened, level);
    const auto use = opened.take("use");
    if (!use) {
      PasteApp out;
      out.app = explicit_stage(opened, "paste.app_factory");
      return out;
    }
    return app_from(parse_use(use->text, file_.here.string()), opened, use->origin, level);
  }

  PasteApp filter_app(Opened& opened, int level) {
    const auto next = opened.take("next");
    if (!next) {
      problem(opened.section->origin, "next", "a filter-app names the app behind it");
      return {};
    }
    PasteApp out = app(next->text, opened.globals, next->origin, level + 1);
    std::vector<PasteStage> filters = filter_by_use(opened, level);
    if (filters.size() == 1)
      rename(filters.front(), *opened.section,
             opened.section->name.substr(opened.section->name.find(':') + 1));
    put_before(out, std::move(filters), "filter-app in front of '" + next->text + "'");
    return out;
  }

  PasteApp pipeline(Opened& opened, int level) {
    const auto list = opened.take("pipeline");
    std::string text = list ? list->text : "";
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
    const std::vector<std::string> names = split_list(text, ' ');
    if (names.empty()) {
      problem(opened.section->origin, "pipeline",
              "names at least an app: pipeline = FILTER... APP");
      return {};
    }
    for (const auto& [name, value] : opened.locals) {
      problem(value.origin, name,
              "a pipeline section has only 'pipeline', 'filter-with' and 'set NAME'");
    }
    PasteApp out = app(names.back(), opened.globals, list->origin, level + 1);
    out.globals = opened.globals;
    std::vector<PasteStage> filters;
    for (std::size_t i = 0; i + 1 < names.size(); ++i) {
      for (PasteStage& stage : filter(names[i], opened.globals, list->origin, level + 1)) {
        if (stage.reason.empty())
          stage.reason = "place " + std::to_string(i + 1) + " in [" + opened.section->name + "]";
        filters.push_back(std::move(stage));
      }
    }
    out.filters.insert(out.filters.begin(), filters.begin(), filters.end());
    return out;
  }

  PasteApp composite(Opened& opened, int level) {
    PasteApp out;
    const auto use = opened.take("use");
    const UseTarget target = use ? parse_use(use->text, file_.here.string()) : UseTarget{};
    if (target.kind != UseTarget::Kind::kPlugin || target.name != "urlmap") {
      problem(use ? use->origin : opened.section->origin, "use",
              "a composite here is egg:Paste#urlmap");
      return out;
    }
    auto not_found = opened.take("not_found_app");
    if (!not_found && opened.globals.contains("not_found_app"))
      not_found = opened.globals.at("not_found_app");
    if (not_found && !not_found->text.empty())
      out.not_found.push_back(app(not_found->text, opened.globals, not_found->origin, level + 1));
    for (const auto& [path, name] : opened.locals) {
      if (!path.starts_with('/')) {
        problem(name.origin, path, "a urlmap has lines '/path = app' and not_found_app");
        continue;
      }
      PasteApp::Route route;
      route.prefix = path.substr(0, path.find_last_not_of('/') + 1);
      route.app.push_back(app(name.text, opened.globals, name.origin, level + 1));
      out.routes.push_back(std::move(route));
    }
    std::stable_sort(out.routes.begin(), out.routes.end(), [](const auto& a, const auto& b) {
      return a.prefix.size() > b.prefix.size();
    });
    if (out.routes.empty()) problem(opened.section->origin, "", "a urlmap has lines '/path = app'");
    return out;
  }

  std::vector<PasteStage> filter_by_use(Opened& opened, int level) {
    const auto use = opened.take("use");
    if (!use) return {explicit_stage(opened, "paste.filter_factory")};
    return filter_from(parse_use(use->text, file_.here.string()), opened, use->origin, level);
  }

  PasteStage explicit_stage(Opened& opened, const std::string& key) {
    PasteStage out{opened.section->name, "", "", opened.section->origin, "", opened.globals,
                   opened.locals,        {}};
    const auto factory = opened.take(key);
    if (!factory) {
      problem(opened.section->origin, "use",
              "what to load is missing; use = egg:swift#NAME, egg:apus#NAME, so:PATH, "
              "config:FILE#NAME or a section");
      return out;
    }
    out.locals.erase(key);
    out.plugin = plugin_of_factory(factory->text);
    if (out.plugin.empty()) {
      problem(factory->origin, key,
              "'" + factory->text +
                  "' names Python code, which Apus does not run; "
                  "use = egg:swift#NAME or so:PATH");
    }
    return out;
  }

  static PasteStage plugin_stage(const UseTarget& target, const Opened& opened,
                                 const Origin& from) {
    PasteStage out;
    out.section = target.name;
    out.name = target.name;
    out.plugin = target.name;
    out.origin = from;
    out.globals = opened.globals;
    out.locals = opened.locals;
    return out;
  }

  // The options of a section that uses another go over the other's.
  void lay_over_stage(PasteStage& stage, const Opened& opened) const {
    lay_over(stage.globals, opened.set);
    lay_over(stage.locals, opened.locals);
    if (const auto file = opened.globals.find("__file__"); file != opened.globals.end())
      stage.globals.insert_or_assign("__file__", file->second);
  }

  PasteApp app_from(const UseTarget& target, const Opened& opened, const Origin& from, int level) {
    PasteApp out;
    if (target.kind == UseTarget::Kind::kRefused) {
      problem(from, "use", target.why);
    } else if (target.kind == UseTarget::Kind::kPlugin) {
      out.app = plugin_stage(target, opened, from);
    } else if (target.kind == UseTarget::Kind::kSection) {
      out = app(target.name, opened.globals, from, level + 1);
    } else if (auto there = other_file(target, opened.globals, from, level)) {
      out = there->app(target.part, opened.globals, from, level + 1);
    }
    if (target.kind != UseTarget::Kind::kPlugin && out.filters.empty() && out.routes.empty())
      lay_over_stage(out.app, opened);
    return out;
  }

  std::vector<PasteStage> filter_from(const UseTarget& target, const Opened& opened,
                                      const Origin& from, int level) {
    std::vector<PasteStage> out;
    if (target.kind == UseTarget::Kind::kRefused) {
      problem(from, "use", target.why);
    } else if (target.kind == UseTarget::Kind::kPlugin) {
      return {plugin_stage(target, opened, from)};
    } else if (target.kind == UseTarget::Kind::kSection) {
      out = filter(target.name, opened.globals, from, level + 1);
    } else if (auto there = other_file(target, opened.globals, from, level)) {
      out = there->filter(target.part, opened.globals, from, level + 1);
    }
    if (out.size() == 1) lay_over_stage(out.front(), opened);
    return out;
  }

  std::unique_ptr<SectionResolver> other_file(const UseTarget& target, const Options::Map& globals,
                                              const Origin& from, int level) {
    fs::path path(target.name);
    if (path.is_relative()) path = file_.path.parent_path() / path;
    path = path.lexically_normal();
    std::error_code error;
    if (level > kMaxNesting) {
      problem(from, "use", "the files use each other in a circle");
      return nullptr;
    }
    if (!fs::is_regular_file(path, error)) {
      problem(from, "use",
              "config:" + target.name + ": no such file (looked for " + path.string() + ")");
      return nullptr;
    }
    auto& file = shared_.files[path.string()];
    if (file == nullptr) file = std::make_unique<ConfFile>(read_conf(path, shared_.problems));
    return std::make_unique<SectionResolver>(*file, shared_, globals);
  }

  const ConfFile& file_;
  Shared& shared_;
  SectionIndex index_;
  Interpolation values_;
  Options::Map defaults_;
};

void finish(PasteStage& stage) {
  stage.options = stage.globals;
  lay_over(stage.options, stage.locals);
}

void finish(PasteApp& app) {
  for (PasteStage& stage : app.filters) finish(stage);
  finish(app.app);
  for (PasteApp::Route& route : app.routes) finish(route.app.front());
  for (PasteApp& other : app.not_found) finish(other);
}

// A filter that stands in the pipeline twice is resolved twice.
void drop_repeated(std::vector<ConfProblem>& problems) {
  std::set<std::string> seen;
  std::erase_if(problems, [&](const ConfProblem& p) { return !seen.insert(p.text()).second; });
}

}  // namespace

PasteConf resolve_paste(ConfFile file, std::vector<ConfProblem>& problems,
                        const std::string& name) {
  PasteConf out;
  out.file = std::move(file);
  const Origin whole{out.file.path.string(), 0, ""};

  // First the app alone: its log_name is everybody's.
  std::vector<ConfProblem> ignored;
  Shared first(ignored);
  SectionResolver probe(out.file, first, {});
  const std::string app_name = probe.app(name, {}, whole, 0).app.name;
  PasteStage server = probe.app(app_name.empty() ? name : app_name, {}, whole, 0).app;
  finish(server);
  Options::Map globals;
  const auto log_name = server.options.find("log_name");
  globals["log_name"] =
      log_name != server.options.end() ? log_name->second : Options::Value{app_name, whole};

  Shared shared(problems);
  SectionResolver resolver(out.file, shared, globals);
  out.defaults = resolver.defaults();
  out.app = resolver.app(name, globals, whole, 0);
  finish(out.app);
  out.server = server.options.empty() ? out.defaults : server.options;
  out.referred = resolver.referred();
  drop_repeated(problems);
  return out;
}

Options::Map resolve_daemon(const ConfFile& file, const std::string& section,
                            std::vector<ConfProblem>& problems) {
  Options::Map out;
  const ConfSection* own = file.find(section);
  if (own == nullptr) {
    problems.push_back({true, {file.path.string(), 0, ""}, "", "no section [" + section + "]"});
    return out;
  }
  Interpolation values(file, problems);
  for (const ConfSection* part : {file.find("DEFAULT"), own}) {
    if (part == nullptr) continue;
    for (const ConfOption& option : part->options)
      out[lower(option.name)] = {values.expand(own, option), option.origin};
  }
  out.emplace("log_name", Options::Value{section, {file.path.string(), 0, section}});
  out[kConfFileOption] = {file.path.string(), {file.path.string(), 0, section}};
  return out;
}

}  // namespace apus
