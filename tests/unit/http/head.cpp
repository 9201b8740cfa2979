#include "framework/http/head.h"

#include <doctest/doctest.h>

using namespace apus;
using namespace apus::http;

namespace {

int status_of_head(std::string_view bytes, const HeadLimits& limits = {}) {
  HeadScanner scanner;
  switch (scanner.feed(bytes, limits)) {
    case HeadScanner::State::kRefused:
      return scanner.status();
    case HeadScanner::State::kMore:
      return -1;
    case HeadScanner::State::kComplete:
      break;
  }
  RequestHead head;
  return parse_request_head(bytes.substr(0, scanner.size()), head);
}

int status_of_field(const std::string& lines) {
  return status_of_head("PUT /x HTTP/1.1\r\n" + lines + "\r\n\r\n");
}

Request parsed(const std::string& bytes, bool trusted = false) {
  RequestHead head;
  REQUIRE(parse_request_head(bytes, head) == 0);
  Request request;
  fill_request(head, trusted, request);
  return request;
}

}  // namespace

TEST_CASE("a request head becomes the fields of a request") {
  const Request request = parsed(
      "PUT /v1/a/c%20d/o?x=1&y=%20 HTTP/1.1\r\nhost: h\r\nx-object-meta-a1b: v\r\nCONTENT-LENGTH: "
      "5\r\nAccept: a\r\naccept:  b\t\r\n\r\n");
  CHECK(request.method == "PUT");
  CHECK(request.path == "/v1/a/c d/o");
  CHECK(request.raw_path == "/v1/a/c%20d/o");
  CHECK(request.raw_query == "x=1&y=%20");
  CHECK(request.query.get("y") == " ");
  CHECK(request.headers.begin()->first == "Host");
  CHECK(request.headers.get("X-Object-Meta-A1B") == "v");
  CHECK(request.headers.get("Accept") == "a,b");
  CHECK(request.content_length == 5);
}

TEST_CASE("names and values beyond ASCII are bytes") {
  const Request request = parsed("GET /\xc3\xa9 HTTP/1.1\r\nX-Meta-\xc3\xa9: \xff\xfe\r\n\r\n");
  CHECK(request.path == "/\xc3\xa9");
  CHECK(request.headers.get("X-Meta-\xc3\xa9") == "\xff\xfe");
}

TEST_CASE("internal names reach Request::internal on a trusted listener alone") {
  const std::string bytes =
      "GET /x HTTP/1.1\r\nX_Backend_Storage-Policy-Index: 1\r\nX-Timestamp: 1\r\nX-Foo: 2\r\n\r\n";
  const Request inside = parsed(bytes, true);
  CHECK(inside.internal.get("X-Backend-Storage-Policy-Index") == "1");
  CHECK(inside.internal.get("X-Timestamp") == "1");
  CHECK(inside.headers.size() == 1);
  const Request outside = parsed(bytes);
  CHECK(outside.internal.empty());
  CHECK(outside.headers.size() == 3);
}

