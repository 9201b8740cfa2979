// Paste Deploy's rules, case by case; tests/interop/test_conf.py holds them against Paste itself.
#include "framework/conf/paste.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace apus;
namespace fs = std::filesystem;

namespace {

struct Resolved {
  PasteConf conf;
  std::vector<ConfProblem> problems;

  std::string order() const {
    std::string out;
    for (const PasteStage& stage : conf.app.filters) out += stage.plugin + " ";
    return out + conf.app.app.plugin;
  }
  std::string all_problems() const {
    std::string out;
    for (const ConfProblem& problem : problems) out += problem.text() + "\n";
    return out;
  }
};

Resolved resolve(const std::string& text, const std::string& name = "/etc/swift/p.conf") {
  Resolved out;
  ConfFile file = parse_conf(text, name, out.problems);
  out.conf = resolve_paste(std::move(file), out.problems);
  return out;
}

std::string option(const PasteStage& stage, const std::string& name) {
  const auto at = stage.options.find(name);
  return at == stage.options.end() ? "(none)" : at->second.text;
}

const std::string kPipeline = "[pipeline:main]\npipeline = one two server\n";
const std::string kSections =
    "[filter:one]\nuse = egg:swift#p1\n[filter:two]\nuse = egg:apus#p2\n"
    "[app:server]\nuse = egg:swift#proxy\n";

}  // namespace

TEST_CASE("a pipeline over several lines, and what each place says of itself") {
  const Resolved got =
      resolve("[pipeline:main]\npipeline =\n  one\n# not this\n\ttwo server\n" + kSections);
  CHECK(got.problems.empty());
  CHECK(got.order() == "p1 p2 proxy");
  CHECK(got.conf.app.filters[1].reason == "place 2 in [pipeline:main]");
  CHECK(got.conf.app.filters[1].section == "filter:two");
}

TEST_CASE("[DEFAULT] wins over a section's own option, but not over 'set'") {
  const Resolved got = resolve("[DEFAULT]\na = d\nb = d\n" + kPipeline +
                               "[filter:one]\nuse = egg:swift#p1\na = own\nset b = own\nc = own\n"
                               "[filter:two]\nuse = egg:swift#p2\n"
                               "[app:server]\nuse = egg:swift#proxy\n");
  CHECK(got.problems.empty());
  const PasteStage& one = got.conf.app.filters[0];
  CHECK(option(one, "a") == "d");
  CHECK(option(one, "b") == "own");
  CHECK(option(one, "c") == "own");
  CHECK(option(got.conf.app.filters[1], "b") == "d");
}

TEST_CASE("'set' in a pipeline reaches every stage, in [DEFAULT] too") {
  const Resolved got =
      resolve("[DEFAULT]\nset deep = d\na = d\n" + kPipeline + "set a = pipe\n" + kSections);
  CHECK(got.problems.empty());
  CHECK(option(got.conf.app.filters[0], "a") == "pipe");
  CHECK(option(got.conf.app.app, "a") == "pipe");
  CHECK(option(got.conf.app.app, "deep") == "d");
  CHECK(got.conf.server.at("a").text == "d");  // the server reads its own section alone
}

TEST_CASE("'get' copies a global under another name") {
  const Resolved got = resolve("[DEFAULT]\na = d\n" + kPipeline +
                               "[filter:one]\nuse = egg:swift#p1\nget mine = a\nset a = s\n"
                               "[filter:two]\nuse = egg:swift#p2\nget mine = missing\n"
                               "[app:server]\nuse = egg:swift#proxy\n");
  CHECK(option(got.conf.app.filters[0], "mine") == "s");
  REQUIRE(got.problems.size() == 1);
  CHECK(got.all_problems().find("[filter:two] get mine: [DEFAULT] has no option 'missing'") !=
        std::string::npos);
}

TEST_CASE("the app's log_name is everybody's, else the app's section names them") {
  CHECK(option(resolve(kPipeline + kSections).conf.app.filters[0], "log_name") == "server");
  CHECK(option(resolve(kPipeline + kSections + "set log_name = mine\n").conf.app.filters[0],
               "log_name") == "mine");
  CHECK(option(resolve("[DEFAULT]\nlog_name = all\n" + kPipeline + kSections).conf.app.filters[0],
               "log_name") == "all");
}

