#include "framework/conf/paste.h"

#include <apus/text.h>

#include <algorithm>
#include <array>
#include <set>

namespace apus {
namespace {

constexpr std::array<std::string_view, 7> kAppKinds = {
    "app:", "application:", "composite:", "composit:", "pipeline:", "filter-app:", ""};
constexpr std::array<std::string_view, 1> kFilterKinds = {"filter:"};
constexpr int kMaxNesting = 20;

class Resolver {
 public:
  Resolver(const ConfFile& file, std::vector<ConfProblem>& problems)
      : file_(file), problems_(problems) {
    globals_["here"] = {file.here.string(), {file.path.string(), 0, "DEFAULT"}};
    globals_["__file__"] = {file.path.string(), {file.path.string(), 0, "DEFAULT"}};
    if (const ConfSection* defaults = file.find("DEFAULT")) {
      for (const ConfOption& option : defaults->options) {
        globals_[option.name] = {interpolate(file, defaults, option, problems), option.origin};
      }
    }
  }

  PasteApp app(const std::string& name, const Origin& from, int level) {
    PasteApp out;
    const ConfSection* section =
        find(name, kAppKinds, from, "an app, pipeline, composite or filter-app");
    if (section == nullptr) return out;
    if (level > kMaxNesting) {
      problem(section->origin, "", "uses itself");
      return out;
    }
    if (section->name.starts_with("pipeline:")) {
      out = pipeline(*section, level);
    } else if (section->name.starts_with("composit")) {
      out = composite(*section, level);
    } else if (section->name.starts_with("filter-app:")) {
      const ConfOption* next = section->find("next");
      if (next == nullptr) {
        problem(section->origin, "next", "a filter-app names the app behind it");
        return out;
      }
      out = app(value(*section, *next), next->origin, level + 1);
      out.filters.insert(out.filters.begin(), stage(*section, level, {"next"}));
    } else {
      out.app = stage(*section, level, {"filter-with"});
    }
    if (const ConfOption* with = section->find("filter-with")) {
      wrap(out, value(*section, *with), with->origin, level);
    }
    return out;
  }

  [[nodiscard]] const Options::Map& globals() const { return globals_; }

 private:
  void problem(const Origin& origin, const std::string& key, const std::string& message) {
    problems_.push_back({true, origin, key, message});
  }

  std::string value(const ConfSection& section, const ConfOption& option) {
    return interpolate(file_, &section, option, problems_);
  }

  template <std::size_t N>
  const ConfSection* find(const std::string& name, const std::array<std::string_view, N>& kinds,
                          const Origin& from, const std::string& what) {
    for (const std::string_view kind : kinds) {
      if (const ConfSection* section = file_.find(std::string(kind) + name)) return section;
    }
    problem(from, "",
            "no section for '" + name + "'; expected " + what + " of that name: [" +
                std::string(kinds.front()) + name + "]");
    return nullptr;
  }

  PasteApp pipeline(const ConfSection& section, int level) {
    const ConfOption* list = section.find("pipeline");
    if (list == nullptr || trim(list->value).empty()) {
      problem(section.origin, "pipeline", "names at least an app: pipeline = FILTER... APP");
      return {};
    }
    std::string text = value(section, *list);
    std::replace(text.begin(), text.end(), '\n', ' ');
    std::replace(text.begin(), text.end(), '\t', ' ');
    const std::vector<std::string> names = split_list(text, ' ');
    PasteApp out = app(names.back(), list->origin, level + 1);
    std::vector<PasteStage> filters;
    for (std::size_t i = 0; i + 1 < names.size(); ++i)
      filter(names[i], list->origin, level, filters);
    out.filters.insert(out.filters.begin(), filters.begin(), filters.end());
    for (const ConfOption& option : section.options) {
      if (option.name != "pipeline" && option.name != "filter-with" &&
          !option.name.starts_with("set ")) {
        problem(option.origin, option.name,
                "a pipeline section has only 'pipeline', 'filter-with' and 'set'");
      }
    }
    return out;
  }

