#include "framework/cache/memcached_server.h"

#include <apus/text.h>

#include <stdexcept>

namespace apus {
namespace {

constexpr int kDefaultPort = 11211;

// "HOST[:PORT]", a v6 address in brackets.
std::pair<std::string, int> parse_server(const std::string& name) {
  std::string host = name;
  std::string port;
  const std::size_t bracket = name.starts_with('[') ? name.find(']') : std::string::npos;
  const std::size_t colon = name.find(':', bracket == std::string::npos ? 0 : bracket);
  if (colon != std::string::npos) {
    host = name.substr(0, colon);
    port = name.substr(colon + 1);
  }
  if (bracket != std::string::npos) host = name.substr(1, bracket - 1);
  const auto number = port.empty() ? kDefaultPort : parse_digits(port);
  if (host.empty() || !number || *number < 1 || *number > 65535)
    throw std::runtime_error("memcache_servers: '" + name + "' is not HOST[:PORT]");
  return {host, static_cast<int>(*number)};
}

// Nothing that the server itself said.
bool is_failure(memcached_return_t code) {
  switch (code) {
    case MEMCACHED_FAILURE:
    case MEMCACHED_HOST_LOOKUP_FAILURE:
    case MEMCACHED_CONNECTION_FAILURE:
    case MEMCACHED_CONNECTION_BIND_FAILURE:
    case MEMCACHED_CONNECTION_SOCKET_CREATE_FAILURE:
    case MEMCACHED_WRITE_FAILURE:
    case MEMCACHED_READ_FAILURE:
    case MEMCACHED_UNKNOWN_READ_FAILURE:
    case MEMCACHED_PARTIAL_READ:
    case MEMCACHED_PROTOCOL_ERROR:
    case MEMCACHED_ERRNO:
    case MEMCACHED_FAIL_UNIX_SOCKET:
    case MEMCACHED_MEMORY_ALLOCATION_FAILURE:
    case MEMCACHED_NO_SERVERS:
    case MEMCACHED_TIMEOUT:
    case MEMCACHED_FETCH_NOTFINISHED:
    case MEMCACHED_SERVER_MARKED_DEAD:
    case MEMCACHED_UNKNOWN_STAT_KEY:
    case MEMCACHED_SERVER_TEMPORARILY_DISABLED:
    case MEMCACHED_IN_PROGRESS:
      return true;
    default:
      return false;
  }
}

}  // namespace

MemcachedServer::MemcachedServer(std::string name, const MemcachedConf& conf, Clock& clock,
                                 Logger& log)
    : name_(std::move(name)), conf_(conf), clock_(clock), log_(log) {
  std::tie(host_, port_) = parse_server(name_);
}

bool MemcachedServer::usable() {
  const std::lock_guard lock(mutex_);
  return rests_until_ <= clock_.now();
}

MemcachedConnection MemcachedServer::connect() const {
  MemcachedConnection out(memcached_create(nullptr));
  if (!out) throw std::bad_alloc();
  const auto set = [&](memcached_behavior_t behavior, std::int64_t value) {
    memcached_behavior_set(out.get(), behavior, static_cast<std::uint64_t>(value));
  };
  set(MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
  set(MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, conf_.connect_timeout.count());
  set(MEMCACHED_BEHAVIOR_POLL_TIMEOUT, conf_.io_timeout.count());
  set(MEMCACHED_BEHAVIOR_SND_TIMEOUT, conf_.io_timeout.count() * 1000);
  set(MEMCACHED_BEHAVIOR_RCV_TIMEOUT, conf_.io_timeout.count() * 1000);
  // A failed connection is thrown away: whether to try again is decided here.
  set(MEMCACHED_BEHAVIOR_RETRY_TIMEOUT, 0);
  set(MEMCACHED_BEHAVIOR_SERVER_FAILURE_LIMIT, 0);
  set(MEMCACHED_BEHAVIOR_AUTO_EJECT_HOSTS, 0);
  memcached_server_add(out.get(), host_.c_str(), static_cast<in_port_t>(port_));
  return out;
}

// Null when none came free in time.
MemcachedConnection MemcachedServer::take() {
  std::unique_lock lock(mutex_);
  const bool free = returned_.wait_for(
      lock, conf_.pool_timeout, [this] { return !idle_.empty() || open_ < conf_.max_connections; });
  if (!free) return nullptr;
  if (!idle_.empty()) {
    MemcachedConnection out = std::move(idle_.back());
    idle_.pop_back();
    return out;
  }
  ++open_;
  return connect();
}

// A null connection is one that was thrown away.
void MemcachedServer::give_back(MemcachedConnection connection) {
  {
    const std::lock_guard lock(mutex_);
    if (connection) {
      idle_.push_back(std::move(connection));
    } else {
      --open_;
    }
  }
  returned_.notify_one();
}

void MemcachedServer::failed(const std::string& what) {
  log_.error(what);
  const double interval = conf_.error_suppression_interval;
  if (interval <= 0) return;
  const double now = clock_.now();
  const std::lock_guard lock(mutex_);
  errors_.push_back(now);
  if (static_cast<double>(errors_.size()) <= conf_.error_suppression_limit) return;
  std::erase_if(errors_, [&](double at) { return at <= now - interval; });
  if (static_cast<double>(errors_.size()) <= conf_.error_suppression_limit) return;
  rests_until_ = now + interval;
  log_.error("Error limiting server " + name_);
}

bool MemcachedServer::run(const std::function<memcached_return_t(memcached_st&)>& command) {
  MemcachedConnection connection = take();
  if (!connection) {
    failed("Timeout getting a connection to memcached: " + name_);
    return false;
  }
  const memcached_return_t code = command(*connection);
  if (!is_failure(code)) {
    give_back(std::move(connection));
    return true;
  }
  const std::string why = memcached_strerror(connection.get(), code);
  connection.reset();
  give_back(nullptr);
  failed(code == MEMCACHED_TIMEOUT ? "Timeout talking to memcached: " + name_
                                   : "Error talking to memcached: " + name_ + ": " + why);
  return false;
}

}  // namespace apus
