// The servers of `apus init`: which a word means, where their confs and pid files lie.
#include "servers/apus/operators/init_servers.h"

#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

using namespace apus;

namespace {

using Words = std::vector<std::string>;

std::vector<std::string> names(const ChosenServers& chosen) {
  std::vector<std::string> out;
  for (const SwiftServer& one : chosen.servers)
    out.push_back(one.name + (one.conf.empty() ? "" : "." + one.conf));
  return out;
}

// "etc" and "run" in a folder that goes with it.
class InitTree {
 public:
  void write(const std::string& path, const std::string& text = "") { tree_.write(path, text); }
  [[nodiscard]] InitFolders folders() const {
    return {(tree_.path() / "etc").string() + "/", (tree_.path() / "run" / ".." / "run").string()};
  }
  // Without the folder.
  [[nodiscard]] Words shown(Words paths) const {
    for (std::string& path : paths) path = path.substr(tree_.path().string().size() + 1);
    return paths;
  }
  [[nodiscard]] Words confs(const char* word) const {
    return shown(find_confs(parse_server(word), folders().swift_dir));
  }
  [[nodiscard]] Words pid_files(const char* word) const {
    return shown(find_pid_files(parse_server(word), folders().run_dir));
  }

 private:
  testing::TempTree tree_;
};

}  // namespace

TEST_CASE("a word is a server, with or without -server, and the conf that it names") {
  CHECK(parse_server("object") == SwiftServer{"object-server", ""});
  CHECK(parse_server("Object-Server") == SwiftServer{"object-server", ""});
  CHECK(parse_server("object.1") == SwiftServer{"object-server", "1"});
  CHECK(parse_server("container-updater.Two") == SwiftServer{"container-updater", "Two"});
  CHECK(parse_server("object.a.b") == SwiftServer{"object-server", "b"});
  CHECK(parse_server("proxy").program() == "swift-proxy-server");
  CHECK(parse_server("proxy").is_main());
  CHECK_FALSE(parse_server("object-expirer").is_main());
}

TEST_CASE("groups, and names with *") {
  const Words main = {"proxy-server", "account-server", "container-server", "object-server"};
  CHECK(names(choose_servers({"main"})) == main);
  CHECK(choose_servers({"all"}).servers.size() == 18);
  CHECK(choose_servers({"rest"}).servers.size() == 14);
  CHECK(names(choose_servers({"main", "proxy", "all"})).size() == 18);
  CHECK(names(choose_servers({"*-server"})) == main);
  CHECK(names(choose_servers({"container-s*"})) ==
        Words{"container-server", "container-sharder", "container-sync"});
  CHECK(names(choose_servers({"*-audit"})) ==
        Words{"account-auditor", "container-auditor", "object-auditor"});
  CHECK(names(choose_servers({"nothing*"})).empty());
  CHECK(names(choose_servers({"object.1", "object.2", "object.1"})) ==
        Words{"object-server.1", "object-server.2"});
}

TEST_CASE("a missing conf counts where each server is named") {
  CHECK(choose_servers({"object", "proxy"}).each_named);
  CHECK_FALSE(choose_servers({"object", "rest"}).each_named);
  CHECK_FALSE(choose_servers({"object-*"}).each_named);
  CHECK_FALSE(choose_servers({"nothing*"}).each_named);
}

