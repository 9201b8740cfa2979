#include <apus/dns.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <variant>

namespace apus {
namespace {

constexpr std::size_t kLargest = 65535;
constexpr int kSecondsPerTry = 2;
constexpr int kTries = 2;

using Address = std::variant<sockaddr_in, sockaddr_in6>;

Address address_of(const Nameserver& server) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(static_cast<std::uint16_t>(server.port));
  if (::inet_pton(AF_INET, server.ip.c_str(), &v4.sin_addr) == 1) return v4;
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(static_cast<std::uint16_t>(server.port));
  if (::inet_pton(AF_INET6, server.ip.c_str(), &v6.sin6_addr) == 1) return v6;
  throw std::runtime_error("'" + server.ip + "' is no IP address");
}

// One question's state of the resolver library: nothing of it is shared between threads.
class State {
 public:
  explicit State(const std::vector<Address>& servers) {
    if (::res_ninit(&state_) != 0) throw std::runtime_error("the resolver cannot be set up");
    state_.retrans = kSecondsPerTry;
    state_.retry = kTries;
    state_.options &= ~static_cast<unsigned long>(RES_DEFNAMES | RES_DNSRCH);
    if (servers.empty()) return;
    state_.nscount = 0;
    for (const Address& server : servers) {
      if (state_.nscount == MAXNS) break;
      add(server);
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { ::res_nclose(&state_); }
  struct __res_state& get() {
    return state_;
  }

 private:
  void add(const Address& server) {
    const auto at = static_cast<std::size_t>(state_.nscount++);
    if (const auto* v4 = std::get_if<sockaddr_in>(&server)) {
      state_.nsaddr_list[at] = *v4;
      return;
    }
    // The library's own way for v6: a place marked empty, and an address it will free itself.
    state_.nsaddr_list[at].sin_family = 0;
    auto*& place = state_._u._ext.nsaddrs[at];
    if (place == nullptr) place = static_cast<sockaddr_in6*>(std::malloc(sizeof(sockaddr_in6)));
    if (place == nullptr) throw std::bad_alloc();
    *place = std::get<sockaddr_in6>(server);
  }

  struct __res_state state_ {};
};

class LibraryResolver final : public Resolver {
 public:
  explicit LibraryResolver(const std::vector<Nameserver>& servers) {
    for (const Nameserver& server : servers) servers_.push_back(address_of(server));
  }

  CnameAnswer cname(const std::string& domain) override {
    State state(servers_);
    std::string message(kLargest, '\0');
    const int size =
        ::res_nquery(&state.get(), domain.c_str(), ns_c_in, ns_t_cname,
                     reinterpret_cast<unsigned char*>(message.data()), static_cast<int>(kLargest));
    if (size < 0) {
      const int why = state.get().res_h_errno;
      return {why == HOST_NOT_FOUND || why == NO_DATA ? CnameAnswer::Kind::kNone
                                                      : CnameAnswer::Kind::kFailed,
              {},
              {}};
    }
    message.resize(std::min(static_cast<std::size_t>(size), kLargest));
    return parse_cname_answer(message);
  }

 private:
  std::vector<Address> servers_;
};

}  // namespace

Resolver::~Resolver() = default;

CnameAnswer parse_cname_answer(std::string_view message) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  ns_msg parsed;
  if (::ns_initparse(bytes, static_cast<int>(message.size()), &parsed) != 0) return {};
  const int count = ns_msg_count(parsed, ns_s_an);
  for (int i = 0; i < count; ++i) {
    ns_rr record;
    if (::ns_parserr(&parsed, ns_s_an, i, &record) != 0) return {};
    if (ns_rr_type(record) != ns_t_cname) continue;
    std::array<char, NS_MAXDNAME> name;
    const int used = ::ns_name_uncompress(ns_msg_base(parsed), ns_msg_end(parsed),
                                          ns_rr_rdata(record), name.data(), name.size());
    if (used < 0) return {};
    return {CnameAnswer::Kind::kFound, name.data(), std::chrono::seconds(ns_rr_ttl(record))};
  }
  return {CnameAnswer::Kind::kNone, {}, {}};
}

std::unique_ptr<Resolver> make_resolver(const std::vector<Nameserver>& servers) {
  return std::make_unique<LibraryResolver>(servers);
}

}  // namespace apus
