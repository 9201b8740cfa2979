// The object auditor, through its shared object, over a device with damage of every kind.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>

#include "tests/unit/object_daemons/node.h"

namespace apus::test {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

constexpr const char* kWhen = "1699990000.00000";

struct Audited : Node {
  std::string file(const ObjectPlace& at) const { return at.folder() + "/" + kWhen + ".data"; }
  void audit(testing::OptionTexts options = {}) { run("object-auditor", std::move(options)); }
};

TEST_CASE_FIXTURE(Audited, "what is whole is passed, what is damaged goes to quarantine") {
  const ObjectPlace good = place("/a/c/good");
  const ObjectPlace empty = place("/a/c/empty");
  const ObjectPlace rotten = place("/a/c/rotten");
  const ObjectPlace shorter = place("/a/c/shorter");
  const ObjectPlace no_metadata = place("/a/c/no metadata");
  const ObjectPlace bad_sum = place("/a/c/bad sum");
  const ObjectPlace elsewhere = place("/a/c/elsewhere");
  for (const ObjectPlace& at : {good, rotten, shorter, no_metadata, bad_sum})
    put(at, kWhen, "some bytes");
  put(empty, kWhen, "");
  ObjectPlace wrong_folder = elsewhere;
  wrong_folder.name = "/a/c/another name";
  put(wrong_folder, kWhen, "some bytes");
  std::ofstream(file(rotten), std::ios::in) << "SOME";
  fs::resize_file(file(shorter), 3);
  REQUIRE(::removexattr(file(no_metadata).c_str(), "user.swift.metadata") == 0);
  REQUIRE(::setxattr(file(bad_sum).c_str(), "user.swift.metadata_checksum", "x", 1, 0) == 0);
  fs::create_directories(fs::path(place("/a/c/file").folder()).parent_path());
  std::ofstream(place("/a/c/file").folder()) << "no folder";

  audit();
  CHECK(names("sda/quarantined/objects") == Names{rotten.hash, shorter.hash, no_metadata.hash,
                                                  bad_sum.hash, elsewhere.hash,
                                                  place("/a/c/file").hash});
  CHECK(fs::exists(file(good)));
  CHECK(fs::exists(file(empty)));
  const std::string journal = tree.read(
      fs::path(rotten.partition_folder()).lexically_relative(tree.path()) / "hashes.invalid");
  CHECK(journal.find(rotten.suffix()) != std::string::npos);
  CHECK(host.log.has("ERROR Object " + rotten.folder() +
                     " failed audit and was quarantined: ETag " + md5_hex("some bytes") +
                     " and file's md5 " + md5_hex("SOME bytes") + " do not match"));
  CHECK(host.log.has("Begin object audit \"once\" mode (ALL)"));
  CHECK(host.log.has("Object audit (ZBF) \"once\" mode completed: "));
  // Both looked at all eight; what one quarantined the other may have missed.
  CHECK(recon().find("object_auditor_stats_ALL") != nullptr);
  CHECK(recon().find("object_auditor_stats_ZBF") != nullptr);
}

TEST_CASE_FIXTURE(Audited, "bytes are not read where metadata alone is looked at") {
  const ObjectPlace rotten = place("/a/c/rotten");
  put(rotten, kWhen, "some bytes", std::string(32, '0'));
  audit({{"zero_byte_fps", "100"}});
  CHECK(fs::exists(file(rotten)));
  CHECK_FALSE(host.log.has("(ALL)"));
  audit({{"zero_byte_files_per_second", "0"}});
  CHECK_FALSE(fs::exists(file(rotten)));
  CHECK(names("sda/quarantined/objects") == Names{rotten.hash});
}

TEST_CASE_FIXTURE(Audited,
                  "objects of every replicated policy are read, erasure coded ones are not") {
  host.conf.policies.push_back({1, "silver", {}, false, false, "replication"});
  host.conf.policies.push_back({2, "coded", {}, false, false, "erasure_coding"});
  for (const char* directory : {"objects", "objects-1", "objects-2"}) {
    ObjectPlace rotten = place("/a/c/rotten");
    rotten.directory = directory;
    put(rotten, kWhen, "some bytes", std::string(32, '0'));
  }
  audit();
  CHECK(names("sda/quarantined") == Names{"objects", "objects-1"});
  CHECK(names("sda/quarantined/objects-1") == Names{place("/a/c/rotten").hash});
  CHECK_FALSE(names("sda/objects-2").empty());
}

TEST_CASE_FIXTURE(Audited, "expired objects are left to the expirer") {
  const ObjectPlace expired = place("/a/c/expired");
  put(expired, kWhen, "some bytes", std::string(32, '0'), {{"X-Delete-At", "1699999999"}});
  audit();
  CHECK(fs::exists(file(expired)));
  CHECK(host.numbers.counter("quarantines") == 0);
}

TEST_CASE_FIXTURE(Audited, "metadata of before 2.16 gets its checksum") {
  const ObjectPlace old = place("/a/c/old");
  put(old, kWhen, "some bytes");
  write(old, "1699990001.00000.meta", {{"X-Timestamp", "1699990001.00000"}});
  for (const char* name : {"/1699990000.00000.data", "/1699990001.00000.meta"})
    REQUIRE(::removexattr((old.folder() + name).c_str(), "user.swift.metadata_checksum") == 0);
  audit();
  for (const char* name : {"/1699990000.00000.data", "/1699990001.00000.meta"}) {
    CHECK(::getxattr((old.folder() + name).c_str(), "user.swift.metadata_checksum", nullptr, 0) ==
          32);
  }
  CHECK(store.open(old, host.time.timestamp(), false).state == ObjectState::kFound);
}

TEST_CASE_FIXTURE(Audited, "old tombstones have their suffix hashed anew, old temporary files go") {
  const ObjectPlace gone = place("/a/c/gone");
  write(gone, "1699990000.00000.ts", {{"X-Timestamp", kWhen}, {"name", gone.name}});
  const std::string journal = gone.partition_folder() + "/hashes.invalid";
  fs::remove(journal);
  for (const char* name : {"/.x.data.aB3_56", "/.young.data.abcdef", "/.x.data.toolong"})
    std::ofstream(gone.folder() + name) << "x";
  // The clock of the test stands at another time than that of the file system.
  host.time.set(1.9e9);
  std::filesystem::last_write_time(
      gone.folder() + "/.young.data.abcdef",
      std::filesystem::file_time_type::clock::now() + std::chrono::hours(24 * 365 * 20));
  audit();
  CHECK(fs::exists(journal));
  CHECK_FALSE(fs::exists(gone.folder() + "/.x.data.aB3_56"));
  CHECK(fs::exists(gone.folder() + "/.young.data.abcdef"));
  CHECK(fs::exists(gone.folder() + "/.x.data.toolong"));
}

TEST_CASE_FIXTURE(Audited, "an audit goes on where another was broken off") {
  const ObjectPlace first = place("/a/c/1");
  ObjectPlace second = place("/a/c/2");
  for (int i = 3; second.partition == first.partition; ++i)
    second = place("/a/c/" + std::to_string(i));
  for (const ObjectPlace& at : {first, second}) put(at, kWhen, "some bytes", std::string(32, '0'));
  const std::string status = "srv/sda/objects/auditor_status_ALL.json";
  for (const char* bad : {"{", "[]", "{\"partitions\": 3}"}) {
    tree.write(status, "{\"partitions\": [\"" + second.partition + "\", \"../../x\", 7, \"\"]}");
    audit({{"zero_byte_files_per_second", "0"}});
    CHECK(fs::exists(file(first)));
    CHECK(names("sda/quarantined/objects") == Names{second.hash});
    CHECK_FALSE(fs::exists(tree.path() / status));
    // One that cannot be read is none.
    tree.write(status, bad);
    audit({{"zero_byte_files_per_second", "0"}});
    CHECK(host.log.has("Loading JSON from"));
    CHECK(names("sda/quarantined/objects") == Names{first.hash, second.hash});
    fs::remove_all(tree.path() / "srv/sda");
    host.log.clear();
    for (const ObjectPlace& at : {first, second})
      put(at, kWhen, "some bytes", std::string(32, '0'));
  }
}

TEST_CASE_FIXTURE(Audited, "a pass that is stopped notes what it left") {
  for (int i = 0; i < 4; ++i) put(place("/a/c/" + std::to_string(i)), kWhen, "x");
  std::stop_source stop;
  stop.request_stop();
  const auto daemon = testing::load_daemon("object-auditor",
                                           {{"devices", (tree.path() / "srv").string()},
                                            {"mount_check", "false"},
                                            {"recon_cache_path", (tree.path() / "recon").string()}},
                                           host);
  daemon->run_once(stop.get_token());
  CHECK_FALSE(host.log.has("completed"));
  daemon->run_once({});
  CHECK(host.log.has("\"once\" mode completed"));
}

TEST_CASE_FIXTURE(Audited, "rates, sizes, and devices of the command line") {
  put(place("/a/c/1", "sda"), kWhen, std::string(3000, 'x'));
  put(place("/a/c/2", "sdb"), kWhen, std::string(10, 'x'));
  put(place("/a/c/3", "sdb"), kWhen, "");
  audit({{"files_per_second", "1"},
         {"bytes_per_second", "100"},
         {"zero_byte_files_per_second", "0"},
         {"object_size_stats", "10,100"}});
  CHECK(host.time.slept() >= std::chrono::seconds(2));
  CHECK(host.log.has("Object audit stats: {\"10\": 2, \"100\": 0, \"OVER\": 1}"));
  host.log.clear();
  audit({{"override_devices", "sdb,nowhere"},
         {"concurrency", "3"},
         {"zero_byte_files_per_second", "0"}});
  CHECK(host.log.has("(ALL - parallel, sdb)"));
  CHECK_FALSE(host.log.has("sda"));
  const Json* stats = recon().find("object_auditor_stats_ALL");
  REQUIRE(stats != nullptr);
}

}  // namespace
}  // namespace apus::test
