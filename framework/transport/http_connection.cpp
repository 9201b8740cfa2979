#include "framework/transport/http_connection.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace apus::http {
namespace {

TransportError connect_error_of(const Endpoint& endpoint, const std::string& why) {
  return {TransportError::Kind::kConnect,
          "connect to " + endpoint.ip + ":" + std::to_string(endpoint.port) + ": " + why};
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Address resolve(const Endpoint& endpoint) {
  Address out;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  in6_addr probe{};
  const char* ip = endpoint.ip.c_str();
  // Rings carry addresses; only a name is worth a resolver.
  if (::inet_pton(AF_INET, ip, &probe) == 1 || ::inet_pton(AF_INET6, ip, &probe) == 1) {
    hints.ai_flags |= AI_NUMERICHOST;
  }
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(ip, std::to_string(endpoint.port).c_str(), &hints, &found);
  if (code != 0) throw connect_error_of(endpoint, ::gai_strerror(code));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  out.size = found->ai_addrlen;
  std::copy_n(reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen,
              reinterpret_cast<char*>(&out.storage));
  return out;
}

}  // namespace

ClientConnection::ClientConnection(const Endpoint& endpoint_in) : endpoint(endpoint_in) {
  const Address address = resolve(endpoint);
  fd_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) throw connect_error_of(endpoint, std::generic_category().message(errno));
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto* target = reinterpret_cast<const sockaddr*>(&address.storage);
  if (::connect(fd_, target, address.size) != 0 && errno != EINPROGRESS && errno != EINTR) {
    const int code = errno;
    ::close(fd_);
    throw connect_error_of(endpoint, std::generic_category().message(code));
  }
}

ClientConnection::~ClientConnection() { ::close(fd_); }

int ClientConnection::connect_error() const {
  int code = 0;
  socklen_t size = sizeof code;
  if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &size) != 0) return errno;
  return code;
}

bool ClientConnection::is_quiet() const {
  char byte = 0;
  const ssize_t count = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return in.empty() && count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

std::unique_ptr<ClientConnection> ConnectionPool::pop(const Endpoint& endpoint) {
  const std::lock_guard lock(mutex_);
  const auto at = idle_.find(Key(endpoint.ip, endpoint.port));
  if (at == idle_.end() || at->second.empty()) return nullptr;
  auto connection = std::move(at->second.back());
  at->second.pop_back();
  return connection;
}

std::unique_ptr<ClientConnection> ConnectionPool::take(const Endpoint& endpoint) {
  while (auto connection = pop(endpoint)) {
    const bool young = Steady::now() - connection->idle_since < max_age_;
    if (young && connection->is_quiet()) return connection;
  }
  return nullptr;
}

void ConnectionPool::give(std::unique_ptr<ClientConnection> connection) {
  if (!connection->in.empty()) return;  // bytes nobody asked for
  connection->in.rest();
  connection->reused = true;
  connection->idle_since = Steady::now();
  std::unique_ptr<ClientConnection> oldest;  // closed without the lock
  const std::lock_guard lock(mutex_);
  auto& list = idle_[Key(connection->endpoint.ip, connection->endpoint.port)];
  if (list.size() >= max_idle_ && !list.empty()) {
    oldest = std::move(list.front());
    list.erase(list.begin());
  }
  if (max_idle_ > 0) list.push_back(std::move(connection));
}

std::size_t ConnectionPool::idle() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [key, list] : idle_) count += list.size();
  return count;
}

}  // namespace apus::http
