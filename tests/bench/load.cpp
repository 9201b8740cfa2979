// Sends a fixed number of requests over a fixed number of keep-alive connections, a thread each,
// and prints one JSON line: requests/s, latencies, statuses. Each request has its own path
// "PREFIX<n>" when asked; bodies are one buffer sent again and again.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

struct Plan {
  int port = 0;
  int connections = 8;
  long requests = 1000;
  long names = 0;  ///< requests use PREFIX<n mod names>; 0 = the path as it is
  std::string method = "GET";
  std::string path = "/";
  std::string headers;
  std::size_t body = 0;
};

class Connection {
 public:
  explicit Connection(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd_ < 0 || ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
      throw std::runtime_error("cannot connect");
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    buffer_.resize(1U << 20U);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::close(fd_); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) throw std::runtime_error("send failed");
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  /// Reads one answer with Content-Length (or none); returns its status.
  int receive(bool head) {
    std::size_t have = 0;
    std::size_t end = std::string_view::npos;
    while (end == std::string_view::npos) {
      have += read_some(have);
      end = std::string_view(buffer_.data(), have).find("\r\n\r\n");
    }
    const std::string_view text(buffer_.data(), end + 2);
    int status = 0;
    std::from_chars(text.data() + 9, text.data() + 12, status);
    std::size_t left = head || status == 204 || status == 304 ? 0 : content_length(text);
    const std::size_t already = have - end - 4;
    left -= std::min(left, already);
    while (left > 0) left -= std::min(left, read_some(0));
    return status;
  }

 private:
  std::size_t read_some(std::size_t at) {
    const ssize_t count = ::recv(fd_, buffer_.data() + at, buffer_.size() - at, 0);
    if (count <= 0) throw std::runtime_error("connection closed");
    return static_cast<std::size_t>(count);
  }

  static std::size_t content_length(std::string_view head) {
    static constexpr std::string_view kName = "content-length:";
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
         at = head.find("\r\n", at + 2)) {
      std::string_view line = head.substr(at + 2, kName.size());
      if (!std::equal(line.begin(), line.end(), kName.begin(), kName.end(),
                      [](char a, char b) { return (a | 32) == b || a == b; })) {
        continue;
      }
      std::size_t value = 0;
      const char* first = head.data() + at + 2 + kName.size();
      while (*first == ' ') ++first;
      std::from_chars(first, head.data() + head.size(), value);
      return value;
    }
    throw std::runtime_error("no Content-Length");
  }

  int fd_;
  std::vector<char> buffer_;
};

struct Tally {
  std::vector<double> micros;
  std::map<int, long> statuses;
  std::string error;
};

void work(const Plan& plan, std::atomic<long>& next, const std::string& body, Tally& tally) {
  try {
    Connection connection(plan.port);
    for (long n = next++; n < plan.requests; n = next++) {
      std::string head = plan.method + " " + plan.path;
      if (plan.names > 0) head += std::to_string(n % plan.names);
      head += " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + plan.headers;
      if (plan.method == "PUT") head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
      head += "\r\n";
      const auto start = std::chrono::steady_clock::now();
      if (body.size() <= 16384) {
        head += body;
        connection.send(head);
      } else {
        connection.send(head);
        connection.send(body);
      }
      ++tally.statuses[connection.receive(plan.method == "HEAD")];
      tally.micros.push_back(
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
              .count());
    }
  } catch (const std::exception& error) {
    tally.error = error.what();
  }
}

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

Plan parse(int argc, char** argv) {
  Plan plan;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--port")
      plan.port = std::stoi(value);
    else if (name == "--connections")
      plan.connections = std::stoi(value);
    else if (name == "--requests")
      plan.requests = std::stol(value);
    else if (name == "--names")
      plan.names = std::stol(value);
    else if (name == "--method")
      plan.method = value;
    else if (name == "--path")
      plan.path = value;
    else if (name == "--header")
      plan.headers += value + "\r\n";
    else if (name == "--body")
      plan.body = std::stoul(value);
    else
      throw std::invalid_argument("unknown argument " + std::string(name));
  }
  return plan;
}

}  // namespace

int main(int argc, char** argv) try {
  const Plan plan = parse(argc, argv);
  const std::string body(plan.method == "PUT" ? plan.body : 0, 'a');
  std::atomic<long> next{0};
  std::vector<Tally> tallies(static_cast<std::size_t>(plan.connections));
  const auto start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (Tally& tally : tallies) threads.emplace_back([&] { work(plan, next, body, tally); });
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Tally all;
  for (Tally& tally : tallies) {
    all.micros.insert(all.micros.end(), tally.micros.begin(), tally.micros.end());
    for (const auto& [status, count] : tally.statuses) all.statuses[status] += count;
    if (!tally.error.empty()) all.error = tally.error;
  }
  std::sort(all.micros.begin(), all.micros.end());
  std::printf(
      "{\"seconds\": %.4f, \"requests\": %zu, \"rate\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, ",
      seconds, all.micros.size(), static_cast<double>(all.micros.size()) / seconds,
      percentile(all.micros, 0.5), percentile(all.micros, 0.99));
  std::printf("\"statuses\": {");
  const char* comma = "";
  for (const auto& [status, count] : all.statuses) {
    std::printf("%s\"%d\": %ld", comma, status, count);
    comma = ", ";
  }
  std::printf("}, \"error\": \"%s\"}\n", all.error.c_str());
  return all.error.empty() ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "load: %s\n", error.what());
  return 2;
}