TEST_CASE("a section uses another: its own options go over the other's") {
  const Resolved got = resolve(
      "[pipeline:main]\npipeline = one server\n"
      "[filter:base]\nuse = egg:swift#p1\na = base\nb = base\nset g = base\n"
      "[filter:one]\nuse = base\nb = one\nset g = one\n"
      "[app:server]\nuse = egg:swift#proxy\n");
  CHECK(got.problems.empty());
  const PasteStage& one = got.conf.app.filters[0];
  CHECK(one.plugin == "p1");
  CHECK(one.name == "one");
  CHECK(option(one, "a") == "base");
  CHECK(option(one, "b") == "one");
  CHECK(option(one, "g") == "one");
}

TEST_CASE("filter-with, filter-app and plugins named in place") {
  const Resolved got = resolve(
      "[pipeline:main]\npipeline = one egg:swift#p2 behind\nfilter-with = outer\n"
      "[filter:outer]\nuse = egg:swift#p0\n"
      "[filter:one]\nuse = egg:swift#p1\nfilter-with = wrap\n"
      "[filter:wrap]\nuse = egg:swift#pw\n"
      "[filter-app:behind]\nuse = egg:swift#p3\nnext = server\nx = 1\n"
      "[app:server]\nuse = egg:swift#proxy\nfilter-with = last\n"
      "[filter:last]\nuse = egg:swift#p4\n");
  CHECK(got.all_problems().empty());
  CHECK(got.order() == "p0 pw p1 p2 p3 p4 proxy");
  CHECK(option(got.conf.app.filters[4], "x") == "1");
  CHECK(got.conf.app.filters[1].reason == "filter-with of [filter:one]");
}

TEST_CASE("a composite chooses by path") {
  const Resolved got = resolve(
      "[composite:main]\nuse = egg:Paste#urlmap\n/ = a\n/long/er = b\n/long = a\n"
      "not_found_app = b\n[app:a]\nuse = egg:swift#pa\n[app:b]\nuse = egg:swift#pb\n");
  CHECK(got.problems.empty());
  REQUIRE(got.conf.app.routes.size() == 3);
  CHECK(got.conf.app.routes[0].prefix == "/long/er");
  CHECK(got.conf.app.routes[0].app.front().app.plugin == "pb");
  CHECK(got.conf.app.routes[2].prefix.empty());
  REQUIRE(got.conf.app.not_found.size() == 1);
}

TEST_CASE("what a conf may not name is told with a reason, all of it at once") {
  const Resolved got = resolve(
      "[pipeline:main]\npipeline = a b c d e f g missng server\nextra = 1\n"
      "[filter:a]\nuse = call:my.module:make\n[filter:b]\nuse = egg:swift3#swift3\n"
      "[filter:c]\nuse = egg:swift\n[filter:d]\n[filter:e]\nuse = config:/no/such.conf#e\n"
      "[filter:f]\npaste.filter_factory = my.module:make\n[filter:g]\nuse = ftp:x\n"
      "[filter:missing]\nuse = egg:swift#m\n[app:server]\nuse = egg:swift#proxy\n");
  const std::string all = got.all_problems();
  CAPTURE(all);
  for (const char* wanted :
       {"p.conf:3: [pipeline:main] extra: a pipeline section has only",
        "p.conf:5: [filter:a] use: 'call:my.module:make' names Python code",
        "p.conf:7: [filter:b] use: 'egg:swift3#swift3' is of a Python package",
        "p.conf:9: [filter:c] use: 'egg:swift' names no plugin; expected egg:swift#NAME",
        "p.conf:10: [filter:d] use: what to load is missing; use = egg:swift#NAME",
        "p.conf:12: [filter:e] use: config:/no/such.conf: no such file",
        "p.conf:14: [filter:f] paste.filter_factory: 'my.module:make' names Python code",
        "p.conf:16: [filter:g] use: 'ftp:x' has an unknown scheme",
        "p.conf:2: [pipeline:main] no section for 'missng'; expected [filter:missng]; did you mean "
        "missing?"}) {
    CAPTURE(wanted);
    CHECK(all.find(wanted) != std::string::npos);
  }
  CHECK(got.problems.size() == 9);
}

