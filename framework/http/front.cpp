#include "framework/http/front.h"

#include <Poco/Exception.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <Poco/Net/TCPServerParams.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <vector>

#include "framework/http/connection.h"

namespace apus::http {
namespace {

using Poco::Net::StreamSocket;
using std::chrono::milliseconds;

constexpr milliseconds kAcceptPause{100};
constexpr int kThreadIdleSeconds = 10;
// For a request on its way when a server is told to stop.
constexpr milliseconds kIdleGrace{1000};
// For a client to finish what it sends after its answer: a browser reads none before it has sent
// all, and a close in front of unread bytes is a reset that overtakes the answer.
constexpr milliseconds kGoodbyeIdle{5000};  // between two pieces
constexpr milliseconds kGoodbye{30000};     // in all
constexpr milliseconds kLastGoodbye{500};   // in all, of a server that stops

class Factory final : public Poco::Net::TCPServerConnectionFactory {
 public:
  Factory(Service& service, Front& front) : service_(service), front_(front) {}
  Poco::Net::TCPServerConnection* createConnection(const StreamSocket& ticket) override {
    return new Connection(ticket, front_.claim(ticket), service_, front_);
  }

 private:
  Service& service_;
  Front& front_;
};

Poco::Net::TCPServerParams::Ptr make_params(const ListenerConf& conf) {
  Poco::Net::TCPServerParams::Ptr params = new Poco::Net::TCPServerParams;
  params->setMaxThreads(conf.threads);
  params->setMaxQueued(conf.max_clients + 1);
  params->setThreadIdleTime(Poco::Timespan(kThreadIdleSeconds, 0));
  return params;
}

void watch(int epoll, int operation, int fd, std::uint32_t events, void* key) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = key;
  if (::epoll_ctl(epoll, operation, fd, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

// Accepted sockets have it from the listening one.
void probe_silent_peers(int listener, std::chrono::seconds idle) {
  const int on = 1;
  const auto seconds = static_cast<int>(idle.count());
  ::setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(listener, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
}

}  // namespace

Front::Front(Service& service, const Poco::Net::ServerSocket& listener, Poco::Net::Context::Ptr tls)
    : service_(service),
      listener_(listener),
      tls_(std::move(tls)),
      secure_(!tls_.isNull()),
      pool_(2, std::max(service.conf.threads, 2) + 1, kThreadIdleSeconds),
      dispatcher_(new Poco::Net::TCPServerDispatcher(new Factory(service, *this), pool_,
                                                     make_params(service.conf))),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (epoll_ < 0 || wake_ < 0) {
    throw std::system_error(errno, std::generic_category(), "epoll or eventfd");
  }
  listener_.setBlocking(false);
  probe_silent_peers(listener_.impl()->sockfd(), service.conf.keep_idle);
  watch(epoll_, EPOLL_CTL_ADD, wake_, EPOLLIN, &wake_);
  watch(epoll_, EPOLL_CTL_ADD, listener_.impl()->sockfd(), EPOLLIN, &listener_);
}

// NOLINTNEXTLINE(bugprone-exception-escape): as in the header
Front::~Front() {
  stop(std::chrono::seconds(0));
  ::close(epoll_);
  ::close(wake_);
}

void Front::start() {
  if (started_) return;
  started_ = true;
  thread_ = std::thread([this] { loop(); });
}

void Front::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t count = ::write(wake_, &one, sizeof one);
}

std::string Front::new_trans_id() {
  std::array<char, 16> time{};
  std::snprintf(time.data(), time.size(), "%010llx",
                static_cast<unsigned long long>(service_.host.clock().now()));
  return "tx" + service_.host.entropy().hex(11).substr(0, 21) + "-" + time.data();
}

bool Front::crowded() const { return dispatcher_->queuedConnections() > 0; }

int Front::busy() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(working_.size());
}

void Front::park(std::unique_ptr<Link> link) {
  const bool ready = !link->closing && link->wire.pending();
  const std::lock_guard lock(mutex_);
  working_.erase(link.get());
  if (service_.stopping) return;
  Link* key = link.get();
  if (!key->in_head && !key->closing) key->deadline = std::min(key->deadline, idle_until_);
  const bool earlier = timers_.empty() || key->deadline < timers_.begin()->first;
  const int operation = key->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  // A socket that can be written is ready at once: the way to be woken for bytes OpenSSL holds.
  const std::uint32_t events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT | (ready ? EPOLLOUT : 0U);
  epoll_event event{};
  event.events = events;
  event.data.ptr = key;
  if (::epoll_ctl(epoll_, operation, key->wire.fd(), &event) != 0) return;  // the link dies here
  key->registered = true;
  timers_.emplace(key->deadline, key);
  sleeping_.emplace(key, std::move(link));
  if (earlier) wake();
}

void Front::see_off(std::unique_ptr<Link> link) {
  if (!link->wire.half_close()) return forget(*link);
  link->closing = true;
  const auto now = Steady::now();
  link->leave_at = now + (service_.draining ? kLastGoodbye : kGoodbye);
  link->deadline = std::min(link->leave_at, now + kGoodbyeIdle);
  park(std::move(link));
}

// A piece at a time: one client that goes on sending holds up no other.
void Front::throw_away(std::unique_ptr<Link> link) {
  const auto now = Steady::now();
  if (!link->wire.throw_away() || now >= link->leave_at) return;
  link->deadline = std::min(link->leave_at, now + kGoodbyeIdle);
  park(std::move(link));
}

void Front::forget(const Link& link) {
  const std::lock_guard lock(mutex_);
  working_.erase(&link);
}

std::unique_ptr<Link> Front::claim(const StreamSocket& ticket) {
  const std::lock_guard lock(mutex_);
  const auto at = handed_.find(ticket.impl());
  if (at == handed_.end()) throw std::logic_error("a ticket without its link");
  std::unique_ptr<Link> link = std::move(at->second);
  handed_.erase(at);
  working_.insert(link.get());
  return link;
}

std::unique_ptr<Link> Front::take(Link* key) {
  const std::lock_guard lock(mutex_);
  const auto at = sleeping_.find(key);
  if (at == sleeping_.end()) return nullptr;
  timers_.erase({key->deadline, key});
  std::unique_ptr<Link> link = std::move(at->second);
  sleeping_.erase(at);
  return link;
}

void Front::dispatch(std::unique_ptr<Link> link) {
  const StreamSocket ticket = link->ticket;
  {
    const std::lock_guard lock(mutex_);
    handed_[ticket.impl()] = std::move(link);
  }
  const int refused = dispatcher_->refusedConnections();
  dispatcher_->enqueue(ticket);
  if (dispatcher_->refusedConnections() == refused) return;
  // No thread could be had. Only this thread hands out, so the link is still here.
  {
    const std::lock_guard lock(mutex_);
    const auto at = handed_.find(ticket.impl());
    link = std::move(at->second);
    handed_.erase(at);
  }
  turn_away(link->wire.socket());
}

void Front::woken(Link* key, std::uint32_t events) {
  std::unique_ptr<Link> link = take(key);
  if (!link) return;
  if (link->closing) return throw_away(std::move(link));
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 && !secure_) {
    // Most idle connections end by the client's close: no worker is needed for that.
    char byte = 0;
    if (::recv(link->wire.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) return;
  }
  dispatch(std::move(link));
}

void Front::turn_away(const StreamSocket& socket) {
  static constexpr std::string_view kBusy =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html; charset=UTF-8\r\n"
      "Content-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";
  if (secure_) return;
  const int fd = socket.impl()->sockfd();
  std::array<char, 4096> dropped;
  // What was read before the close cannot turn it into a reset that overtakes the answer.
  [[maybe_unused]] ssize_t count = ::recv(fd, dropped.data(), dropped.size(), MSG_DONTWAIT);
  count = ::send(fd, kBusy.data(), kBusy.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(fd, SHUT_WR);
}

void Front::admit(const StreamSocket& socket) {
  const int fd = socket.impl()->sockfd();
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const StreamSocket speaking =
      secure_ ? Poco::Net::SecureStreamSocket::attach(socket, tls_) : socket;
  auto link = std::make_unique<Link>(speaking, secure_, service_.links);
  link->remote_address = socket.peerAddress().host().toString();
  link->local_address = socket.address().toString();
  link->deadline = Steady::now() + service_.conf.header_timeout;
  park(std::move(link));
}

// True when there may be more to accept. Poco's acceptConnection throws when nobody waits, and its
// sockets would be inherited by child processes.
bool Front::accept_one() {
  const int fd = ::accept4(listener_.impl()->sockfd(), nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      service_.log_error("accept on " + service_.conf.server_name + ": " +
                         std::generic_category().message(errno));
      listen_for(false);
      listen_again_ = Steady::now() + kAcceptPause;
      return false;
    }
    return errno == EINTR || errno == ECONNABORTED || errno == EPROTO;
  }
  try {
    const StreamSocket socket(new Poco::Net::StreamSocketImpl(fd));
    if (service_.links.count() >= service_.conf.max_clients) {
      turn_away(socket);
    } else {
      admit(socket);
    }
  } catch (const Poco::Exception&) {
    // The client is gone already.
  }
  return true;
}

void Front::accept_some() {
  for (int i = 0; i < 64 && accept_one(); ++i) {
  }
}

void Front::listen_for(bool wanted) {
  if (listening_ == wanted) return;
  listening_ = wanted;
  watch(epoll_, EPOLL_CTL_MOD, listener_.impl()->sockfd(), wanted ? EPOLLIN : 0U, &listener_);
}

int Front::next_wait() {
  const std::lock_guard lock(mutex_);
  auto until = Steady::now() + std::chrono::seconds(60);
  if (!timers_.empty()) until = std::min(until, timers_.begin()->first);
  if (!listening_) until = std::min(until, listen_again_);
  const auto left = std::chrono::ceil<milliseconds>(until - Steady::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 60000));
}

