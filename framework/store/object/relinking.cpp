#include "framework/store/object/relinking.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "framework/store/object/partition.h"

namespace apus {
namespace {

using Names = std::vector<std::string>;

// 0 and the names once what is obsolete is gone, none for a folder that is not there; or errno.
int tidy_names(const ObjectStore& store, const ObjectPlace& place, Names& names) {
  store.clean_up(place);
  names.clear();
  if (store.disk().list(place.folder(), names) || errno == ENOENT) return 0;
  return errno;
}

// What both folders together make needless is not carried over; what nobody knows is.
Names needed_of(const Names& old_names, const Names& new_names) {
  Names both = new_names;
  both.insert(both.end(), old_names.begin(), old_names.end());
  std::sort(both.begin(), both.end());
  both.erase(std::unique(both.begin(), both.end()), both.end());
  const Names obsolete = choose_files(both).obsolete;
  Names out;
  for (const std::string& name : old_names) {
    if (std::find(obsolete.begin(), obsolete.end(), name) == obsolete.end()) out.push_back(name);
  }
  return out;
}

// 0 when the file has the new name, then `made` tells whether it was given now, or when it is gone;
// else errno.
int link_file(Disk& disk, const std::string& file, const std::string& to, bool& made) {
  const Fd fd(disk, disk.open(file, O_RDONLY));
  if (!fd) return errno == ENOENT ? 0 : errno;
  if (disk.link_fd(fd.get(), to) == 0) {
    made = true;
    return 0;
  }
  const int error = errno;
  struct stat here {};
  struct stat there {};
  const bool same = error == EEXIST && disk.fstat(fd.get(), here) == 0 &&
                    disk.stat(to, there) == 0 && here.st_ino == there.st_ino;
  return same ? 0 : error;
}

class Relinking {
 public:
  Relinking(const ObjectStore& store, Logger& log, const ObjectPlace& from, const ObjectPlace& to,
            bool clean_up, RelinkCounts& counts)
      : store_(store),
        log_(log),
        from_(from),
        to_(to),
        clean_up_(clean_up),
        step_(clean_up ? "Relinking (cleanup)" : "Relinking"),
        counts_(counts) {}

  bool run() {
    ++counts_.hash_dirs;
    Names old_names;
    Names new_names;
    // The new folder first: what was cleaned there is then never missed because the old still has
    // it.
    int error = tidy_names(store_, to_, new_names);
    if (error == 0) error = tidy_names(store_, from_, old_names);
    if (error != 0) {
      failed("cannot list " + from_.folder() + " or " + to_.folder(), error);
      return false;
    }
    const bool whole = link_all(needed_of(old_names, new_names));
    if (linked_) invalidate(to_);
    if (clean_up_ && whole && !old_names.empty()) remove_all(old_names);
    return linked_;
  }

 private:
  void failed(const std::string& what, int error) {
    log_.warning("Error " + step_ + ": " + what + ": " + std::strerror(error));
    ++counts_.errors;
  }

  bool link_all(const Names& names) {
    if (names.empty()) return true;
    if (const int error = make_folders(store_.disk(), to_.folder(), true)) {
      failed("cannot make " + to_.folder(), error);
      return false;
    }
    bool whole = true;
    for (const std::string& name : names) whole = link(name) && whole;
    if (!linked_ && !clean_up_) return whole;
    if (const int error = sync_folder(store_.disk(), to_.folder())) {
      failed("cannot sync " + to_.folder(), error);
      return false;
    }
    return whole;
  }

  bool link(const std::string& name) {
    ++counts_.files;
    const std::string file = from_.folder() + "/" + name;
    const std::string target = to_.folder() + "/" + name;
    bool made = false;
    const int error = link_file(store_.disk(), file, target, made);
    if (made) {
      log_.debug(step_ + " created link: " + file + " to " + target);
      ++counts_.linked;
      linked_ = true;
    } else if (error == EEXIST && name.ends_with(".ts")) {
      log_.debug(step_ + ": tombstones with the same timestamp: " + file + " and " + target);
    } else if (error != 0) {
      failed("failed to relink " + file + " to " + target, error);
      return false;
    }
    return true;
  }

  void remove_all(const Names& names) {
    bool removed = false;
    for (const std::string& name : names) {
      const std::string file = from_.folder() + "/" + name;
      if (store_.disk().unlink(file) != 0) {
        failed("cannot remove " + file, errno);
        continue;
      }
      log_.debug("Removed " + file);
      ++counts_.removed;
      removed = true;
    }
    if (removed) invalidate(from_);
  }

  // Not counted: the names are right, and a later pass would have nothing to do.
  void invalidate(const ObjectPlace& place) {
    if (const int error = store_.invalidate(place, place.suffix()))
      log_.warning("Error invalidating suffix for " + place.folder() + ": " + std::strerror(error));
  }

  const ObjectStore& store_;
  Logger& log_;
  const ObjectPlace& from_;
  const ObjectPlace& to_;
  bool clean_up_;
  std::string step_;
  RelinkCounts& counts_;
  bool linked_ = false;
};

}  // namespace

bool relink_object(const ObjectStore& store, Logger& log, const ObjectPlace& from,
                   const ObjectPlace& to, bool clean_up, RelinkCounts& counts) {
  return Relinking(store, log, from, to, clean_up, counts).run();
}

}  // namespace apus
