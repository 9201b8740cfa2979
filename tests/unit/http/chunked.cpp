#include "framework/http/chunked.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

using apus::http::ChunkDecoder;

namespace {

// "broken", "more", or the body with what is left behind it.
std::string decode(std::string_view bytes, std::size_t piece = 1000, std::size_t room = 7) {
  ChunkDecoder decoder;
  std::string body;
  std::array<char, 64> out;
  std::size_t at = 0;
  while (at < bytes.size() && !decoder.done() && !decoder.broken()) {
    const auto step = decoder.decode(bytes.substr(at, piece), std::span(out).first(room));
    REQUIRE(step.consumed + step.produced > 0);
    body.append(out.data(), step.produced);
    at += step.consumed;
  }
  if (decoder.broken()) return "broken";
  if (!decoder.done()) return "more";
  return body + "|" + std::string(bytes.substr(at));
}

}  // namespace

TEST_CASE("chunks are joined whatever way they come") {
  const std::string bytes =
      "5\r\nhello\r\n1;x=\"y\"\r\n \r\n00A\r\n0123456789\r\n0\r\nT: 1\r\n\r\nNEXT";
  for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
    CHECK(decode(bytes, piece) == "hello 0123456789|NEXT");
  }
}

TEST_CASE("broken framing is refused") {
  CHECK(decode("\r\n") == "broken");
  CHECK(decode("g\r\n") == "broken");
  CHECK(decode("-1\r\n") == "broken");
  CHECK(decode("+1\r\n") == "broken");
  CHECK(decode("0x1\r\n") == "broken");
  CHECK(decode("1\na") == "broken");
  CHECK(decode("1\r\nab") == "broken");
  CHECK(decode("1\r\na\n0\r\n\r\n") == "broken");
  CHECK(decode("0\r\n\n") == "broken");
  CHECK(decode("0000000000000001\r\n") == "broken");
  CHECK(decode("1;" + std::string(5000, 'x')) == "broken");
  CHECK(decode("0\r\n" + std::string(20000, 'x')) == "broken");
}

TEST_CASE("an unfinished body is unfinished") {
  CHECK(decode("5\r\nhel") == "more");
  CHECK(decode("0\r\n") == "more");
  CHECK(decode("ffffffffffffff\r\nx") == "more");
}
