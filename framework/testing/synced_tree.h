// What a power cut would leave of a folder tree.
#pragma once

#include <apus/host.h>
#include <apus/testing/faulty_disk.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace apus::testing {

/// The synced state of a tree, kept beside the live one. Files and folders have numbers of their
/// own: inode numbers are used again. Not synchronised.
class FaultyDisk::Tree {
 public:
  explicit Tree(std::filesystem::path root);

  /// The inode was just made: whatever had its number before is gone.
  void made(const struct stat& info);
  /// A file's bytes and xattrs, or a folder's names, are on the disk from now on.
  void sync(int fd);
  /// `from` was renamed to `to`.
  void moved(const std::string& from, const std::string& to);
  /// Keeps, by chance, some of what was not synced.
  void keep_some(Entropy& chance);
  /// Puts the synced state in place of the live one.
  void restore();

 private:
  using Id = std::uint64_t;
  struct Node {
    bool folder = false;
    mode_t mode = 0;
    std::string bytes;
    std::map<std::string, std::string> xattrs;
    std::map<std::string, Id> names;
  };
  struct Move {
    Id from_folder;
    std::string from;
    Id to_folder;
    std::string to;
    Id what;
  };

  Id id_of(const struct stat& info);
  Id id_of(const std::filesystem::path& path);
  void load(const std::filesystem::path& folder);
  void sync_file(int fd, Node& node);
  std::map<std::string, Id> live_names(const std::filesystem::path& folder);
  void apply(const Move& move);
  void keep_some_below(const std::filesystem::path& folder, Entropy& chance);
  void write_folder(const std::filesystem::path& folder, const Node& node,
                    std::map<Id, std::filesystem::path>& written);
  void write_file(const std::filesystem::path& path, const Node& node);

  std::filesystem::path root_;
  std::map<ino_t, Id> ids_;
  std::map<Id, Node> synced_;
  std::vector<Move> moves_;
  Id next_ = 1;
};

}  // namespace apus::testing
