// The same confs to Paste Deploy and to us: those that Debian's Swift packages install, and some
// with every rule in them.
#include <apus/json.h>
#include <apus/text.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "framework/conf/paste.h"

using namespace apus;
namespace fs = std::filesystem;

namespace {

Json ask_paste(const std::string& paths) {
  const std::string line = "/usr/bin/python3 " APUS_SOURCE_DIR "/tests/unit/conf/paste_oracle.py " +
                           paths + " 2>/dev/null";
  std::FILE* pipe = ::popen(line.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 65536> piece;
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), pipe))
    text.append(piece.data(), count);
  REQUIRE(::pclose(pipe) == 0);
  auto value = Json::parse(text);
  REQUIRE(value);
  return std::move(*value);
}

std::map<std::string, std::string> pairs(const Json& object) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : *object.object()) out[name] = *value.text();
  return out;
}

std::map<std::string, std::string> pairs(const Options::Map& map) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : map) out[name] = value.text;
  return out;
}

void compare_sections(const Json& wanted, const ConfFile& file) {
  std::size_t count = 0;
  for (const auto& [title, options] : *wanted.object()) {
    const std::string& name = title;  // a lambda takes no part of a pair (clang 14)
    CAPTURE(name);
    ++count;
    const ConfSection* section = file.find(name);
    REQUIRE(section != nullptr);
    // readconf writes names in lower case and adds [DEFAULT] to every section.
    std::map<std::string, std::string> ours;
    for (const ConfSection* part : {file.find("DEFAULT"), section}) {
      if (part == nullptr) continue;
      for (const ConfOption& option : part->options) ours[lower(option.name)] = option.value;
    }
    CHECK(ours == pairs(options));
  }
  CHECK(count == file.sections.size() - (file.find("DEFAULT") != nullptr ? 1 : 0));
}

void compare_pipeline(const Json& wanted, const PasteConf& conf) {
  std::vector<PasteStage> stages = conf.app.filters;
  stages.push_back(conf.app.app);
  const Json::Array& theirs = *wanted.find("stages")->array();
  REQUIRE(stages.size() == theirs.size());
  for (std::size_t i = 0; i < stages.size(); ++i) {
    CAPTURE(stages[i].section);
    CHECK(stages[i].plugin == *theirs[i].find("plugin")->text());
    CHECK(pairs(stages[i].globals) == pairs(*theirs[i].find("globals")));
    CHECK(pairs(stages[i].locals) == pairs(*theirs[i].find("locals")));
  }
  CHECK(pairs(conf.server) == pairs(*wanted.find("server")));
}

// Counts the confs with a pipeline.
std::size_t compare(const Json& answers) {
  std::size_t pipelines = 0;
  for (const Json& answer : *answers.array()) {
    const std::string path = *answer.find("path")->text();
    CAPTURE(path);
    std::vector<ConfProblem> problems;
    ConfFile file = read_conf(path, problems);
    if (answer.find("refused") != nullptr) {
      if (answer.find("sections") != nullptr) resolve_paste(std::move(file), problems);
      CAPTURE(*answer.find("refused")->text());
      CHECK(any_fatal(problems));
      continue;
    }
    compare_sections(*answer.find("sections"), file);
    if (answer.find("stages") != nullptr) {
      ++pipelines;
      compare_pipeline(answer, resolve_paste(std::move(file), problems));
    }
    for (const ConfProblem& problem : problems) FAIL_CHECK(problem.text());
  }
  return pipelines;
}

}  // namespace

TEST_CASE("every conf of Debian's Swift packages means what Paste Deploy says") {
  CHECK(compare(ask_paste("")) >= 6);
}

TEST_CASE("confs with every rule in them mean what Paste Deploy says") {
  const fs::path folder = fs::temp_directory_path() / ("apus-oracle-" + std::to_string(::getpid()));
  fs::create_directories(folder / "d.conf.d");
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder / name) << text;
  };
  const std::string app = "[app:p]\nuse = egg:swift#proxy\nown = %(here)s/%(a)s%%\nset g = app\n";
  write("base.conf",
        "[DEFAULT]\na = base\nb = base\n[filter:x]\nuse = egg:swift#healthcheck\na = lost\n"
        "c = %(b)s %(here)s\nset b = set\n[app:p]\nuse = egg:swift#proxy\nz = 1\n");
  write("all.conf",
        "[DEFAULT]\na = 1\nset deep = %(a)s\nlog_name = top\n"
        "[pipeline:main]\npipeline =\n  x\n\n  # no\n  egg:swift#recon y\n w p\nset s = "
        "pipe\nfilter-with = v\n"
        "[filter:x]\nuse = config:base.conf#x\nmine = 2\nget theirs = a\nset a = x\n"
        "[filter: y ]\nuse = w\na = lost\nd = y\nset e = y\nfilter-with = v\n"
        "[filter:w]\nuse = egg:swift#gatekeeper\nd = w\nset e = w\n"
        "[filter:v]\nuse = egg:swift#catch_errors\n" +
            app);
  write("behind.conf",
        "[pipeline:main]\npipeline = w fa\n[filter:w]\nuse = egg:swift#gatekeeper\n"
        "[filter-app:fa]\nuse = egg:swift#copy\nnext = p\nk = 1\nset g = fa\n" +
            app + "[DEFAULT]\na = 50%\n");
  write("other.conf", "[pipeline:main]\npipeline = p\n[app:p]\nuse = config:base.conf#p\nz = 2\n");
  write("d.conf.d/10.conf", "[DEFAULT]\na = early\n[pipeline:main]\npipeline = p\n" + app);
  write("d.conf.d/20.conf", "[DEFAULT]\na = late\n[app:p]\nnew = 1\n");
  write("bad1.conf", "[pipeline:main]\npipeline = p\nx = 1\n" + app);
  write("bad2.conf", "[pipeline:main]\npipeline = p\n[app:p]\nx = %(no)s\nuse = egg:swift#proxy\n");
  write("bad3.conf", "[pipeline:main]\npipeline = p\n[composite:p]\nuse = egg:swift#x\n" + app);
  write("bad4.conf", "[a]\nx = 1\nx = 2\n");
  write("bad5.conf", "x = 1\n");
  write("bad6.conf", "[a]\nx\n");
  std::string paths;
  for (const char* name : {"all.conf", "behind.conf", "other.conf", "d.conf.d", "bad1.conf",
                           "bad2.conf", "bad3.conf", "bad4.conf", "bad5.conf", "bad6.conf"}) {
    paths += (folder / name).string() + " ";
  }
  CHECK(compare(ask_paste(paths)) == 3);
  fs::remove_all(folder);
}
