// Eight wrong plugins, each told in its own words, none of their code run, the process well.
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "framework/plugin/loader.h"

using namespace apus;
using apus::testing::TempTree;
namespace fs = std::filesystem;

namespace {

std::string wrong(const std::string& name) {
  return (fs::path(APUS_PLUGIN_DIR).parent_path() / "wrong" / (name + ".so")).string();
}

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

struct Case {
  std::string file;
  std::string message;  // after "FILE: "
};

const std::string kHere = "'" APUS_BUILD "'";

// The eight; two of them are made in `tree`.
std::vector<Case> cases(TempTree& tree) {
  const std::string text = tree.write("text.so", "filter, honestly\n").string();
  const std::string whole = bytes_of(fs::path(APUS_PLUGIN_DIR) / "healthcheck.so");
  const std::string cut = tree.write("cut.so", whole.substr(0, whole.size() / 2)).string();
  const std::string abi = std::to_string(APUS_ABI);
  return {
      {text, "is not a shared object (no ELF file)"},
      {cut, "is cut short: it has " + std::to_string(whole.size() / 2) + " bytes, but names byte "},
      {wrong("no_stamp"), "is a shared object, but no Apus plugin (no section .apus)"},
      {wrong("no_descriptor"), "has a stamp but no descriptor (no symbol apus_plugin)"},
      {wrong("older_abi"),
       "built for another contract: the plugin has ABI 0, this Apus ABI " + abi},
      {wrong("other_compiler"),
       "built another way: the plugin has 'gcc11 c++20', this Apus " + kHere},
      {wrong("other_mode"), "built another way: the plugin has '" APUS_BUILD_COMPILER
                            " c++20+asan+checks', this Apus " +
                                kHere},
      {wrong("an_app"), "is a plugin of kind app, where a filter is needed"},
      {wrong("needs_gone"),
       "cannot be loaded: libgone.so: cannot open shared object file: No such file or directory"},
  };
}

struct Ended {
  int status = -1;  // exit status; -1 when a signal ended it
  std::string output;
};

Ended run(const std::string& command) {
  Ended out;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> piece;
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), pipe))
    out.output.append(piece.data(), count);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) out.status = WEXITSTATUS(status);
  return out;
}

// A conf whose one filter is that file.
std::string conf_with(const std::string& file) {
  return "[DEFAULT]\nbind_port = 0\n[pipeline:main]\npipeline = x proxy-server\n[filter:x]\nuse = "
         "so:" +
         file + "\n[app:proxy-server]\nuse = egg:swift#proxy\n";
}

}  // namespace

TEST_CASE("the loader refuses each wrong plugin in its own words") {
  TempTree tree;
  for (const Case& one : cases(tree)) {
    CAPTURE(one.file);
    std::string said;
    try {
      PluginLoader().load(one.file, PluginKind::kFilter);
    } catch (const PluginError& error) {
      said = error.what();
    }
    const std::string wanted = one.file + ": " + one.message;
    CHECK(said.substr(0, wanted.size()) == wanted);
    if (!wanted.ends_with(' ')) CHECK(said == wanted);
  }
}

TEST_CASE("apus tells it with the conf's line, and ends with status 1") {
  TempTree tree;
  for (const Case& one : cases(tree)) {
    CAPTURE(one.file);
    const std::string conf = tree.write("proxy-server.conf", conf_with(one.file)).string();
    const Ended ended = run(std::string(APUS_BIN_DIR) + "/apus serve " + conf);
    CAPTURE(ended.output);
    CHECK(ended.status == 1);
    const std::string wanted = "error: " + conf + ":5: [filter:x] use: " + one.file + ": ";
    CHECK(ended.output.find(wanted + one.message) != std::string::npos);
  }
}
