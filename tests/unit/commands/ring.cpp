// `apus ring`: its grammar, statuses and files.
#include <doctest/doctest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "command.h"

namespace {

namespace fs = std::filesystem;

struct RingFolder {
  RingFolder() : path(fs::temp_directory_path() / ("apus-ring-" + std::to_string(::getpid()))) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~RingFolder() { fs::remove_all(path); }
  RingFolder(const RingFolder&) = delete;
  RingFolder& operator=(const RingFolder&) = delete;
  // `apus ring FILE.builder WORDS`.
  [[nodiscard]] Said ring(const std::string& words) const {
    return run_apus("ring " + (path / "object.builder").string() + " " + words);
  }
  // The same, which must end well.
  std::string done(const std::string& words, int status = 0) const {
    const Said said = ring(words);
    CAPTURE(words);
    CAPTURE(said.text);
    CHECK(said.status == status);
    return said.text;
  }
  void make() const {
    done("create 6 3 1");
    done(
        "add r1z1-10.0.0.1:6200/sda_old 100 r1z2-10.0.0.2:6200/sda 100 "
        "r1z3-[::1]:6200R[FE80::1]:6203/sda 50 r1z3-10.0.0.3:6200/sdb 50");
  }
  [[nodiscard]] std::size_t backups() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path / "backups"), fs::directory_iterator()));
  }
  fs::path path;
};

}  // namespace

TEST_CASE("each wrong argument of a ring command is told in one line, with status 2") {
  const RingFolder folder;
  folder.make();
  struct Wrong {
    const char* words;
    const char* named;
    const char* fits;
  };
  for (const Wrong& wrong : {
           Wrong{"rebalence", "'rebalence'", "did you mean rebalance?"},
           Wrong{"add r1z1-10.0.0.9/sda 1", "r1z1-10.0.0.9/sda", "<ip>:<port>"},
           Wrong{"add r1z1-10.0.0.999:6200/sda 1", "10.0.0.999", "<ip>:<port>"},
           Wrong{"add z1-10.0.0.9:6200/ 1", "z1-10.0.0.9:6200/", "device name"},
           Wrong{"add r1z1-10.0.0.9:6200/sda heavy", "heavy", "a number"},
           Wrong{"add r1z1-10.0.0.9:6200/sda", "pairs", "weight"},
           Wrong{"add r1z1-10.0.0.1:6200/sda 1", "Device 0", "already uses"},
           Wrong{"add --region 1 --zone 1 --ip 10.0.0.9 --port 6200 --weight 1", "--device",
                 "missing"},
           Wrong{"add --region 1 --zone x --ip 10.0.0.9 --port 6200 --weight 1", "--zone 'x'",
                 "whole number"},
           Wrong{"add --port 70000", "--port '70000'", "65535"},
           Wrong{"add --ip under_score", "--ip 'under_score'", "host name"},
           Wrong{"add --wieght 1", "'--wieght'", "did you mean --weight?"},
           Wrong{"search zz", "'zz'", "d<id>r<region>"},
           Wrong{"search d9", "no device", "search value"},
           Wrong{"set_weight d0", "pairs", "weight"},
           Wrong{"set_weight d0 -1", "-1", "expected"},
           Wrong{"set_info d0 junk", "'junk'", "<ip>:<port>"},
           Wrong{"set_replicas half", "'half'", "from 1.0 to 1000.0"},
           Wrong{"set_overload much", "'much'", "a number"},
           Wrong{"set_min_part_hours", "number of hours", "expected one"},
           Wrong{"create 6 3", "MIN_PART_HOURS", "expected"},
           Wrong{"create 33 3 1", "part power '33'", "from 0 to 32"},
           Wrong{"rebalance --format-version 3", "--format-version '3'", "from 1 to 2"},
           Wrong{"validate", "no partition", "rebalance first"},
           Wrong{"dispersion", "no partition", "rebalance first"},
           Wrong{"increase_partition_power", "not prepared", "partition power"},
       }) {
    CAPTURE(wrong.words);
    const Said said = folder.ring(wrong.words);
    CAPTURE(said.text);
    CHECK(said.status == 2);
    CHECK(std::count(said.text.begin(), said.text.end(), '\n') == 1);
    CHECK(said.text.find(wrong.named) != std::string::npos);
    CHECK(said.text.find(wrong.fits) != std::string::npos);
  }
  // Nothing of that changed the builder.
  CHECK(folder.done("").find("build version 4,") != std::string::npos);
}

