// Connections that are kept: no more than was said, none of a file that has gone.
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "framework/store/db/database_pool.h"

namespace apus::test {
namespace {

namespace fs = std::filesystem;

// Descriptors of this process to files of `folder`.
std::size_t open_below(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry.path(), gone).string();
    if (!gone && target.starts_with(folder.string())) ++count;
  }
  return count;
}

std::vector<std::string> databases(const testing::TempTree& tree, int count) {
  std::vector<std::string> paths;
  for (int i = 0; i < count; ++i) {
    paths.push_back((tree.path() / (std::to_string(i) + ".db")).string());
    Database(paths.back(), true).run("CREATE TABLE t (x INTEGER)");
  }
  return paths;
}

void read(DatabasePool::Lease& lease) { lease->run("SELECT x FROM t"); }

TEST_CASE("idle connections are as many as a pool may keep") {
  const testing::TempTree tree;
  DatabasePool pool(2);
  const auto paths = databases(tree, 6);
  {
    std::vector<DatabasePool::Lease> leases;
    for (const auto& path : paths) {
      leases.push_back(pool.open(path));
      read(leases.back());
    }
    CHECK(open_below(tree.path()) == 6);
  }
  CHECK(open_below(tree.path()) == 2);
  DatabasePool none(0);
  for (const auto& path : paths) {
    auto lease = none.open(path);
    read(lease);
  }
  CHECK(open_below(tree.path()) == 2);
}

TEST_CASE("a connection to a file that was replaced is not given out again") {
  const testing::TempTree tree;
  DatabasePool pool;
  const auto paths = databases(tree, 2);
  {
    auto lease = pool.open(paths[0]);
    read(lease);
  }
  fs::rename(paths[1], paths[0]);
  auto lease = pool.open(paths[0]);
  lease->run("INSERT INTO t VALUES (7)");
  CHECK(open_below(tree.path()) == 1);
}

}  // namespace
}  // namespace apus::test
