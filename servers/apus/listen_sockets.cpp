#include "servers/apus/listen_sockets.h"

#include <apus/digest.h>
#include <apus/disk.h>
#include <apus/text.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "framework/conf/server_options.h"

namespace apus {
namespace {

using std::chrono::milliseconds;

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses resolve(const std::string& ip, const std::string& port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(ip.c_str(), port.c_str(), &wanted, &found);
  if (error != 0) throw std::runtime_error("bind_ip: '" + ip + "': " + ::gai_strerror(error));
  return {found, &::freeaddrinfo};
}

// A socket, or -1 with errno.
int try_listen(const addrinfo& address, int backlog) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, address.ai_addr, address.ai_addrlen) == 0 && ::listen(fd, backlog) == 0) return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

int listen_on(const Options& options) {
  const std::string ip = options.text("bind_ip");
  const std::string port = options.text("bind_port");
  const Addresses addresses = resolve(ip, port);
  const auto end = std::chrono::steady_clock::now() + options.seconds("bind_timeout");
  while (true) {
    const int fd = try_listen(*addresses, static_cast<int>(options.integer("backlog")));
    if (fd >= 0) return fd;
    if (errno != EADDRINUSE || std::chrono::steady_clock::now() >= end) {
      throw std::runtime_error("cannot listen on " + ip + ":" + port + ": " +
                               std::generic_category().message(errno));
    }
    std::this_thread::sleep_for(milliseconds(100));
  }
}

}  // namespace

std::vector<ListenPlace> listen_places(const std::vector<std::filesystem::path>& confs,
                                       std::vector<ConfProblem>& problems) {
  std::vector<ListenPlace> out;
  const auto specs = server_options();
  for (const auto& path : confs) {
    const ConfFile file = read_conf(path, problems);
    if (file.sections.empty() && any_fatal(problems)) continue;  // told, and nothing else is to be
    const PasteConf conf = resolve_paste(file, problems);
    ListenPlace place{path, Options(path.stem().string(), specs.data(), specs.size(), conf.server)};
    for (const Options::Problem& problem : place.options.check()) {
      if (!problem.fatal) continue;
      const Origin whole{conf.file.path.string(), 0, "DEFAULT"};
      problems.push_back({true, problem.origin.file.empty() ? whole : problem.origin,
                          problem.option, problem.message});
    }
    out.push_back(std::move(place));
  }
  return out;
}

ListeningSockets open_sockets(const std::vector<ListenPlace>& places, ListeningSockets had) {
  ListeningSockets out;
  std::map<std::string, Fd> bound;  // closed again when one of them cannot be had
  for (const ListenPlace& place : places) {
    if (!place.options.flag("listen")) continue;
    const std::string key = Served::key(place.conf, place.options);
    const auto at = had.find(key);
    if (at == had.end()) {
      bound.emplace(key, Fd(real_disk(), listen_on(place.options)));
      continue;
    }
    out[key] = at->second;
    had.erase(at);
  }
  for (auto& [key, fd] : bound) out[key] = fd.release();
  for (const auto& [key, fd] : had) ::close(fd);
  return out;
}

std::string pack_sockets(const ListeningSockets& sockets) {
  std::string out;
  for (const auto& [key, fd] : sockets) {
    ::fcntl(fd, F_SETFD, 0);
    out += to_hex(key) + "=" + std::to_string(fd) + ";";
  }
  return out;
}

ListeningSockets unpack_sockets(const std::string& text) {
  ListeningSockets out;
  for (const std::string& entry : split_list(text, ';')) {
    const std::size_t at = entry.find('=');
    if (at == std::string::npos) continue;
    const auto key = from_hex(entry.substr(0, at));
    const auto fd = parse_digits(entry.substr(at + 1));
    if (!key || !fd || ::fcntl(static_cast<int>(*fd), F_SETFD, FD_CLOEXEC) != 0) continue;
    out[*key] = static_cast<int>(*fd);
  }
  return out;
}

}  // namespace apus