TEST_CASE("confs are files and folders beside or in a folder of the server's name") {
  InitTree tree;
  for (const char* name :
       {"object-server.conf", "object-server.conf-sample", "object-server/1.conf",
        "object-server/11.conf", "object-server/2/deep.conf", "object-server/readme",
        "object-expirer.conf", "container-server.conf.d/10.conf",
        "container-server/3.conf.d/a.conf", "container-server/4.conf",
        "container-server/deep/5.conf", "container-reconciler.conf"})
    tree.write(std::string("etc/") + name);
  const Words object = {"etc/object-server.conf", "etc/object-server/1.conf",
                        "etc/object-server/11.conf", "etc/object-server/2/deep.conf"};
  CHECK(tree.confs("object") == object);
  CHECK(tree.confs("object-replicator") == object);
  CHECK(tree.confs("object.1") == Words{"etc/object-server/1.conf"});
  CHECK(tree.confs("object-auditor.deep") == Words{"etc/object-server/2/deep.conf"});
  CHECK(tree.confs("object.3").empty());
  // Beside a folder that is one conf nothing is looked into.
  CHECK(tree.confs("container-sync") == Words{"etc/container-server.conf.d",
                                              "etc/container-server/3.conf.d",
                                              "etc/container-server/4.conf"});
  CHECK(tree.confs("container.3") == Words{"etc/container-server/3.conf.d"});
  CHECK(tree.confs("container-reconciler") == Words{"etc/container-reconciler.conf"});
  CHECK(tree.confs("proxy").empty());
  CHECK(numbered_conf(object, 0) == object);
  CHECK(numbered_conf(object, 2) == Words{object[1]});
  CHECK(numbered_conf(object, -1) == Words{object[2]});
  CHECK(numbered_conf(object, 5).empty());
  CHECK(numbered_conf(object, -4).empty());
}

TEST_CASE("the expirer is configured with the object servers, or else by itself") {
  InitTree tree;
  tree.write("etc/object-server/1.conf", "[DEFAULT]\n");
  tree.write("etc/object-server/2.conf", "[DEFAULT]\n[object-expirer]\n");
  CHECK(tree.confs("object-expirer") == Words{"etc/object-server/2.conf"});
  tree.write("etc/object-expirer.conf", "[object-expirer]\n");
  CHECK(tree.confs("object-expirer") == Words{"etc/object-server/2.conf"});
  tree.write("etc/object-server/2.conf", "[DEFAULT]\n");
  CHECK(tree.confs("object-expirer") == Words{"etc/object-expirer.conf"});
  const SwiftServer expirer = parse_server("object-expirer");
  const std::string conf = tree.folders().swift_dir + "/object-expirer.conf";
  const std::string pid_file = pid_file_of(expirer, tree.folders(), conf);
  CHECK(pid_file == tree.folders().run_dir + "/object-expirer.pid");
  CHECK(conf_of_pid_file(expirer, tree.folders(), pid_file) == conf);
}

TEST_CASE("pid files lie as confs do, under the name of the daemon") {
  const InitFolders folders("/nowhere/swift/", "/var/run/swift");
  struct Line {
    const char* server;
    const char* conf;
    const char* pid_file;
  };
  for (const Line& line : {
           Line{"object", "/object-server.conf", "/object-server.pid"},
           Line{"object", "/object-server/1.conf", "/object-server/1.pid"},
           Line{"object-replicator", "/object-server.conf", "/object-replicator.pid"},
           Line{"object-replicator", "/object-server/1.conf.d", "/object-replicator/1.pid.d"},
           Line{"container-sync", "/container-server.conf.d", "/container-sync.pid.d"},
           Line{"container-reconciler", "/container-reconciler/2.conf",
                "/container-reconciler/2.pid"},
           Line{"object-auditor", "/object-server-old.conf", "/object-auditor-old.pid"},
       }) {
    const SwiftServer server = parse_server(line.server);
    const std::string conf = folders.swift_dir + line.conf;
    CHECK(pid_file_of(server, folders, conf) == "/var/run/swift" + std::string(line.pid_file));
    CHECK(conf_of_pid_file(server, folders, pid_file_of(server, folders, conf)) == conf);
  }
}

TEST_CASE("of what lies in the run folder pid files alone are taken") {
  InitTree tree;
  for (const char* name : {"object-server.pid", "object-server.sock", "object-server/1.pid",
                           "object-server/2.pid.d", "object-server/lock", "object-auditor.pid"})
    tree.write(std::string("run/") + name);
  CHECK(tree.pid_files("object") ==
        Words{"run/object-server.pid", "run/object-server/1.pid", "run/object-server/2.pid.d"});
  CHECK(tree.pid_files("object.2") == Words{"run/object-server/2.pid.d"});
  CHECK(tree.pid_files("object-auditor") == Words{"run/object-auditor.pid"});
  CHECK(tree.pid_files("proxy").empty());
}