TEST_CASE("an absolute target is reduced to its path") {
  CHECK(parsed("GET http://h:80/a/b?q HTTP/1.1\r\n\r\n").raw_path == "/a/b");
  CHECK(parsed("GET HTTPS://h HTTP/1.1\r\n\r\n").path == "/");
  CHECK(parsed("OPTIONS * HTTP/1.1\r\n\r\n").path == "*");
  CHECK(status_of_head("GET http:///a HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of_head("CONNECT h:80 HTTP/1.1\r\n\r\n") == 400);
}

TEST_CASE("request lines that are refused") {
  CHECK(status_of_head("GET /\r\n\r\n") == 400);
  CHECK(status_of_head("GET  / HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of_head("G(T / HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of_head("GET /a b HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of_head("GET / HTTP/1\r\n\r\n") == 400);
  CHECK(status_of_head("GET / HTTP/x.1\r\n\r\n") == 400);
  CHECK(status_of_head("GET / HTTP/0.9\r\n\r\n") == 400);
  CHECK(status_of_head("GET / HTTP/2.0\r\n\r\n") == 505);
  CHECK(status_of_head("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 505);
  CHECK(status_of_head("\r\n\r\n") == 400);
  CHECK(status_of_head("\x16\x03\x01\x02\n") == 400);
}

TEST_CASE("bare LF, obs-fold, NUL and broken names are refused") {
  CHECK(status_of_head("GET / HTTP/1.1\nHost: x\n\n") == 400);
  CHECK(status_of_head("GET / HTTP/1.1\r\nHost: x\n\r\n") == 400);
  CHECK(status_of_field("A: b\r\n c") == 400);
  CHECK(status_of_field(std::string("A: b\0c", 6)) == 400);
  CHECK(status_of_field("A: b\rc") == 400);
  CHECK(status_of_field("A : b") == 400);
  CHECK(status_of_field(": b") == 400);
  CHECK(status_of_field("nothing") == 400);
}

TEST_CASE("Content-Length with Transfer-Encoding, two Content-Lengths, unknown codings") {
  CHECK(status_of_field("Content-Length: 1\r\nTransfer-Encoding: chunked") == 400);
  CHECK(status_of_field("Content-Length: 1\r\nContent-Length: 2") == 400);
  CHECK(status_of_field("Content-Length: 1\r\nContent-Length: 1") == 0);
  CHECK(status_of_field("Content-Length: 1,1") == 400);
  CHECK(status_of_field("Content-Length: -1") == 400);
  CHECK(status_of_field("Content-Length: +1") == 400);
  CHECK(status_of_field("Content-Length:") == 400);
  CHECK(status_of_field("Content-Length: 0x1") == 400);
  CHECK(status_of_field("Content-Length: 9223372036854775808") == 400);
  CHECK(status_of_field("Content_Length: 1") == 400);
  CHECK(status_of_field("Transfer-Encoding: CHUNKED") == 0);
  CHECK(status_of_field("Transfer-Encoding: gzip, chunked") == 501);
  CHECK(status_of_field("Transfer-Encoding: gzip") == 400);
  CHECK(status_of_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked") == 400);
  CHECK(status_of_head("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
}

TEST_CASE("limits hold to the byte, complete lines and open ones") {
  HeadLimits limits{.request_line = 20, .header_line = 10, .header_count = 2, .total = 1000};
  const std::string fits = "GET /" + std::string(6, 'a') + " HTTP/1.1";
  CHECK(status_of_head(fits + "\r\n\r\n", limits) == 0);
  CHECK(status_of_head("GET /" + std::string(7, 'a') + " HTTP/1.1\r\n\r\n", limits) == 414);
  CHECK(status_of_head(std::string(22, 'a'), limits) == 414);
  CHECK(status_of_head(std::string(21, 'a'), limits) == -1);
  CHECK(status_of_head(fits + "\r\nA: 34567890\r\n\r\n", limits) == 400);
  CHECK(status_of_head(fits + "\r\nA: 345678\r\nB: 2\r\n\r\n", limits) == 0);
  CHECK(status_of_head(fits + "\r\n" + std::string(12, 'a'), limits) == 400);
  CHECK(status_of_head(fits + "\r\nA:1\r\nB:2\r\nC:3\r\n\r\n", limits) == 400);
}

TEST_CASE("a head that comes byte by byte is found at the same place") {
  const std::string bytes = "GET / HTTP/1.1\r\nHost: x\r\n\r\nBODY";
  HeadScanner scanner;
  std::size_t end = 0;
  for (std::size_t i = 1; i <= bytes.size() && end == 0; ++i) {
    if (scanner.feed(std::string_view(bytes).substr(0, i), {}) == HeadScanner::State::kComplete) {
      end = i;
    }
  }
  CHECK(end == bytes.size() - 4);
  CHECK(scanner.size() == end);
}

TEST_CASE("keep-alive follows version and Connection") {
  const auto keep = [](const std::string& bytes) {
    RequestHead head;
    REQUIRE(parse_request_head(bytes, head) == 0);
    return head.keep_alive;
  };
  CHECK(keep("GET / HTTP/1.1\r\n\r\n"));
  CHECK_FALSE(keep("GET / HTTP/1.1\r\nConnection: foo, Close\r\n\r\n"));
  CHECK_FALSE(keep("GET / HTTP/1.0\r\n\r\n"));
  CHECK(keep("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST_CASE("response heads") {
  ResponseHead head;
  CHECK(parse_response_head("HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\n", head));
  CHECK(head.status == 201);
  CHECK(head.reason == "Created");
  CHECK(head.content_length == 3);
  CHECK(parse_response_head("HTTP/1.1 200\r\n\r\n", head));
  CHECK_FALSE(parse_response_head("HTTP/2 200 OK\r\n\r\n", head));
  CHECK_FALSE(parse_response_head("HTTP/1.1 20x OK\r\n\r\n", head));
  CHECK_FALSE(parse_response_head("HTTP/1.1 2000 OK\r\n\r\n", head));
  CHECK_FALSE(parse_response_head("SSH-2.0-OpenSSH_9\r\n\r\n", head));
  CHECK_FALSE(parse_response_head(
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", head));
  CHECK_FALSE(parse_response_head("HTTP/1.1 200 OK\r\nbad\r\n\r\n", head));
}
