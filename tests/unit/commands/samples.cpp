// What `apus check --sample` prints: it loads, and the files in etc/ and doc/ are it.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "command.h"

namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the servers' samples load") {
  const fs::path folder =
      fs::temp_directory_path() / ("apus-samples-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  for (const std::string name : {"proxy-server", "account-server", "container-server",
                                 "object-server", "container-reconciler", "drive-audit"}) {
    CAPTURE(name);
    const Said sample = run_apus("check --sample " + name + ".conf");
    REQUIRE(sample.status == 0);
    const fs::path path = folder / (name + ".conf");  // whose name says what it is
    std::ofstream(path) << sample.text;
    const Said said = run_apus("check --quiet " + path.string());
    CAPTURE(said.text);
    CHECK(said.text.find("error: ") == std::string::npos);
    CHECK(said.status == 0);
  }
  fs::remove_all(folder);
}

TEST_CASE("etc/*.conf-sample and doc/options.md are what this build prints") {
  const fs::path top(APUS_SOURCE_DIR);
  std::size_t seen = 0;
  for (const auto& entry : fs::directory_iterator(top / "etc")) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with("-sample")) continue;
    ++seen;
    const Said said = run_apus("check --sample " + name.substr(0, name.size() - 7));
    INFO("etc/" << name << " is out of date; from the top folder: build/PRESET/bin/apus check "
                << "--write-samples .");
    CHECK((said.text == read(entry.path())));
  }
  CHECK(seen == 9);
  INFO("doc/options.md is out of date, mended by the same");
  CHECK((run_apus("check --sample options.md").text == read(top / "doc" / "options.md")));
}

TEST_CASE("a sample of swift.conf wants a secret before anything starts") {
  const fs::path folder =
      fs::temp_directory_path() / ("apus-sample-swift-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  std::ofstream(folder / "swift.conf") << run_apus("check --sample swift.conf").text;
  const Said said = run_apus("check " + (folder / "swift.conf").string());
  CHECK(said.status == 1);
  CHECK(said.text.find("swift_hash_path_suffix: is empty") != std::string::npos);
  std::ofstream(folder / "swift.conf", std::ios::app) << "[swift-hash]\n";
  CHECK(run_apus("check " + (folder / "swift.conf").string()).text.find("stands twice") !=
        std::string::npos);
  fs::remove_all(folder);
}
