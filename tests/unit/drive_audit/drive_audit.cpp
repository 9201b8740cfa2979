// Errors of drives in the kernel's log.
#include <apus/testing/host.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

#include <ctime>
#include <vector>

#include "plugins/drive-audit/drive_log.h"
#include "plugins/drive-audit/mounted_drives.h"

using namespace apus;
using namespace apus::testing;

namespace {

// Local time of a moment, as syslog daemons write it.
std::string stamp(std::time_t when) {
  std::tm parts{};
  ::localtime_r(&when, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%b %e %H:%M:%S", &parts);
  return {text, size};
}

std::string iso(std::time_t when) {
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  char text[64];
  const std::size_t size =
      std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.123456+00:00", &parts);
  return {text, size};
}

constexpr std::time_t kNow = 1795926789;

struct Logs {
  DriveErrors count(std::time_t from, std::time_t now = kNow) {
    std::vector<Pattern> patterns;
    patterns.emplace_back(R"(\berror\b.*\b(sd[a-z]{1,2}\d?)\b)");
    patterns.emplace_back(R"(\b(sd[a-z]{1,2}\d?)\b.*\berror\b)");
    return count_drive_errors(host.disk(), files, patterns, from, now);
  }
  void add(const std::string& name, const std::string& text) {
    tree.write(name, text);
    files.push_back((tree.path() / name).string());
  }
  TestHost host;
  TempTree tree;
  std::vector<std::string> files;
};

}  // namespace

TEST_CASE("lines of both forms have a time, others none") {
  CHECK(log_time(stamp(kNow) + " host kernel: x", 2026) == kNow);
  CHECK(log_time(iso(kNow) + " host kernel: x", 1999) == kNow);
  CHECK(log_time("2026-11-29T05:53:09+01:00 h", 0) == log_time("2026-11-29T04:53:09Z h", 0));
  CHECK(log_time("2026-11-29T04:53:09-0530 h", 0) == log_time("2026-11-29T10:23:09Z h", 0));
  for (const char* line :
       {"", "Nov", "Nov 9", "Nov 40 04:53:09 x", "Nov 9 4:53:09", "Nov 9 24:00:00",
        "nov 9 04:53:09", "2026-11-29T04:53:09", "2026-13-29T04:53:09Z", "2026-11-29T04:53:09.Zx",
        "2026-11-29T04:53:09+01", "\xff\xfe"})
    CHECK_FALSE(log_time(line, 2026));
}

TEST_CASE("errors are counted back to a moment, over rotated files, and not before the last boot") {
  Logs logs;
  logs.add("kern.log", stamp(kNow - 50) + " h kernel: sda: all well\n" + iso(kNow - 40) +
                           " h kernel: I/O error, dev sdb1, sector 5\n" + stamp(kNow - 30) +
                           " h kernel: sdc: error\nnot a log line: error sdd\n");
  logs.add("kern.log.1", stamp(kNow - 4000) + " h kernel: error sdz\n" + stamp(kNow - 90) +
                             " h kernel: I/O error, dev sdb1, sector 6");
  CHECK(logs.count(kNow - 3600) == DriveErrors{{"sdb1", 2}, {"sdc", 1}});
  CHECK(logs.count(kNow - 35) == DriveErrors{{"sdc", 1}});
  CHECK(logs.count(kNow).empty());
  logs.files.insert(logs.files.begin() + 1, (logs.tree.path() / "boot").string());
  logs.tree.write("boot", stamp(kNow - 60) + " h kernel: [    0.000000] Linux version\n");
  CHECK(logs.count(kNow - 3600) == DriveErrors{{"sdb1", 1}, {"sdc", 1}});
  logs.files = {"/nowhere/kern.log"};
  CHECK_THROWS_WITH(logs.count(0), doctest::Contains("/nowhere/kern.log"));
}

TEST_CASE("a year's end is no end of the log") {
  std::tm parts{};
  parts.tm_year = 127;
  parts.tm_mday = 1;
  parts.tm_min = 5;
  parts.tm_isdst = -1;
  const std::time_t now = std::mktime(&parts);  // 2027-01-01 00:05
  Logs logs;
  logs.add("kern.log", stamp(now - 600) + " h kernel: error sdb\n" + stamp(now - 60) +
                           " h kernel: error sdb\n");
  CHECK(logs.count(now - 3600, now) == DriveErrors{{"sdb", 2}});
}

TEST_CASE("long files and long lines are read in pieces") {
  Logs logs;
  std::string text = stamp(kNow - 20) + " h kernel: error sda\n";
  for (int i = 0; i < 3000; ++i)
    text += stamp(kNow - 10) + " h kernel: nothing of note " + std::to_string(i) + "\n";
  text += stamp(kNow - 9) + " h kernel: error sdb " + std::string(3'000'000, 'x') + "\n";
  text += stamp(kNow - 8) + " h kernel: error sdc\n";
  logs.add("kern.log", text);
  const DriveErrors found = logs.count(kNow - 60);
  CHECK(found.at("sda") == 1);
  CHECK(found.at("sdc") == 1);
}

TEST_CASE("drives are what is mounted below a folder") {
  TestHost host;
  auto& log = host.logger(Options());
  CHECK(drives_below("/srv/node", "", log).empty());
  CHECK(drives_below("/srv/node", "one\n\n/dev/null /srv/nodes/x ext4 rw 0 0\n", log).empty());
  CHECK(drives_below("/srv/node/", "/nowhere/x /srv/node/a\\040b xfs rw 0 0\n", log).empty());
  CHECK(host.log.has("Error: Could not stat /nowhere/x!"));
}

TEST_CASE("a line of fstab becomes a comment") {
  const std::string fstab =
      "# a table\n/dev/sda / ext4 defaults 0 1\nLABEL=x\t/srv/node/b\\040c xfs noatime 0 0\n";
  CHECK_FALSE(commented_out(fstab, "/srv/node/d"));
  CHECK_FALSE(commented_out("", "/"));
  CHECK(commented_out(fstab, "/srv/node/b c") ==
        "# a table\n/dev/sda / ext4 defaults 0 1\n#LABEL=x\t/srv/node/b\\040c xfs noatime 0 0\n");
  CHECK_FALSE(commented_out(*commented_out(fstab, "/srv/node/b c"), "/srv/node/b c"));
}