  void filter(const std::string& name, const Origin& from, int level,
              std::vector<PasteStage>& out) {
    const ConfSection* section = find(name, kFilterKinds, from, "a filter");
    if (section == nullptr) return;
    if (const ConfOption* with = section->find("filter-with");
        with != nullptr && level < kMaxNesting) {
      filter(value(*section, *with), with->origin, level + 1, out);
    }
    out.push_back(stage(*section, level, {"filter-with"}));
  }

  void wrap(PasteApp& app_in, const std::string& name, const Origin& from, int level) {
    std::vector<PasteStage> filters;
    filter(name, from, level, filters);
    app_in.filters.insert(app_in.filters.begin(), filters.begin(), filters.end());
  }

  PasteApp composite(const ConfSection& section, int level) {
    PasteApp out;
    const ConfOption* use = section.find("use");
    if (use == nullptr || !use->value.ends_with("#urlmap")) {
      problem(use != nullptr ? use->origin : section.origin, "use",
              "a composite here is egg:Paste#urlmap");
      return out;
    }
    for (const ConfOption& option : section.options) {
      if (!option.name.starts_with('/')) continue;
      PasteApp::Route route;
      route.prefix = option.name == "/" ? "" : option.name;
      route.app.push_back(app(value(section, option), option.origin, level + 1));
      out.routes.push_back(std::move(route));
    }
    std::stable_sort(out.routes.begin(), out.routes.end(), [](const auto& a, const auto& b) {
      return a.prefix.size() > b.prefix.size();
    });
    if (out.routes.empty()) problem(section.origin, "", "a urlmap has lines '/path = app'");
    return out;
  }

  PasteStage stage(const ConfSection& section, int level, const std::set<std::string>& structural) {
    PasteStage out;
    out.section = section.name;
    out.name = section.name.substr(section.name.find(':') + 1);
    out.origin = section.origin;
    out.options = globals_;
    Options::Map own;
    collect(section, level, structural, out, own);
    for (auto& [name, option] : own) out.options[name] = std::move(option);
    return out;
  }

  // Fills `out.plugin`, applies 'set' to its globals and gathers the section's own options in
  // `own`.
  void collect(const ConfSection& section, int level, const std::set<std::string>& structural,
               PasteStage& out, Options::Map& own) {
    const ConfOption* use = section.find("use");
    const bool other = use != nullptr && take_use(section, *use, level, out, own);
    for (const ConfOption& option : section.options) {
      const std::string& name = option.name;
      if (name == "use" || structural.contains(name)) continue;
      if (name.starts_with("set ")) {
        out.options[std::string(trim(name.substr(4)))] = {value(section, option), option.origin};
      } else if (name.starts_with("get ")) {
        const auto global = globals_.find(value(section, option));
        if (global == globals_.end()) {
          problem(option.origin, name, "[DEFAULT] has no option '" + option.value + "'");
        } else {
          own[std::string(trim(name.substr(4)))] = global->second;
        }
      } else if (name == "paste.app_factory" || name == "paste.filter_factory") {
        out.plugin = python_factory(option);
      } else if (!globals_.contains(name)) {
        own[name] = {value(section, option), option.origin};
      }
    }
    if (!other && out.plugin.empty()) {
      problem(section.origin, "use",
              "what to load is missing; use = egg:swift#NAME, egg:apus#NAME, so:PATH, "
              "config:FILE#NAME or a section");
    }
  }

