#include <apus/testing/faulty_disk.h>
#include <apus/testing/host.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>
#include <thread>

using namespace apus;
using namespace apus::testing;
namespace fs = std::filesystem;

namespace {

// A tree with a folder "d" and a file "d/old" on the disk.
struct Machine {
  Machine() {
    tree.write("d/old", "old");
    disk = std::make_unique<FaultyDisk>(tree.path());
  }
  std::string at(const std::string& name) const { return (tree.path() / name).string(); }
  bool has(const std::string& name) const { return fs::exists(tree.path() / name); }
  Fd open(const std::string& name, int flags = O_WRONLY | O_CREAT) {
    return Fd(*disk, disk->open(at(name), flags, 0644));
  }
  void write(const std::string& name, std::string_view bytes, bool sync) {
    const Fd fd = open(name, O_WRONLY | O_CREAT | O_TRUNC);
    REQUIRE(disk->write(fd.get(), bytes) == static_cast<ssize_t>(bytes.size()));
    if (sync) REQUIRE(disk->fsync(fd.get()) == 0);
  }
  void sync_folder(const std::string& name) {
    const Fd fd = open(name, O_RDONLY | O_DIRECTORY);
    REQUIRE(disk->fsync(fd.get()) == 0);
  }

  TempTree tree;
  std::unique_ptr<FaultyDisk> disk;
};

}  // namespace

TEST_CASE("what was there before stays, what was not synced goes") {
  Machine machine;
  machine.write("d/new", "new", false);
  machine.write("d/old", "changed", false);
  CHECK(machine.tree.read("d/old") == "changed");
  machine.disk->crash();
  CHECK(machine.tree.read("d/old") == "old");
  CHECK_FALSE(machine.has("d/new"));
}

TEST_CASE("a file needs its own sync and its folder's") {
  Machine machine;
  machine.write("d/bytes", "1", true);
  machine.disk->crash();
  CHECK_FALSE(machine.has("d/bytes"));
  machine.write("d/name", "2", false);
  machine.sync_folder("d");
  machine.disk->crash();
  CHECK(machine.tree.read("d/name") == "");
  machine.write("d/both", "3", true);
  machine.sync_folder("d");
  machine.disk->crash();
  CHECK(machine.tree.read("d/both") == "3");
}

TEST_CASE("a new folder is lost with all it holds until its parent is synced") {
  Machine machine;
  REQUIRE(machine.disk->mkdir(machine.at("d/e"), 0755) == 0);
  machine.write("d/e/f", "1", true);
  machine.sync_folder("d/e");
  machine.disk->crash();
  CHECK_FALSE(machine.has("d/e"));
  REQUIRE(machine.disk->mkdir(machine.at("d/e"), 0755) == 0);
  machine.write("d/e/f", "1", true);
  machine.sync_folder("d/e");
  machine.sync_folder("d");
  machine.disk->crash();
  CHECK(machine.tree.read("d/e/f") == "1");
}

TEST_CASE("a file without a name, linked into place, with its xattrs") {
  Machine machine;
  for (const bool sync : {false, true}) {
    {
      const Fd fd = machine.open("d", O_TMPFILE | O_WRONLY);
      REQUIRE(fd);
      REQUIRE(machine.disk->write(fd.get(), std::string_view("body")) == 4);
      if (machine.disk->fsetxattr(fd.get(), "user.a", "1") != 0) {
        REQUIRE(errno == ENOTSUP);
        return;
      }
      REQUIRE(machine.disk->fsync(fd.get()) == 0);
      REQUIRE(machine.disk->link_fd(fd.get(), machine.at("d/linked")) == 0);
    }
    if (sync) machine.sync_folder("d");
    machine.disk->crash();
    CHECK(machine.has("d/linked") == sync);
  }
  CHECK(machine.tree.read("d/linked") == "body");
  const Fd fd = machine.open("d/linked", O_RDONLY);
  std::array<char, 8> value;
  REQUIRE(machine.disk->fgetxattr(fd.get(), "user.a", value) == 1);
  CHECK(value[0] == '1');
}

TEST_CASE("an unlink and a rename are undone until they are synced; a rename is whole") {
  Machine machine;
  REQUIRE(machine.disk->unlink(machine.at("d/old")) == 0);
  machine.disk->crash();
  CHECK(machine.tree.read("d/old") == "old");
  REQUIRE(machine.disk->mkdir(machine.at("q"), 0755) == 0);
  machine.sync_folder("");
  REQUIRE(machine.disk->rename(machine.at("d/old"), machine.at("q/old")) == 0);
  machine.disk->crash();
  CHECK(machine.has("d/old"));
  CHECK_FALSE(machine.has("q/old"));
  REQUIRE(machine.disk->rename(machine.at("d/old"), machine.at("q/old")) == 0);
  machine.sync_folder("q");
  machine.disk->crash();
  CHECK_FALSE(machine.has("d/old"));
  CHECK(machine.tree.read("q/old") == "old");
  REQUIRE(machine.disk->unlink(machine.at("q/old")) == 0);
  machine.sync_folder("q");
  machine.disk->crash();
  CHECK_FALSE(machine.has("q/old"));
}

