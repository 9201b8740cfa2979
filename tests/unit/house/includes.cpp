// The arrows of the architecture, held by reading every #include.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fs = std::filesystem;

namespace {

struct Include {
  std::string file;    // relative to the source tree
  std::string target;  // what stands between the quotes or brackets
};

std::vector<Include> includes_below(const std::string& folder) {
  const fs::path root(APUS_SOURCE_DIR);
  std::vector<Include> found;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    const fs::path& path = entry.path();
    if (path.extension() != ".cpp" && path.extension() != ".h") continue;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with("#include")) continue;
      const std::size_t open = line.find_first_of("<\"");
      const std::size_t close = line.find_first_of(">\"", open + 1);
      if (close == std::string::npos) continue;
      found.push_back({fs::relative(path, root).string(), line.substr(open + 1, close - open - 1)});
    }
  }
  return found;
}

bool is_std_or_sdk(std::string_view target) {
  return target.starts_with("apus/") ||
         (target.find('/') == std::string_view::npos && target.find('.') == std::string_view::npos);
}

// "framework/store/object/x.h" is in the room "store".
std::string room_of(std::string_view path) {
  path.remove_prefix(std::string_view("framework/").size());
  return std::string(path.substr(0, path.find('/')));
}

}  // namespace

TEST_CASE("middleware includes the SDK and the standard library alone") {
  for (const Include& include : includes_below("middleware")) {
    const std::string own = fs::path(include.file).parent_path().string() + "/";
    if (include.target.starts_with(own) && own != "middleware/") continue;
    CAPTURE(include.file);
    CAPTURE(include.target);
    CHECK((is_std_or_sdk(include.target) || include.target == "arpa/inet.h" ||
           include.target == "sys/statvfs.h" || include.target == "sys/stat.h" ||
           include.target == "unistd.h" || include.target == "fcntl.h"));
  }
}

TEST_CASE("the SDK includes itself and the standard library alone") {
  for (const Include& include : includes_below("framework/include")) {
    CAPTURE(include.file);
    CAPTURE(include.target);
    CHECK((is_std_or_sdk(include.target) || include.target == "sys/types.h" ||
           include.target == "sys/stat.h" || include.target == "sys/statvfs.h"));
  }
}

TEST_CASE("each outside library is included from its own rooms") {
  const std::map<std::string, std::vector<std::string>> homes = {
      {"Poco/Net/", {"http", "transport", "log", "metrics"}},
      {"rapidjson/", {"json"}},
      {"openssl/", {"crypto"}},
      {"sqlite3.h", {"store"}},
      {"ini.h", {"conf"}},
      {"boost/dll", {"plugin"}},
      {"libmemcached", {"cache"}},
      {"re2/", {"pattern"}},
      {"resolv.h", {"dns"}},
      {"zlib.h", {"ring"}},
      {"archive", {"archive"}},
  };
  for (const Include& include : includes_below("framework")) {
    for (const auto& [library, rooms] : homes) {
      if (!include.target.starts_with(library)) continue;
      CAPTURE(include.file);
      CHECK(std::find(rooms.begin(), rooms.end(), room_of(include.file)) != rooms.end());
    }
  }
}

TEST_CASE("servers and plugins do not include each other") {
  for (const std::string folder : {"servers", "plugins"}) {
    for (const Include& include : includes_below(folder)) {
      if (!include.target.starts_with("servers/") && !include.target.starts_with("plugins/"))
        continue;
      CAPTURE(include.file);
      CAPTURE(include.target);
      const auto program = [](const std::string& file) {  // "servers/apus"; rooms of one are one
        return file.substr(0, file.find('/', file.find('/') + 1));
      };
      CHECK(program(include.target) == program(include.file));
    }
  }
}

TEST_CASE("the framework includes nothing above it") {
  for (const Include& include : includes_below("framework")) {
    CAPTURE(include.file);
    CHECK_FALSE(include.target.starts_with("servers/"));
    CHECK_FALSE(include.target.starts_with("plugins/"));
    CHECK_FALSE(include.target.starts_with("middleware/"));
  }
}
