// The system calls of one object PUT and nothing else, from several threads: what the disk can
// give. usage: bench_raw_disk FOLDER THREADS COUNT BYTES; prints one JSON line.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

void must(bool good, const char* what) {
  if (!good) throw std::system_error(errno, std::generic_category(), what);
}

void sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  must(fd >= 0 && ::fsync(fd) == 0, "fsync of a folder");
  ::close(fd);
}

// Partition folders are there; suffix and hash folder are new, as for almost every new object.
void put(const std::string& part, long number, const std::string& body, const std::string& meta) {
  char name[40];
  std::snprintf(name, sizeof name, "%032lx", static_cast<unsigned long>(number) * 2654435761UL);
  const std::string suffix = part + "/" + std::string(name + 29, 3);
  const std::string hash = suffix + "/" + name;
  const bool fresh_suffix = ::mkdir(suffix.c_str(), 0755) == 0;
  must(::mkdir(hash.c_str(), 0755) == 0, "mkdir");
  const int fd = ::open(hash.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
  must(fd >= 0, "open O_TMPFILE");
  must(::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(body.size())) == 0, "fallocate");
  must(::write(fd, body.data(), body.size()) == static_cast<ssize_t>(body.size()), "write");
  must(::fsetxattr(fd, "user.swift.metadata", meta.data(), meta.size(), 0) == 0, "fsetxattr");
  must(::fsetxattr(fd, "user.swift.metadata_checksum", name, 32, 0) == 0, "fsetxattr");
  must(::fsync(fd) == 0, "fsync");
  const int journal =
      ::open((part + "/hashes.invalid").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  must(journal >= 0 && ::write(journal, name, 4) == 4, "journal");
  ::close(journal);
  const std::string from = "/proc/self/fd/" + std::to_string(fd);
  must(::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, (hash + "/1795382000.00000.data").c_str(),
                AT_SYMLINK_FOLLOW) == 0,
       "linkat");
  ::close(fd);
  sync_folder(hash);
  sync_folder(suffix);
  if (fresh_suffix) sync_folder(part);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) throw std::invalid_argument("usage: bench_raw_disk FOLDER THREADS COUNT BYTES");
  const std::string folder = argv[1];
  const int threads = std::stoi(argv[2]);
  const long count = std::stol(argv[3]);
  const std::string body(std::stoul(argv[4]), 'a');
  const std::string meta(300, 'm');
  std::vector<std::string> parts;
  for (int i = 0; i < 1024; ++i) {
    parts.push_back(folder + "/" + std::to_string(i));
    must(::mkdir(parts.back().c_str(), 0755) == 0 || errno == EEXIST, "mkdir");
  }
  std::atomic<long> next{0};
  const auto start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> pool;
    for (int t = 0; t < threads; ++t) {
      pool.emplace_back([&] {
        for (long n = next++; n < count; n = next++)
          put(parts[static_cast<std::size_t>(n) % 1024], n, body, meta);
      });
    }
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("{\"seconds\": %.4f, \"rate\": %.1f}\n", seconds,
              static_cast<double>(count) / seconds);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "raw_disk: %s\n", error.what());
  return 2;
}
