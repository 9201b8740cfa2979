// What `apus init` starts, with programs of this machine in a daemon's place.
#include "servers/apus/operators/started_servers.h"

#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <system_error>

using namespace apus;

namespace {

namespace fs = std::filesystem;

class RunFolder {
 public:
  [[nodiscard]] StartOrder order(const std::string& program, const std::string& word) const {
    return {"object-auditor", program, word, pid_file(), false};
  }
  [[nodiscard]] std::string pid_file() const {
    return (tree_.path() / "below" / "one.pid").string();
  }
  [[nodiscard]] pid_t pid() const {
    pid_t out = 0;
    std::ifstream(pid_file()) >> out;
    return out;
  }

 private:
  testing::TempTree tree_;
};

}  // namespace

TEST_CASE("what ends well leaves no pid file, what ends ill is a failure though it said nothing") {
  const RunFolder folder;
  StartedServers good(StartOutput::kWaited);
  good.start(folder.order("/bin/true", "conf"));
  CHECK(good.wait_until_up());
  CHECK_FALSE(fs::exists(folder.pid_file()));
  StartedServers bad(StartOutput::kWaited);
  bad.start(folder.order("/bin/false", "conf"));
  CHECK_FALSE(bad.wait_until_up());
}

TEST_CASE("one that holds its output is waited for as long as the patience lasts") {
  const RunFolder folder;
  StartedServers started(StartOutput::kWaited, std::chrono::seconds(1));
  started.start(folder.order("/bin/sleep", "600"));
  const pid_t pid = folder.pid();
  REQUIRE(pid > 0);
  CHECK(::kill(pid, 0) == 0);
  CHECK_FALSE(started.wait_until_up());
  ::kill(pid, SIGKILL);
  CHECK(::waitpid(pid, nullptr, 0) == pid);
}

TEST_CASE("what cannot be started names the file and the reason") {
  const RunFolder folder;
  StartedServers started(StartOutput::kNone);
  CHECK_THROWS_WITH_AS(started.start(folder.order("/nowhere/swift-x", "conf")),
                       "/nowhere/swift-x: No such file or directory", std::system_error);
  CHECK_FALSE(fs::exists(folder.pid_file()));
  StartOrder order = folder.order("/bin/true", "conf");
  order.pid_file = "/dev/null/one.pid";
  CHECK_THROWS_WITH_AS(started.start(order), "/dev/null: Not a directory", std::system_error);
  CHECK(started.wait_until_up());
}