TEST_CASE("files that are missing or broken are told") {
  const RingFolder folder;
  Said said = folder.ring("");
  CHECK(said.status == 2);
  CHECK(said.text.find("does not exist") != std::string::npos);
  std::ofstream(folder.path / "object.builder") << "junk";
  said = folder.ring("rebalance");
  CHECK(said.status == 2);
  CHECK(said.text.find("object.builder: is not a usable builder") != std::string::npos);
  fs::remove(folder.path / "object.builder");
  CHECK(folder.ring("write_builder").status == 2);
}

TEST_CASE("devices are found, changed and removed, one or many") {
  const RingFolder folder;
  folder.make();
  const std::string list = folder.done("");
  CHECK(list.find("[::1]:6200") != std::string::npos);
  CHECK(list.find("[fe80::1]:6203") != std::string::npos);
  CHECK(folder.done("search [0:0::1]").find("::1") != std::string::npos);
  CHECK(folder.done("search _ol").find("old") != std::string::npos);
  CHECK(folder.done("set_weight d1 50").find("weight set to 50.0") != std::string::npos);
  // Many are asked about; no answer is no.
  Said said = folder.ring("set_weight z3 50");
  CHECK(said.status == 2);
  CHECK(said.text.find("(y/N)") != std::string::npos);
  folder.done("set_weight z3 50 --yes");
  folder.done("set_region --zone 3 2 --yes");
  CHECK(folder.done("search r2").find("sdb") != std::string::npos);
  folder.done("set_info --id 0 --change-ip host-1.example --change-meta new");
  CHECK(folder.done("search --ip HOST-1.example").find("new") != std::string::npos);
  folder.done("set_info d0 10.1.1.1:6300R10.1.1.2/sdz_x");
  CHECK(folder.done("search /sdz").find("10.1.1.2") != std::string::npos);
  folder.done("remove d3");
  CHECK(folder.done("").find("DEL") != std::string::npos);
  CHECK(folder.ring("set_weight d3 1").status == 2);
}

TEST_CASE("a rebalance writes ring, builder and their backups, and says when there is no need") {
  const RingFolder folder;
  folder.make();
  const std::size_t before = folder.backups();
  CHECK(before == 1);
  CHECK(folder.done("rebalance --seed x").find("Reassigned 192 (300.00%)") != std::string::npos);
  // At least the ring is new there; the builder may be of the same second as the one before.
  CHECK(folder.backups() > before);
  CHECK(folder.done("").find("is up-to-date") != std::string::npos);
  CHECK(folder.done("rebalance", 1).find("No partitions could be reassigned") != std::string::npos);
  folder.done("validate");
  folder.done("dispersion -v 'r1z[12]$'");
  CHECK(folder.ring("dispersion 'r('").status == 2);
  CHECK(folder.done("list_parts d0").starts_with("Partition   Matches\n"));
  folder.done("set_info d0 _other");
  CHECK(folder.done("").find("is obsolete") != std::string::npos);
  folder.done("write_ring --format-version 2");
  CHECK(folder.done("version").find("Serialization version: 2 ") != std::string::npos);
  CHECK(folder.done("").find("is up-to-date") != std::string::npos);
  // Either name of the pair names both.
  CHECK(run_apus("ring " + (folder.path / "object.ring.gz").string()).text.find("Note: using") !=
        std::string::npos);
}

TEST_CASE("a scenario is checked and played") {
  const RingFolder folder;
  const std::string path = (folder.path / "scenario.json").string();
  std::ofstream(path) << R"({"part_power": 6, "replicas": 2, "overload": 0, "random_seed": 4,
    "rounds": [[["add", "r1z1-10.0.0.1:6200/sda", 100], ["add", "z2-10.0.0.2:6200/sda", 100],
                ["add", "r1z3-10.0.0.3:6200/sda", 100]],
               [["remove", 1], ["add", "r1z2-10.0.0.4:6200/sda", 50]], [["set_weight", 0, 50]]]})";
  Said said = run_apus("ring analyzer " + path);
  CHECK(said.status == 0);
  CHECK(said.text.find("Round 3\n\tRebalance 1: moved ") != std::string::npos);
  CHECK(run_apus("ring analyzer --check " + path).text.empty());
  std::ofstream(path) << R"({"part_power": 6, "replicas": 2, "overload": 0, "random_seed": 4,
    "rounds": [[["grow", 1]]]})";
  said = run_apus("ring analyzer " + path);
  CHECK(said.status == 1);
  CHECK(said.text.find("round 0, command 0: 'grow'") != std::string::npos);
}
