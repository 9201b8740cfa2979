// The INI reader against ConfigParser's rules.
#include "framework/conf/ini_file.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace apus;

namespace {

struct Parsed {
  ConfFile file;
  std::vector<ConfProblem> problems;

  std::string value(const std::string& section, const std::string& option) const {
    const ConfSection* at = file.find(section);
    const ConfOption* found = at != nullptr ? at->find(option) : nullptr;
    return found != nullptr ? found->value : "(none)";
  }
};

Parsed parse(std::string_view text, ConfDialect dialect = ConfDialect::kServer) {
  Parsed out;
  out.file = parse_conf(text, "/etc/x.conf", out.problems, dialect);
  return out;
}

}  // namespace

TEST_CASE("values of any length, with ' ;' and '#' in them") {
  const std::string text(5000, 'v');
  const Parsed conf = parse("[a]\nx = " + text + " ; not a comment # nor this\n");
  CHECK(conf.problems.empty());
  CHECK(conf.value("a", "x") == text + " ; not a comment # nor this");
}

TEST_CASE("a line that is indented deeper goes on with the value, over comments and blank lines") {
  const Parsed conf = parse("[a]\nx =\n  one\n# comment\n  two\n\n  three\n\ny = 1\n");
  CHECK(conf.problems.empty());
  CHECK(conf.value("a", "x") == "\none\ntwo\n\nthree");
  CHECK(conf.value("a", "y") == "1");
}

TEST_CASE("indented options are options when the first one was indented as deep") {
  const Parsed conf = parse("[a]\n  x = 1\n  y = 2\n    more\n z = 3\n");
  CHECK(conf.problems.empty());
  CHECK(conf.value("a", "x") == "1");
  CHECK(conf.value("a", "y") == "2\nmore");
  CHECK(conf.value("a", "z") == "3");
}

TEST_CASE("line ends, delimiters and the case of names") {
  const Parsed conf = parse("[a]\r\nName: b = c\rOther=\r\n");
  CHECK(conf.problems.empty());
  CHECK(conf.value("a", "Name") == "b = c");
  CHECK(conf.value("a", "Other").empty());
  CHECK(parse("[A]\nName = x\n", ConfDialect::kSwiftConf).value("A", "name") == "x");
}

TEST_CASE("blanks at the ends are those of the text's encoding") {
  CHECK(parse("[a]\nx = \xc2\xa0v\xe2\x80\x83\n").value("a", "x") == "v");
  CHECK(parse("[a]\nx = \xc3\xa0\n").value("a", "x") == "\xc3\xa0");
  // In latin-1 the second byte of that letter is a blank: so Swift cuts a hash suffix.
  CHECK(parse("[a]\nx = \xc3\xa0\n", ConfDialect::kSwiftConf).value("a", "x") == "\xc3");
  CHECK(parse("[a]\nx = \x85v\xa0\n", ConfDialect::kSwiftConf).value("a", "x") == "v");
}

TEST_CASE("all mistakes of a file are found, each with its line") {
  const Parsed conf = parse(
      "before = 1\n[a]\nno value here\nx = 1\nx = 2\n[a]\n[unclosed\n= nothing\n[]\nlast = 1\n");
  std::vector<std::string> lines;
  for (const ConfProblem& problem : conf.problems) lines.push_back(problem.text());
  REQUIRE(lines.size() == 7);
  CHECK(lines[0] == "/etc/x.conf:1: before: stands before any [SECTION]");
  CHECK(lines[1].starts_with("/etc/x.conf:3: [a] no value here: expected NAME = VALUE"));
  CHECK(lines[2].starts_with("/etc/x.conf:5: [a] x: is set twice"));
  CHECK(lines[3].starts_with("/etc/x.conf:6: [a] stands twice"));
  CHECK(lines[4].starts_with("/etc/x.conf:7: [a] a section line is [name]"));
  CHECK(lines[5].starts_with("/etc/x.conf:8: [a] = nothing: expected"));
  CHECK(lines[6].starts_with("/etc/x.conf:9: [a] a section line is [name]"));
  CHECK(any_fatal(conf.problems));
}

TEST_CASE("odd bytes, no end of line, an empty file") {
  CHECK(parse("").problems.empty());
  CHECK(parse("[a]\nx = 1").value("a", "x") == "1");
  CHECK(parse(std::string_view("[a]\nx = \0\xff\n", 11)).value("a", "x") ==
        std::string_view("\0\xff", 2));
  CHECK(any_fatal(parse(std::string(5U << 20U, '\n')).problems));
}

TEST_CASE("a folder is its *.conf files, later ones over earlier ones") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("apus-ini-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  const auto write = [&](const char* name, const char* text) {
    std::ofstream(folder / name) << text;
  };
  write("20.conf", "[a]\nx = late\n");
  write("10.conf", "[a]\nx = early\ny = kept\n");
  write(".30.conf", "[a]\nx = hidden\n");
  write("40.conf-sample", "[a]\nx = sample\n");
  Parsed conf;
  conf.file = read_conf(folder.string() + "/", conf.problems);
  CHECK(conf.problems.empty());
  CHECK(conf.value("a", "x") == "late");
  CHECK(conf.value("a", "y") == "kept");
  CHECK(conf.file.here == folder);
  CHECK(conf.file.find("a")->find("x")->origin.file == (folder / "20.conf").string());
  fs::remove_all(folder);
  std::vector<ConfProblem> problems;
  read_conf(folder, problems);
  REQUIRE(problems.size() == 1);
  CHECK(problems.front().text() == folder.string() + ": cannot be read");
}
