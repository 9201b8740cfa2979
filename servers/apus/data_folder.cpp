#include "servers/apus/data_folder.h"

#include <apus/digest.h>
#include <apus/text.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "framework/conf/swift_conf_reader.h"
#include "framework/ring/builder.h"
#include "servers/apus/conf_editor.h"
#include "servers/apus/embedded_confs.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

constexpr int kPartPower = 10;
constexpr int kObjectPort = 6200;
constexpr int kContainerPort = 6201;
constexpr int kAccountPort = 6202;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) fail("cannot read " + path.string());
  return text.str();
}

// Whole and on the disk, or not there: a crash leaves the old file.
void write_file(const fs::path& path, std::string_view text, mode_t mode) {
  const fs::path fresh = path.string() + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) fail("cannot write " + fresh.string());
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  if (::close(fd) != 0 || !written) fail("cannot write " + fresh.string());
  fs::rename(fresh, path);
}

int lock_folder(const fs::path& folder) {
  const fs::path path = folder / ".lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) fail("cannot open " + path.string());
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    throw std::invalid_argument("--data " + folder.string() +
                                ": another apus serves this folder; stop it or name another one");
  }
  return fd;
}

std::string user_option(const UserSpec& user) {
  const bool plain =
      user.account.find('_') == std::string::npos && user.user.find('_') == std::string::npos;
  if (plain) return "user_" + user.account + "_" + user.user;
  const auto encode = [](const std::string& name) {
    std::string text = base64_encode(name);
    text.erase(std::min(text.find('='), text.size()));
    return text;
  };
  return "user64_" + encode(user.account) + "_" + encode(user.user);
}

std::string user_value(const UserSpec& user) {
  std::string value = user.key;
  for (const std::string& group : user.groups) value += " " + group;
  return value;
}

// Devices are folders of the data folder, or links in it to the folders that were named.
std::vector<std::string> make_devices(const fs::path& root, const std::vector<std::string>& asked) {
  const fs::path devices = root / "devices";
  fs::create_directories(devices);
  std::vector<std::string> names;
  const auto count = asked.size() == 1 ? parse_digits(asked.front()) : std::nullopt;
  if (asked.empty() || count) {
    const std::int64_t wanted = count.value_or(1);
    if (wanted < 1 || wanted > 1000) {
      throw std::invalid_argument("--devices " + asked.front() +
                                  ": a number from 1 to 1000, or paths");
    }
    for (std::int64_t i = 1; i <= wanted; ++i) names.push_back("d" + std::to_string(i));
    for (const std::string& name : names) fs::create_directories(devices / name);
    return names;
  }
  for (const std::string& path : asked) {
    if (!fs::is_directory(path)) {
      throw std::invalid_argument("--devices " + path + ": no such folder");
    }
    names.push_back("d" + std::to_string(names.size() + 1));
    const fs::path link = devices / names.back();
    fs::remove(link);
    fs::create_directory_symlink(fs::canonical(path), link);
  }
  return names;
}

void make_ring(const fs::path& folder, const std::string& name, int port, double replicas,
               const std::vector<std::string>& devices) {
  RingBuilder builder(kPartPower, replicas, 1);
  for (const std::string& device : devices) {
    RingDevice entry;
    entry.ip = "127.0.0.1";
    entry.port = port;
    entry.device = device;
    entry.zone = 1;
    entry.weight = 100;
    builder.add(entry);
  }
  builder.rebalance("");
  builder.save_ring((folder / (name + ".ring.gz")).string());
}

// What swift.conf takes, told in the words of the command line.
void check_policies(const std::vector<std::string>& names) {
  static constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
  for (const std::string& name : names) {
    if (name.empty() || name.find_first_not_of(kLetters) != std::string::npos)
      throw std::invalid_argument("--policy '" + name + "': letters, digits and '-' only");
  }
}

// Throws std::invalid_argument when there can be no such folder.
void make_root(const fs::path& root) {
  std::error_code error;
  fs::create_directories(root, error);
  if (error)
    throw std::invalid_argument("--data " + root.string() + ": cannot be made: " + error.message());
}

