#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/NetException.h>
#include <Poco/URI.h>
#include <apus/web_client.h>

#include <algorithm>
#include <array>
#include <istream>
#include <memory>
#include <ostream>
#include <span>

#include "framework/transport/web_upload.h"

namespace apus {
namespace {

using Kind = TransportError::Kind;

std::unique_ptr<Poco::Net::HTTPClientSession> open(const Poco::URI& url,
                                                   const WebOptions& options) {
  if (url.getScheme() == "http")
    return std::make_unique<Poco::Net::HTTPClientSession>(url.getHost(), url.getPort());
  if (url.getScheme() != "https")
    throw TransportError(Kind::kConnect, "'" + url.toString() + "' is no http or https URL");
  const auto mode =
      options.verify ? Poco::Net::Context::VERIFY_RELAXED : Poco::Net::Context::VERIFY_NONE;
  const Poco::Net::Context::Ptr context =
      new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, "", "", options.ca_file, mode, 9,
                             options.ca_file.empty());
  return std::make_unique<Poco::Net::HTTPSClientSession>(url.getHost(), url.getPort(), context);
}

std::string read_body(std::istream& in, std::size_t limit) {
  std::string out;
  std::array<char, 4096> piece;
  while (in.read(piece.data(), piece.size()), in.gcount() > 0) {
    out.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    if (out.size() > limit) throw TransportError(Kind::kMalformed, "the answer is too large");
  }
  return out;
}

void use_proxy(Poco::Net::HTTPClientSession& session, const std::string& proxy) {
  if (proxy.empty()) return;
  const Poco::URI url(proxy.find("://") == std::string::npos ? "http://" + proxy : proxy);
  if (url.getHost().empty())
    throw TransportError(Kind::kConnect, "'" + proxy + "' is no address of a proxy");
  session.setProxy(url.getHost(), url.getPort());
}

// All that the source holds, and not a byte more or less than was announced.
void send_body(const WebBody& body, std::ostream& out) {
  std::array<char, 65536> piece;
  std::uint64_t left = body.length;
  while (left > 0) {
    const std::size_t most = std::min<std::uint64_t>(piece.size(), left);
    const std::size_t count = body.source->read(std::span(piece).first(most));
    if (count == 0) throw BodyError(BodyError::Kind::kDisconnect, "the body ended early");
    out.write(piece.data(), static_cast<std::streamsize>(count));
    if (!out) return;  // an answer may tell why nothing more is taken
    left -= count;
  }
  out.flush();
}

WebAnswer exchange(const std::string& proxy, const WebRequest& request, const WebBody& streamed,
                   const WebOptions& options) {
  const Poco::URI url(request.url);
  const auto session = open(url, options);
  use_proxy(*session, proxy);
  session->setTimeout(Poco::Timespan(options.timeout.count() * 1000));
  session->setKeepAlive(false);
  Poco::Net::HTTPRequest out(request.method,
                             url.getPathAndQuery().empty() ? "/" : url.getPathAndQuery(),
                             Poco::Net::HTTPMessage::HTTP_1_1);
  for (const auto& [name, value] : request.headers) out.set(name, value);
  if (streamed.source != nullptr) {
    out.setContentLength64(static_cast<Poco::Int64>(streamed.length));
    send_body(streamed, session->sendRequest(out));
  } else {
    if (!request.body.empty())
      out.setContentLength64(static_cast<Poco::Int64>(request.body.size()));
    session->sendRequest(out) << request.body;
  }
  Poco::Net::HTTPResponse in;
  std::istream& body = session->receiveResponse(in);
  WebAnswer answer;
  answer.status = in.getStatus();
  for (const auto& [name, value] : in) answer.headers.set(title_case(name), value);
  if (request.method != "HEAD") answer.body = read_body(body, options.max_body);
  return answer;
}

}  // namespace

WebAnswer fetch(const WebRequest& request, const WebOptions& options) {
  return fetch_through("", request, {}, options);
}

WebAnswer fetch_through(const std::string& proxy, const WebRequest& request, const WebBody& body,
                        const WebOptions& options) {
  try {
    return exchange(proxy, request, body, options);
  } catch (const Poco::TimeoutException& error) {
    throw TransportError(Kind::kTimeout, error.displayText());
  } catch (const Poco::Net::ConnectionRefusedException& error) {
    throw TransportError(Kind::kConnect, error.displayText());
  } catch (const Poco::Net::NoMessageException& error) {
    throw TransportError(Kind::kReset, error.displayText());
  } catch (const Poco::Net::MessageException& error) {
    throw TransportError(Kind::kMalformed, error.displayText());
  } catch (const Poco::Exception& error) {
    throw TransportError(Kind::kConnect, error.displayText());
  }
}

}  // namespace apus
