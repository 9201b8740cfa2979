// Arguments that do not fit: one line that names them and what fits, status 2.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "command.h"

TEST_CASE("each command tells a wrong argument in one line") {
  struct Wrong {
    const char* line;
    const char* named;
    const char* fits;
  };
  for (const Wrong& wrong : {
           Wrong{"", "a command is missing", "serve"},
           Wrong{"srve x", "'srve'", "did you mean serve?"},
           Wrong{"serve", "CONF", "CONF"},
           Wrong{"serve --tset-config x", "--tset-config", "expected"},
           Wrong{"up --daat x", "'--daat'", "did you mean --data?"},
           Wrong{"up --replicas many", "--replicas", "expected"},
           Wrong{"up --data /proc/nowhere --bind nonsense", "--bind nonsense", "ADDRESS:PORT"},
           Wrong{"up --data /proc/nowhere --user one", "--user", "ACCOUNT:USER:KEY"},
           Wrong{"up --data /proc/nowhere", "--data /proc/nowhere", "cannot be made"},
           Wrong{"object-auditr x", "'object-auditr'", "did you mean object-auditor?"},
           Wrong{"plugin", "a command is missing", "new"},
           Wrong{"plugin nwe", "'nwe'", "did you mean new?"},
           Wrong{"check", "CONF", "conf file"},
           Wrong{"check --smaple x", "'--smaple'", "did you mean --sample?"},
           Wrong{"check --sample proxy-srever.conf", "--sample proxy-srever.conf",
                 "did you mean proxy-server.conf?"},
           Wrong{"get-nodes --alll", "'--alll'", "did you mean --all?"},
           Wrong{"object-info one two", "'two'", "FILE"},
           Wrong{"container-info --verbos x.db", "'--verbos'", "did you mean --verbose?"},
           Wrong{"recon --top many", "--top", "expected"},
           Wrong{"object-relinker link", "ACTION", "relink"},
           Wrong{"object-relinker", "ACTION is required", "CONF"},
           Wrong{"object-relinker relink --partition x", "--partition", "expected"},
       }) {
    CAPTURE(wrong.line);
    const Said said = run_apus(wrong.line);
    CAPTURE(said.text);
    CHECK(said.status == 2);
    CHECK(std::count(said.text.begin(), said.text.end(), '\n') == 1);
    CHECK(said.text.find(wrong.named) != std::string::npos);
    CHECK(said.text.find(wrong.fits) != std::string::npos);
  }
}

TEST_CASE("no copies are none, and are refused as too many are") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("apus-arguments-" + std::to_string(::getpid()));
  for (const std::string replicas : {"0", "-1", "2"}) {
    const Said said = run_apus("up --data " + folder.string() + " --replicas " + replicas);
    CAPTURE(said.text);
    CHECK(said.status == 2);
    CHECK(said.text ==
          "apus up: --replicas " + replicas + ": from 1 to the 1 device(s) there are\n");
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("a policy's name has letters, digits and '-'") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("apus-policies-" + std::to_string(::getpid()));
  for (const std::string name : {"''", "a_b", "gold,silver"}) {
    const Said said = run_apus("up --data " + folder.string() + " --policy " + name);
    CAPTURE(said.text);
    CHECK(said.status == 2);
    CHECK(said.text.starts_with("apus up: --policy '"));
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("the help says how a daemon is run") {
  CHECK(run_apus("--help").text.find("apus DAEMON CONF [once]") != std::string::npos);
}
