// The one thread that accepts connections and watches those that sleep.
#pragma once

#include <Poco/Net/Context.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/TCPServerConnectionFactory.h>
#include <Poco/Net/TCPServerDispatcher.h>
#include <Poco/ThreadPool.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "framework/http/link.h"

namespace apus::http {

/// Owns every sleeping link, wakes a worker when bytes come, closes it when its time is over.
class Front {
 public:
  /// `tls` null = plain.
  Front(Service& service, const Poco::Net::ServerSocket& listener, Poco::Net::Context::Ptr tls);
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;
  ~Front();  // NOLINT(bugprone-exception-escape): threads that cannot be joined end the process

  void start();
  /// Closes the listening socket; links end with their next answer or when their time is over.
  void drain();
  void stop(std::chrono::seconds grace);

  /// From a worker: sleeps until there is something to read or `deadline` has passed.
  void park(std::unique_ptr<Link> link);
  /// The last answer is out, or there was none to give: waits a moment for the client to close, so
  /// that no reset overtakes what was sent. Holds no thread.
  void see_off(std::unique_ptr<Link> link);
  /// From a worker: this link dies now.
  void forget(const Link& link);
  /// From the dispatcher: the link that belongs to the ticket.
  std::unique_ptr<Link> claim(const Poco::Net::StreamSocket& ticket);
  /// Requests wait for a thread: no one should wait for a silent client.
  [[nodiscard]] bool crowded() const;
  [[nodiscard]] int busy() const;
  std::string new_trans_id();

 private:
  using Timer = std::pair<Steady::time_point, Link*>;

  void loop();
  int next_wait();
  void accept_some();
  bool accept_one();
  void admit(const Poco::Net::StreamSocket& socket);
  void turn_away(const Poco::Net::StreamSocket& socket);
  void listen_for(bool wanted);
  void woken(Link* key, std::uint32_t events);
  void dispatch(std::unique_ptr<Link> link);
  std::unique_ptr<Link> take(Link* key);
  void expire();
  void end_idle(std::unique_ptr<Link> link);
  void throw_away(std::unique_ptr<Link> link);
  void leave_listener();
  void hurry(Steady::time_point idle_until);
  void close_sleepers();
  void wake();

  Service& service_;
  Poco::Net::ServerSocket listener_;
  Poco::Net::Context::Ptr tls_;
  bool secure_;
  Poco::ThreadPool pool_;
  Poco::AutoPtr<Poco::Net::TCPServerDispatcher> dispatcher_;
  int epoll_ = -1;
  int wake_ = -1;
  std::thread thread_;
  bool started_ = false;
  bool listening_ = true;
  Steady::time_point listen_again_{};

  mutable std::mutex mutex_;
  std::condition_variable left_;
  bool has_left_ = false;  // the listening socket
  Steady::time_point idle_until_ = Steady::time_point::max();
  std::unordered_map<Link*, std::unique_ptr<Link>> sleeping_;
  std::set<Timer> timers_;
  // On their way to a worker, by ticket.
  std::unordered_map<const Poco::Net::SocketImpl*, std::unique_ptr<Link>> handed_;
  std::unordered_set<const Link*> working_;
  std::string trans_suffix_;
};

}  // namespace apus::http