void Front::expire() {
  std::vector<std::unique_ptr<Link>> late;
  {
    const std::lock_guard lock(mutex_);
    const auto now = Steady::now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
      Link* key = timers_.begin()->second;
      timers_.erase(timers_.begin());
      const auto at = sleeping_.find(key);
      late.push_back(std::move(at->second));
      sleeping_.erase(at);
    }
  }
  for (auto& link : late) {
    if (!link->closing && !link->in_head) end_idle(std::move(link));
  }
}

// A request that came just now is served; one that crosses the close meets an orderly end.
void Front::end_idle(std::unique_ptr<Link> link) {
  char byte = 0;
  const ssize_t count = ::recv(link->wire.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (count > 0) return dispatch(std::move(link));
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) see_off(std::move(link));
}

void Front::loop() {
  std::array<epoll_event, 256> events;
  while (!service_.stopping) {
    if (service_.draining) leave_listener();
    const int count =
        ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), next_wait());
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (event.data.ptr == &wake_) {
        std::uint64_t sum = 0;
        [[maybe_unused]] const ssize_t got = ::read(wake_, &sum, sizeof sum);
      } else if (event.data.ptr == &listener_) {
        accept_some();
      } else {
        woken(static_cast<Link*>(event.data.ptr), event.events);
      }
    }
    if (!listening_ && Steady::now() >= listen_again_) listen_for(true);
    expire();
  }
}