  // True when something named a plugin (or was refused already).
  bool take_use(const ConfSection& section, const ConfOption& use, int level, PasteStage& out,
                Options::Map& own) {
    const std::string text = value(section, use);
    const std::size_t hash = text.find('#');
    if (text.starts_with("egg:")) {
      const std::string package =
          lower(text.substr(4, hash == std::string::npos ? hash : hash - 4));
      if (package != "swift" && package != "apus") {
        problem(use.origin, "use",
                "'" + text + "': only egg:swift#NAME and egg:apus#NAME are known here");
      } else if (hash == std::string::npos || hash + 1 == text.size()) {
        problem(use.origin, "use", "'" + text + "': expected egg:" + package + "#NAME");
      } else {
        out.plugin = text.substr(hash + 1);
      }
    } else if (text.starts_with("so:")) {
      std::filesystem::path path(text.substr(3));
      if (path.is_relative()) path = file_.here / path;
      out.plugin = path.string();
    } else if (text.starts_with("call:")) {
      problem(use.origin, "use",
              "'" + text + "' names Python code, which Apus does not run; use egg: or so:");
    } else if (text.starts_with("config:")) {
      other_file(text.substr(7, hash == std::string::npos ? hash : hash - 7),
                 hash == std::string::npos ? "main" : text.substr(hash + 1), use, level, out, own);
    } else {
      other_section(section, text, use, level, out, own);
    }
    return true;
  }

  void other_section(const ConfSection& section, const std::string& name, const ConfOption& use,
                     int level, PasteStage& out, Options::Map& own) {
    const bool is_filter = section.name.starts_with("filter:");
    const ConfSection* other = is_filter ? find(name, kFilterKinds, use.origin, "a filter")
                                         : find(name, kAppKinds, use.origin, "an app");
    if (other == nullptr) return;
    if (level > kMaxNesting || other == &section) {
      problem(use.origin, "use", "'" + name + "' uses itself");
      return;
    }
    collect_from(*this, *other, level, out, own);
  }

  void other_file(const std::string& name, const std::string& section_name, const ConfOption& use,
                  int level, PasteStage& out, Options::Map& own) {
    std::filesystem::path path(name);
    if (path.is_relative()) path = file_.here / path;
    if (level > kMaxNesting)
      return problem(use.origin, "use", "the files use each other in a circle");
    std::error_code error;
    if (!std::filesystem::exists(path, error)) {
      return problem(use.origin, "use",
                     "config:" + name + ": no such file (looked for " + path.string() + ")");
    }
    others_.push_back(std::make_unique<ConfFile>(read_conf(path, problems_)));
    Resolver there(*others_.back(), problems_);
    for (const auto& kinds : {std::string("app:"), std::string("filter:")}) {
      if (const ConfSection* section = others_.back()->find(kinds + section_name)) {
        for (const auto& [key, option] : there.globals_) {
          if (!out.options.contains(key)) out.options[key] = option;
        }
        return collect_from(there, *section, level, out, own);
      }
    }
    problem(use.origin, "use",
            "config:" + name + ": no section [app:" + section_name +
                "] or [filter:" + section_name + "]");
  }

  static void collect_from(Resolver& resolver, const ConfSection& section, int level,
                           PasteStage& out, Options::Map& own) {
    resolver.collect(section, level + 1, {"filter-with", "next"}, out, own);
  }

  std::string python_factory(const ConfOption& option) {
    // The one factory path that Swift's own sample shows.
    if (option.value.starts_with("keystonemiddleware.auth_token:")) return "authtoken";
    problem(option.origin, option.name,
            "'" + option.value + "' names Python code; use = egg:swift#NAME or so:PATH");
    return "refused";
  }

  const ConfFile& file_;
  std::vector<ConfProblem>& problems_;
  Options::Map globals_;
  std::vector<std::unique_ptr<ConfFile>> others_;
};

}  // namespace

PasteConf resolve_paste(ConfFile file, std::vector<ConfProblem>& problems,
                        const std::string& name) {
  PasteConf out;
  out.file = std::move(file);
  Resolver resolver(out.file, problems);
  out.defaults = resolver.globals();
  out.app = resolver.app(name, {out.file.path.string(), 0, ""}, 0);
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
  for (const ConfSection* part : {file.find("DEFAULT"), own}) {
    if (part == nullptr) continue;
    for (const ConfOption& option : part->options) {
      out[option.name] = {interpolate(file, own, option, problems), option.origin};
    }
  }
  return out;
}

}  // namespace apus