TEST_CASE("an inode number used again brings nothing back") {
  Machine machine;
  {
    const Fd fd = machine.open("d", O_TMPFILE | O_WRONLY);
    REQUIRE(machine.disk->write(fd.get(), std::string_view("never named")) == 11);
    REQUIRE(machine.disk->fsync(fd.get()) == 0);
  }
  machine.write("d/fresh", "x", false);
  machine.sync_folder("d");
  machine.disk->crash();
  CHECK(machine.tree.read("d/fresh") == "");
}

TEST_CASE("descriptors of before a crash are dead") {
  Machine machine;
  const Fd fd = machine.open("d/old", O_RDWR);
  machine.disk->crash();
  std::array<char, 8> some;
  CHECK(machine.disk->pread(fd.get(), some, 0) == -1);
  CHECK(errno == EIO);
  CHECK(machine.disk->write(fd.get(), std::string_view("x")) == -1);
  CHECK(machine.disk->fsync(fd.get()) == -1);
  CHECK(machine.tree.read("d/old") == "old");
}

TEST_CASE("by chance some of what was not synced is there, the same for the same seed") {
  const auto outcome = [](std::uint64_t seed) {
    Machine machine;
    for (int i = 0; i < 20; ++i) machine.write("d/" + std::to_string(i), "0123456789", false);
    machine.write("d/old", "old and more", false);
    SeededEntropy chance(seed);
    machine.disk->crash(&chance);
    std::string out;
    for (int i = 0; i < 20; ++i) {
      const std::string name = "d/" + std::to_string(i);
      out += machine.has(name) ? std::to_string(machine.tree.read(name).size()) + "," : "-,";
    }
    CHECK(machine.tree.read("d/old").starts_with("old"));
    return out;
  };
  const std::string one = outcome(1);
  CHECK(one == outcome(1));
  CHECK(one != outcome(2));
  CHECK(one.find('-') != std::string::npos);
  CHECK(one.find("10") != std::string::npos);
}

TEST_CASE("every moment a machine can die at") {
  // Replaces a file by way of a new one. At each moment the old or the new bytes are there.
  std::uint64_t moment = 0;
  for (bool died = true; died; ++moment) {
    REQUIRE(moment < 10);
    Machine machine;
    machine.disk->power_off_after(moment);
    {
      const Fd fresh = machine.open("d/fresh");
      if (fresh && machine.disk->write(fresh.get(), std::string_view("newer")) == 5 &&
          machine.disk->fsync(fresh.get()) == 0 &&
          machine.disk->rename(machine.at("d/fresh"), machine.at("d/old")) == 0) {
        const Fd folder = machine.open("d", O_RDONLY | O_DIRECTORY);
        if (folder) machine.disk->fsync(folder.get());
      }
    }
    died = machine.disk->is_off();
    machine.disk->crash();
    CHECK_FALSE(machine.disk->is_off());
    const std::string now = machine.tree.read("d/old");
    CHECK(now == (died ? "old" : "newer"));
  }
  CHECK(moment == 5);  // write, fsync, rename, fsync, and one in which nothing died
}

TEST_CASE("a full disk takes what fits") {
  Machine machine;
  machine.disk->limit_space(5);
  const Fd fd = machine.open("d/f");
  std::uint64_t free = 0;
  std::uint64_t total = 0;
  REQUIRE(machine.disk->space(fd.get(), free, total) == 0);
  CHECK(free == 5);
  CHECK(machine.disk->fallocate(fd.get(), 6) == -1);
  CHECK(errno == ENOSPC);
  CHECK(machine.disk->write(fd.get(), std::string_view("123")) == 3);
  CHECK(machine.disk->write(fd.get(), std::string_view("456")) == 2);
  CHECK(machine.disk->write(fd.get(), std::string_view("6")) == -1);
  CHECK(errno == ENOSPC);
  machine.disk->limit_space(std::nullopt);
  CHECK(machine.disk->write(fd.get(), std::string_view("6")) == 1);
  CHECK(machine.tree.read("d/f") == "123456");
}

TEST_CASE("short writes and failures of single calls") {
  Machine machine;
  machine.disk->short_writes(2);
  const Fd fd = machine.open("d/f");
  CHECK(machine.disk->write(fd.get(), std::string_view("123")) == 2);
  machine.disk->fail({FaultyDisk::Call::kSync, EIO, 1, 1});
  CHECK(machine.disk->fsync(fd.get()) == 0);
  CHECK(machine.disk->fsync(fd.get()) == -1);
  CHECK(errno == EIO);
  CHECK(machine.disk->fsync(fd.get()) == 0);
  machine.disk->fail({.call = FaultyDisk::Call::kOpen, .error = ENODEV, .path = "d/x"});
  CHECK_FALSE(machine.open("d/x1"));
  CHECK(errno == ENODEV);
  CHECK(machine.open("d/y"));
  machine.disk->clear_faults();
  CHECK(machine.open("d/x1"));
  std::vector<std::string> names;
  machine.disk->fail({FaultyDisk::Call::kList, EUCLEAN});
  CHECK_FALSE(machine.disk->list(machine.at("d"), names));
  CHECK(errno == EUCLEAN);
}

TEST_CASE("a lock can be waited for while others use the disk") {
  Machine machine;
  Fd held = machine.open("d/lock");
  REQUIRE(machine.disk->flock(held.get(), LOCK_EX) == 0);
  std::thread waiter([&] {
    const Fd mine = machine.open("d/lock");
    CHECK(machine.disk->flock(mine.get(), LOCK_EX) == 0);
  });
  machine.write("d/other", "x", true);
  held.reset();
  waiter.join();
}