void Front::close_sleepers() {
  std::unordered_map<Link*, std::unique_ptr<Link>> dead;
  const std::lock_guard lock(mutex_);
  dead.swap(sleeping_);
  timers_.clear();
}

// Who waits in the listening socket when its last owner closes it would be reset. Where a successor
// has it too, it does not matter who takes them.
void Front::leave_listener() {
  {
    const std::lock_guard lock(mutex_);
    if (has_left_) return;
  }
  for (int i = 0; i < service_.conf.backlog && accept_one(); ++i) {
  }
  // The socket may live on in another process: closing it here would not end the watch.
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, listener_.impl()->sockfd(), nullptr);
  listener_.close();
  listening_ = true;
  const std::lock_guard lock(mutex_);
  has_left_ = true;
  left_.notify_all();
}

// Idle links and those that only end end at `idle_until` at the latest.
void Front::hurry(Steady::time_point idle_until) {
  const std::lock_guard lock(mutex_);
  service_.draining = true;
  if (idle_until >= idle_until_) return;
  idle_until_ = idle_until;
  for (const auto& [key, link] : sleeping_) {
    if (key->in_head || key->deadline <= idle_until) continue;
    if (key->closing) key->leave_at = std::min(key->leave_at, idle_until);
    timers_.erase({key->deadline, key});
    key->deadline = idle_until;
    timers_.emplace(idle_until, key);
  }
}

void Front::drain() {
  service_.draining = true;
  if (!started_) return leave_listener();
  wake();
  std::unique_lock lock(mutex_);
  left_.wait(lock, [&] { return has_left_ || service_.stopping; });
}

void Front::stop(std::chrono::seconds grace) {
  const auto deadline = Steady::now() + grace;
  if (grace > std::chrono::seconds(0) && !service_.stopping) {
    hurry(Steady::now() + kIdleGrace);
    drain();
    service_.links.wait_for_none(deadline);
  }
  {
    const std::lock_guard lock(mutex_);
    service_.draining = true;
    if (service_.stopping.exchange(true)) return;
    left_.notify_all();
  }
  wake();
  if (thread_.joinable()) thread_.join();
  if (!has_left_) listener_.close();
  close_sleepers();
  dispatcher_->stop();
  {
    const std::lock_guard lock(mutex_);
    for (const Link* link : working_) ::shutdown(link->wire.fd(), SHUT_RDWR);
  }
  pool_.joinAll();
  const std::lock_guard lock(mutex_);
  handed_.clear();
}

}  // namespace apus::http
