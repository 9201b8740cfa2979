// Serves the requests of one connection, one after the other, on a worker thread.
#pragma once

#include <Poco/Net/TCPServerConnection.h>

#include <memory>

#include "framework/http/link.h"
#include "framework/http/request_body.h"
#include "framework/http/response_writer.h"

namespace apus::http {

/// Takes a link whose bytes are there, and gives it back to the front when it falls silent between
/// requests or within a head.
class Connection final : public Poco::Net::TCPServerConnection {
 public:
  Connection(const Poco::Net::StreamSocket& ticket, std::unique_ptr<Link> link, Service& service,
             Front& front);
  ~Connection() override;
  void run() override;

 private:
  enum class Head : std::uint8_t { kComplete, kSilent, kGone, kRefused };
  /// What is left to do on the connection after an answer.
  enum class After : std::uint8_t { kNextRequest, kGoodbye, kNothing };

  Head read_head();
  After serve();
  After finish(Written written, BodyState* body, int status);
  Response answer(Request& request, const BodyState* body);
  Written send(Response& response, const Request& request, Framing framing, BodyState* body);
  After refuse(int status);
  bool may_linger() const;
  void sleep();

  std::unique_ptr<Link> link_;
  Service& service_;
  Front& front_;
  RequestHead head_;
  int refused_ = 0;
  bool served_ = false;
};

}  // namespace apus::http
