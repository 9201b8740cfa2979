#include "framework/http/server.h"

#include <Poco/Exception.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/NetSSL.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/Net/SocketAddress.h>
#include <fcntl.h>

#include <stdexcept>

#include "framework/http/front.h"
#include "framework/http/link.h"

namespace apus {
namespace {

using TlsContext = Poco::Net::Context;
using Poco::Net::ServerSocket;

// A listening socket that somebody else bound.
class Inherited final : public Poco::Net::ServerSocketImpl {
 public:
  explicit Inherited(int fd) { reset(fd); }
};

class InheritedSocket final : public ServerSocket {
 public:
  explicit InheritedSocket(int fd) : ServerSocket(new Inherited(fd), true) {}
};

ServerSocket bind(const ListenerConf& conf) {
  if (conf.inherited_fd) return InheritedSocket(*conf.inherited_fd);
  try {
    const Poco::Net::SocketAddress address(conf.bind_ip, static_cast<Poco::UInt16>(conf.bind_port));
    ServerSocket socket;
    socket.bind(address, true, false);  // not SO_REUSEPORT: a port that is taken is refused
    socket.listen(conf.backlog);
    ::fcntl(socket.impl()->sockfd(), F_SETFD, FD_CLOEXEC);
    return socket;
  } catch (const Poco::Exception& error) {
    throw std::runtime_error("cannot listen on " + conf.bind_ip + ":" +
                             std::to_string(conf.bind_port) + ": " + error.displayText());
  }
}

TlsContext::Ptr make_tls(const std::string& cert_file, const std::string& key_file) {
  try {
    Poco::Net::initializeSSL();
    TlsContext::Params params;
    params.certificateFile = cert_file;
    params.privateKeyFile = key_file.empty() ? cert_file : key_file;
    params.verificationMode = TlsContext::VERIFY_NONE;
    TlsContext::Ptr context = new TlsContext(TlsContext::TLS_SERVER_USE, params);
    context->requireMinimumProtocol(TlsContext::PROTO_TLSV1_2);
    return context;
  } catch (const Poco::Exception& error) {
    throw std::runtime_error("cannot serve TLS with " + cert_file + ": " + error.displayText());
  }
}

http::HeadLimits limits_of(const ListenerConf& conf) {
  http::HeadLimits limits;
  limits.request_line = conf.max_request_line;
  limits.header_line = conf.max_header_size;
  limits.header_count = conf.max_header_count;
  limits.total = std::max<std::size_t>(limits.total, conf.max_header_size);
  return limits;
}

}  // namespace

class TlsKey {
 public:
  explicit TlsKey(TlsContext::Ptr made) : context(std::move(made)) {}
  TlsContext::Ptr context;
};

std::shared_ptr<const TlsKey> read_tls_key(const std::string& cert_file,
                                           const std::string& key_file) {
  return std::make_shared<TlsKey>(make_tls(cert_file, key_file));
}

class HttpServer::Impl {
 public:
  Impl(ListenerConf conf, std::shared_ptr<const App> app, Host& host)
      : service_{.conf = std::move(conf), .limits = {}, .app = std::move(app), .host = host},
        socket_(bind(service_.conf)),
        port_(socket_.address().port()),
        front_(service_, socket_, service_.conf.tls ? service_.conf.tls->context : nullptr) {
    service_.limits = limits_of(service_.conf);
  }

  http::Service service_;
  ServerSocket socket_;
  int port_;
  http::Front front_;
};

HttpServer::HttpServer(ListenerConf conf, std::shared_ptr<const App> app, Host& host)
    : impl_(std::make_unique<Impl>(std::move(conf), std::move(app), host)) {}
HttpServer::~HttpServer() = default;

int HttpServer::port() const { return impl_->port_; }
int HttpServer::fd() const { return impl_->socket_.impl()->sockfd(); }
void HttpServer::start() { impl_->front_.start(); }
void HttpServer::drain() { impl_->front_.drain(); }
void HttpServer::stop(std::chrono::seconds grace) { impl_->front_.stop(grace); }
int HttpServer::connections() const { return impl_->service_.links.count(); }
int HttpServer::busy_threads() const { return impl_->front_.busy(); }

}  // namespace apus