TEST_CASE("circles, doubles and empty pipelines end in one problem") {
  for (const char* text :
       {"[app:main]\nuse = main\n", "[pipeline:main]\npipeline = main\n",
        "[filter:a]\nuse = b\n[filter:b]\nuse = a\n[pipeline:main]\npipeline = a s\n"
        "[app:s]\nuse = egg:swift#s\n",
        "[filter:a]\nuse = egg:swift#a\nfilter-with = a\n[pipeline:main]\npipeline = a s\n"
        "[app:s]\nuse = egg:swift#s\n",
        "[pipeline:main]\npipeline =\n", "",
        "[app:main]\nuse = egg:swift#x\n[pipeline:main]\npipeline = x\n",
        "[filter-app:main]\nuse = egg:swift#x\n"}) {
    CAPTURE(text);
    const Resolved got = resolve(text);
    CHECK(got.problems.size() == 1);
    CHECK(any_fatal(got.problems));
  }
}

TEST_CASE("composites of composites do not grow without end") {
  std::string text;
  for (int i = 0; i < 18; ++i) {
    const std::string name = i == 0 ? "main" : "c" + std::to_string(i);
    const std::string next = "c" + std::to_string(i + 1);
    text +=
        "[composite:" + name + "]\nuse = egg:Paste#urlmap\n/a = " + next + "\n/b = " + next + "\n";
  }
  const Resolved got = resolve(text + "[app:c18]\nuse = egg:swift#x\n");
  REQUIRE(got.problems.size() == 1);
  CHECK(got.all_problems().find("more than 2000 sections") != std::string::npos);
}

TEST_CASE("another file: its sections see our globals, ours go over its own") {
  const fs::path folder = fs::temp_directory_path() / ("apus-paste-" + std::to_string(::getpid()));
  fs::create_directories(folder / "sub");
  std::ofstream(folder / "sub" / "other.conf")
      << "[DEFAULT]\na = other\nb = other\n[filter:x]\nuse = egg:swift#px\nown = %(here)s\nb2 = "
         "%(b)s\n";
  std::ofstream(folder / "p.conf") << "[DEFAULT]\na = ours\n[pipeline:main]\npipeline = x s\n"
                                      "[filter:x]\nuse = config:sub/other.conf#x\n"
                                      "[app:s]\nuse = egg:swift#s\n";
  Resolved got;
  got.conf = resolve_paste(read_conf(folder / "p.conf", got.problems), got.problems);
  CHECK(got.all_problems().empty());
  REQUIRE(got.conf.app.filters.size() == 1);
  const PasteStage& x = got.conf.app.filters[0];
  CHECK(x.plugin == "px");
  CHECK(option(x, "a") == "ours");
  CHECK(option(x, "b") == "other");
  CHECK(option(x, "b2") == "other");
  CHECK(option(x, "own") == (folder / "sub").string());
  CHECK(option(x, "here") == folder.string());
  fs::remove_all(folder);
}

TEST_CASE("a daemon's section goes over [DEFAULT], names in lower case") {
  std::vector<ConfProblem> problems;
  const ConfFile file = parse_conf(
      "[DEFAULT]\na = d\nB = d\n[object-replicator]\nA = own\nc = %(B)s\n", "/x", problems);
  const Options::Map got = resolve_daemon(file, "object-replicator", problems);
  CHECK(problems.empty());
  CHECK(got.at("a").text == "own");
  CHECK(got.at("b").text == "d");
  CHECK(got.at("c").text == "d");
  CHECK(got.at("log_name").text == "object-replicator");
  resolve_daemon(file, "nothing", problems);
  CHECK(problems.size() == 1);
}

TEST_CASE("sections of an app's policies are options of the app, by their number") {
  const Resolved got = resolve(kPipeline + kSections +
                               "[server:policy:1]\nsorting_method = affinity\n[server:policy:x]\na "
                               "= b\n[other:policy:2]\na = "
                               "b\n");
  CHECK(got.problems.empty());
  CHECK(option(got.conf.app.app, "policy:1:sorting_method") == "affinity");
  CHECK(option(got.conf.app.app, "policy:x:a") == "b");
  CHECK(option(got.conf.app.app, "policy:2:a") == "(none)");
}
