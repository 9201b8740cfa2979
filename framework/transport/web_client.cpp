#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/NetException.h>
#include <Poco/URI.h>
#include <apus/web_client.h>

#include <array>
#include <istream>
#include <memory>
#include <ostream>

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

WebAnswer exchange(const WebRequest& request, const WebOptions& options) {
  const Poco::URI url(request.url);
  const auto session = open(url, options);
  session->setTimeout(Poco::Timespan(options.timeout.count() * 1000));
  session->setKeepAlive(false);
  Poco::Net::HTTPRequest out(request.method,
                             url.getPathAndQuery().empty() ? "/" : url.getPathAndQuery(),
                             Poco::Net::HTTPMessage::HTTP_1_1);
  for (const auto& [name, value] : request.headers) out.set(name, value);
  if (!request.body.empty()) out.setContentLength64(static_cast<Poco::Int64>(request.body.size()));
  session->sendRequest(out) << request.body;
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
  try {
    return exchange(request, options);
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
