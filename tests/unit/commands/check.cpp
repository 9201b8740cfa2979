// `apus check` on real files with the real plugins.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "command.h"

namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("apus-check-" + std::to_string(::getpid()))) {
    fs::create_directories(path);
    write("swift.conf", "[swift-hash]\nswift_hash_path_suffix = s\n");
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
  }
  Said check(const std::string& text) const {
    write("proxy.conf", text);
    return run_apus("check " + (path / "proxy.conf").string());
  }
  fs::path path;
};

std::string proxy(const std::string& more_default, const std::string& pipeline,
                  const std::string& more) {
  return "[DEFAULT]\nbind_port = 0\nswift_dir = %(here)s\n" + more_default +
         "[pipeline:main]\npipeline = " + pipeline +
         " proxy-server\n[app:proxy-server]\nuse = egg:swift#proxy\n" + more;
}

bool has(const Said& said, const std::string& text) {
  return said.text.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("the order with reasons, values with their places, defaults, versions; secrets hidden") {
  const Folder folder;
  const Said said =
      folder.check(proxy("log_level = DEBUG\n", "health tempauth",
                         "set log_name = door\n[filter:health]\nuse = egg:swift#healthcheck\n"
                         "disable_path = /run/off\n[filter:tempauth]\nuse = egg:swift#tempauth\n"
                         "user_a_b = topsecret .admin\n"));
  CAPTURE(said.text);
  CHECK(said.status == 0);
  const std::string conf = (folder.path / "proxy.conf").string();
  CHECK(has(said, "place 1 in [pipeline:main]"));
  CHECK(has(said, "added, for a proxy needs it: first"));
  CHECK(has(said, "healthcheck 1."));
  CHECK(has(said, "disable_path = /run/off    (" + conf + ":12; default none)"));
  CHECK(has(said, "log_name = door    (" + conf + ":9;"));
  CHECK(has(said, "user_a_b = (hidden)    (" + conf + ":15;"));
  CHECK_FALSE(has(said, "topsecret"));
}

TEST_CASE("all mistakes at once, on stderr, with status 1") {
  const Folder folder;
  const Said said = folder.check(
      "[DEFAULT]\nbind_port = high\nbind_pi = 1\nswift_dir = %(here)s\n"
      "[pipeline:main]\npipeline = healthchek nothing proxy-server\n"
      "[filter:healthcheck]\nuse = egg:swift#healthcheck\n"
      "[filter:nothing]\nuse = egg:swift#nothing\n"
      "[app:proxy-server]\nuse = egg:swift#proxy\nallow_account_management = yess\n");
  CAPTURE(said.text);
  CHECK(said.status == 1);
  CHECK(has(said, ":2: [DEFAULT] bind_port: 'high' does not fit; expected a whole number"));
  CHECK(has(said, "warning: "));
  CHECK(has(said, "did you mean bind_ip?"));
  CHECK(has(said, "did you mean healthcheck?"));
  CHECK(has(said, "[filter:nothing] use: no plugin 'nothing'"));
  CHECK(has(said, "allow_account_management: 'yess' is taken for no"));
}

TEST_CASE("keymasters that are not built are told with the reason, where they stand") {
  const Folder folder;
  for (const std::string name : {"kms_keymaster", "kmip_keymaster"}) {
    const Said said = folder.check(
        proxy("", name, "[filter:" + name + "]\nuse = egg:swift#" + name + "\nkey_id = 5\n"));
    CAPTURE(said.text);
    CHECK(said.status == 1);
    CHECK(has(said, "[filter:" + name + "] use: " + name + " is not built: it asks"));
    CHECK(has(said, "give those secrets to keymaster"));
    CHECK_FALSE(has(said, "did you mean"));
  }
}

TEST_CASE("encryption and its keymaster in their order, without the secret") {
  const Folder folder;
  const Said said = folder.check(
      proxy("", "keymaster encryption",
            "[filter:keymaster]\nuse = egg:swift#keymaster\nencryption_root_secret_one = "
            "dG9wc2VjcmV0dG9wc2VjcmV0dG9wc2VjcmV0dG9wc2VjcmV0\nactive_root_secret_id = one\n"
            "[filter:encryption]\nuse = egg:swift#encryption\n"));
  CAPTURE(said.text);
  CHECK(said.status == 0);
  CHECK(has(said, "encryption_root_secret_one = (hidden)"));
  CHECK_FALSE(has(said, "dG9wc2Vjc"));
}

TEST_CASE("a root secret that a start would refuse is refused by a check, without showing it") {
  const Folder folder;
  const std::string filter = "[filter:keymaster]\nuse = egg:swift#keymaster\n";
  for (const auto& [options, told] : std::vector<std::pair<std::string, std::string>>{
           {"encryption_root_secret = c2hvcnQ=\n", "at least 32 raw bytes"},
           {"encryption_root_secret = changeme\n", "which everybody knows"},
           {"active_root_secret_id = two\n", "No secret loaded for active_root_secret_id two"},
           {"keymaster_config_path = /proc/nowhere\n", "cannot read /proc/nowhere"},
           {"", "encryption_root_secret is not set"}}) {
    const Said said = folder.check(proxy("", "keymaster", filter + options));
    CAPTURE(said.text);
    CHECK(said.status == 1);
    CHECK(has(said, "[filter:keymaster]"));
    CHECK(has(said, told));
    CHECK_FALSE(has(said, "c2hvcnQ="));
  }
}

TEST_CASE("strict_config makes warnings errors") {
  const Folder folder;
  const std::string filter = "[filter:h]\nuse = egg:swift#healthcheck\ndisable_pth = x\n";
  const Said loose = folder.check(proxy("", "h", filter));
  CHECK(loose.status == 0);
  CHECK(has(loose, "warning: "));
  CHECK(has(loose, "disable_pth: is not known here; did you mean disable_path?"));
  const Said strict = folder.check(proxy("strict_config = yes\n", "h", filter));
  CHECK(strict.status == 1);
  CHECK(has(strict, "error: "));
}

TEST_CASE("plugin_path adds a folder to look in") {
  const Folder folder;
  fs::create_directory(folder.path / "mine");
  fs::copy_file(fs::path(APUS_PLUGIN_DIR) / "healthcheck.so", folder.path / "mine" / "mine.so");
  const std::string filter = "[filter:m]\nuse = egg:apus#mine\n";
  CHECK(folder.check(proxy("", "m", filter)).status == 1);
  const Said said = folder.check(proxy("plugin_path = %(here)s/mine\n", "m", filter));
  CAPTURE(said.text);
  CHECK(said.status == 0);
  CHECK(has(said, (folder.path / "mine" / "mine.so").string()));
}

TEST_CASE("swift.conf is checked with the servers that use it") {
  const Folder folder;
  folder.write("swift.conf", "[swift-hash]\n");
  const Said said = folder.check(proxy("", "", ""));
  CHECK(said.status == 1);
  CHECK(has(said, "swift.conf: [swift-hash] swift_hash_path_suffix: is empty"));
}

TEST_CASE("of a conf that is not there nothing else is told") {
  const std::string error = "error: /proc/nowhere: cannot be read\n";
  for (const std::string command : {"check ", "check --quiet ", "serve ", "serve --test-config "}) {
    const Said said = run_apus(command + "/proc/nowhere");
    CHECK(said.status == 1);
    CHECK(said.text == error);
  }
}

TEST_CASE("the words of the log are judged without opening it") {
  const Folder folder;
  const Said level = folder.check(proxy("log_level = LOUD\n", "", ""));
  CHECK(level.status == 1);
  CHECK(has(level, "log_level: 'LOUD' is none of DEBUG"));
  CHECK(folder.check(proxy("log_to = nowhere\n", "", "")).status == 1);
  const std::string log = (folder.path / "log").string();
  CHECK(folder.check(proxy("log_to = file:" + log + "\n", "", "")).status == 0);
  CHECK_FALSE(fs::exists(log));
}

TEST_CASE("rings that are missing are told, and those that are no rings are errors") {
  const Folder folder;
  const Said missing = folder.check(proxy("", "", ""));
  CHECK(missing.status == 0);
  for (const char* name : {"account", "container", "object"})
    CHECK(has(missing, "warning: " + (folder.path / name).string() + ".ring.gz: is not there"));
  folder.write("container.ring.gz", "no ring");
  const Said wrong = folder.check(proxy("", "", ""));
  CAPTURE(wrong.text);
  CHECK(wrong.status == 1);
  CHECK(has(wrong, "error: " + (folder.path / "container.ring.gz").string() + ": is not a"));
}
