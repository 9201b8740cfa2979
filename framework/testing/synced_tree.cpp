#include "framework/testing/synced_tree.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace apus::testing {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void broken(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

struct stat info_of(const fs::path& path) {
  struct stat out {};
  if (::lstat(path.c_str(), &out) != 0) broken(path.string());
  return out;
}

// A descriptor for as long as a function needs it.
class Opened {
 public:
  Opened(const fs::path& path, int flags, mode_t mode = 0)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (fd_ < 0) broken(path.string());
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() { ::close(fd_); }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::string bytes_of(int fd) {
  std::string out;
  std::array<char, 65536> piece;
  ssize_t count = 0;
  while ((count = ::pread(fd, piece.data(), piece.size(), static_cast<off_t>(out.size()))) > 0)
    out.append(piece.data(), static_cast<std::size_t>(count));
  if (count < 0) broken("read");
  return out;
}

std::map<std::string, std::string> xattrs_of(int fd) {
  std::map<std::string, std::string> out;
  const ssize_t size = ::flistxattr(fd, nullptr, 0);
  if (size <= 0) return out;
  std::string names(static_cast<std::size_t>(size), '\0');
  if (::flistxattr(fd, names.data(), names.size()) != size) broken("flistxattr");
  for (std::size_t at = 0; at < names.size(); at = names.find('\0', at) + 1) {
    const std::string name(names.c_str() + at);
    if (!name.starts_with("user.")) continue;
    std::string value(65536, '\0');
    const ssize_t length = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    if (length < 0) broken("fgetxattr");
    out[name] = value.substr(0, static_cast<std::size_t>(length));
  }
  return out;
}

}  // namespace

FaultyDisk::Tree::Tree(fs::path root) : root_(std::move(root)) { load(root_); }

FaultyDisk::Tree::Id FaultyDisk::Tree::id_of(const struct stat& info) {
  const auto [at, fresh] = ids_.emplace(info.st_ino, next_);
  if (fresh) {
    Node& node = synced_[next_++];
    node.folder = S_ISDIR(info.st_mode);
    node.mode = info.st_mode & 07777U;
  }
  return at->second;
}

FaultyDisk::Tree::Id FaultyDisk::Tree::id_of(const fs::path& path) { return id_of(info_of(path)); }

void FaultyDisk::Tree::made(const struct stat& info) { ids_.erase(info.st_ino); }

void FaultyDisk::Tree::load(const fs::path& folder) {
  synced_[id_of(folder)].names = live_names(folder);
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) {
      load(entry.path());
    } else if (entry.is_regular_file()) {
      const Opened file(entry.path(), O_RDONLY);
      sync(file.get());
    }
  }
}

std::map<std::string, FaultyDisk::Tree::Id> FaultyDisk::Tree::live_names(const fs::path& folder) {
  std::map<std::string, Id> out;
  for (const auto& entry : fs::directory_iterator(folder))
    out[entry.path().filename().string()] = id_of(entry.path());
  return out;
}

void FaultyDisk::Tree::sync_file(int fd, Node& node) {
  // The caller's descriptor may be for writing only.
  const Opened again("/proc/self/fd/" + std::to_string(fd), O_RDONLY);
  node.bytes = bytes_of(again.get());
  node.xattrs = xattrs_of(again.get());
}

void FaultyDisk::Tree::sync(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) broken("fstat");
  const Id id = id_of(info);
  Node& node = synced_[id];
  node.mode = info.st_mode & 07777U;
  if (!node.folder) {
    sync_file(fd, node);
    return;
  }
  const auto touches = [&](const Move& move) {
    return move.from_folder == id || move.to_folder == id;
  };
  for (const Move& move : moves_) {
    if (touches(move)) apply(move);
  }
  std::erase_if(moves_, touches);
  synced_[id].names = live_names("/proc/self/fd/" + std::to_string(fd));
}

void FaultyDisk::Tree::moved(const std::string& from, const std::string& to) {
  const fs::path source(from);
  const fs::path target(to);
  moves_.push_back({id_of(source.parent_path()), source.filename().string(),
                    id_of(target.parent_path()), target.filename().string(), id_of(target)});
}

void FaultyDisk::Tree::apply(const Move& move) {
  auto& left = synced_[move.from_folder].names;
  const auto at = left.find(move.from);
  if (at != left.end() && at->second == move.what) left.erase(at);
  synced_[move.to_folder].names[move.to] = move.what;
}

void FaultyDisk::Tree::keep_some(Entropy& chance) {
  for (const Move& move : moves_) {
    if (chance.below(2) == 0) apply(move);
  }
  moves_.clear();
  keep_some_below(root_, chance);
}

void FaultyDisk::Tree::keep_some_below(const fs::path& folder, Entropy& chance) {
  const auto live = live_names(folder);
  auto& names = synced_[id_of(folder)].names;
  for (const auto& [name, id] : live) {
    const auto at = names.find(name);
    if ((at == names.end() || at->second != id) && chance.below(2) == 0) names[name] = id;
  }
  std::erase_if(names, [&](const auto& entry) {
    return !live.contains(entry.first) && chance.below(2) == 0;
  });
  for (const auto& [name, id] : live) {
    const fs::path path = folder / name;
    if (synced_[id].folder) {
      keep_some_below(path, chance);
      continue;
    }
    const std::uint64_t fate = chance.below(3);
    if (fate == 0) continue;
    const Opened file(path, O_RDONLY);
    const std::string before = synced_[id].bytes;
    sync_file(file.get(), synced_[id]);
    // A part of the new bytes, where there are more of them than before.
    std::string& bytes = synced_[id].bytes;
    if (fate == 2 && bytes.size() > before.size())
      bytes.resize(before.size() + chance.below(bytes.size() - before.size()));
  }
}

void FaultyDisk::Tree::restore() {
  for (const auto& entry : fs::directory_iterator(root_)) fs::remove_all(entry.path());
  std::map<Id, fs::path> written;
  write_folder(root_, synced_[id_of(root_)], written);
  ids_.clear();
  synced_.clear();
  moves_.clear();
  load(root_);
}

void FaultyDisk::Tree::write_folder(const fs::path& folder, const Node& node,
                                    std::map<Id, fs::path>& written) {
  for (const auto& [name, id] : node.names) {
    const fs::path path = folder / name;
    const Node& child = synced_.at(id);
    const auto before = written.find(id);
    if (before != written.end() && !child.folder) {
      fs::create_hard_link(before->second, path);
    } else if (child.folder) {
      if (::mkdir(path.c_str(), child.mode) != 0) broken(path.string());
      write_folder(path, child, written);
    } else {
      write_file(path, child);
    }
    written.emplace(id, path);
  }
}

void FaultyDisk::Tree::write_file(const fs::path& path, const Node& node) {
  const Opened file(path, O_WRONLY | O_CREAT | O_EXCL, node.mode);
  std::string_view left(node.bytes);
  while (!left.empty()) {
    const ssize_t count = ::write(file.get(), left.data(), left.size());
    if (count < 0) broken(path.string());
    left.remove_prefix(static_cast<std::size_t>(count));
  }
  for (const auto& [name, value] : node.xattrs) {
    if (::fsetxattr(file.get(), name.c_str(), value.data(), value.size(), 0) != 0)
      broken(path.string());
  }
}

}  // namespace apus::testing