std::string object_ring_name(std::size_t policy) {
  return policy == 0 ? "object" : "object-" + std::to_string(policy);
}

}  // namespace

UserSpec UserSpec::parse(std::string_view text) {
  const std::string shown = "--user " + std::string(text.substr(0, text.find(':')));
  UserSpec out;
  std::vector<std::string> pieces = split_list(text, ':');
  if (pieces.size() < 3) {
    throw std::invalid_argument(shown + ":...: expected ACCOUNT:USER:KEY[:GROUP]...");
  }
  for (const std::string& piece : pieces) {
    if (piece.find_first_of(" \t\r\n,") != std::string::npos) {
      throw std::invalid_argument(shown + ":...: no part may hold blanks or commas");
    }
  }
  out.account = pieces[0];
  out.user = pieces[1];
  out.key = pieces[2];
  out.groups.assign(pieces.begin() + 3, pieces.end());
  if (out.groups.empty()) out.groups.emplace_back(".admin");
  return out;
}

DataFolder::DataFolder(const UpRequest& request, Entropy& entropy)
    : root_(fs::absolute(request.folder)), confs_(root_ / "etc") {
  make_root(root_);
  lock_ = lock_folder(root_);
  try {
    if (!fs::exists(confs_ / "swift.conf")) create(request, entropy);
    apply(request);
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

DataFolder::~DataFolder() { ::close(lock_); }

void DataFolder::create(const UpRequest& request, Entropy& entropy) {
  check_policies(request.policies);
  const fs::path fresh = root_ / "etc.new";
  fs::remove_all(fresh);
  fs::create_directories(fresh);
  for (const char* name : {"log", "recon"}) fs::create_directories(root_ / name);

  const std::vector<std::string> devices = make_devices(root_, request.devices);
  const int replicas = request.replicas.value_or(1);
  if (replicas < 1 || static_cast<std::size_t>(replicas) > devices.size()) {
    throw std::invalid_argument("--replicas " + std::to_string(replicas) + ": from 1 to the " +
                                std::to_string(devices.size()) + " device(s) there are");
  }
  make_ring(fresh, "account", kAccountPort, replicas, devices);
  make_ring(fresh, "container", kContainerPort, replicas, devices);
  const std::size_t policies = std::max<std::size_t>(1, request.policies.size());
  for (std::size_t i = 0; i < policies; ++i) {
    make_ring(fresh, object_ring_name(i), kObjectPort, replicas, devices);
  }

  for (const EmbeddedConf& conf : embedded_confs()) {
    ConfEditor editor(conf.text);
    if (conf.name == "swift.conf") {
      editor.set("swift-hash", "swift_hash_path_suffix", entropy.hex(32));
      for (std::size_t i = 0; i < request.policies.size(); ++i) {
        const std::string section = "storage-policy:" + std::to_string(i);
        editor.set(section, "name", request.policies[i]);
        if (i == 0) editor.set(section, "default", "yes");
      }
    }
    if (conf.name == "proxy-server.conf" && request.users.empty()) {
      user_ = UserSpec{"apus", "admin", entropy.hex(16), {".admin"}};
      editor.set("filter:tempauth", user_option(user_), user_value(user_));
    }
    write_file(fresh / conf.name, editor.text(), conf.name == "proxy-server.conf" ? 0600 : 0644);
  }
  load_swift_conf(fresh.string());  // what does not fit together is refused before it is kept
  fs::remove_all(confs_);
  fs::rename(fresh, confs_);
}

void DataFolder::apply(const UpRequest& request) {
  const fs::path path = confs_ / "proxy-server.conf";
  const std::string before = read_file(path);
  ConfEditor editor(before);
  if (request.bind_ip) editor.set("DEFAULT", "bind_ip", *request.bind_ip);
  if (request.bind_port) editor.set("DEFAULT", "bind_port", std::to_string(*request.bind_port));
  for (const UserSpec& user : request.users) {
    editor.set("filter:tempauth", user_option(user), user_value(user));
  }
  if (editor.text() != before) write_file(path, editor.text(), 0600);
  if (!request.users.empty()) user_ = request.users.front();
}

}  // namespace apus
