// TLS, spoken by the openssl program.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "tests/unit/http/fake_host.h"

using namespace apus;
using namespace apus::test;
namespace fs = std::filesystem;

namespace {

struct Certificate {
  Certificate() {
    std::string name = (fs::temp_directory_path() / "apus-tls-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
    const std::string make =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=localhost -keyout " +
        key() + " -out " + cert() + " 2>/dev/null";
    REQUIRE(std::system(make.c_str()) == 0);
  }
  ~Certificate() { fs::remove_all(folder); }
  std::string cert() const { return (folder / "cert.pem").string(); }
  std::string key() const { return (folder / "key.pem").string(); }
  fs::path folder;
};

// `script` writes what the client says.
std::string speak(int port, const std::string& script) {
  const std::string command =
      "(" + script +
      ") | timeout 20 openssl s_client -quiet -connect 127.0.0.1:" + std::to_string(port) +
      " 2>/dev/null";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"),
                                                             ::pclose);
  std::string out;
  std::array<char, 65536> piece;
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), pipe.get())) {
    out.append(piece.data(), count);
  }
  return out;
}

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    ++count;
  return count;
}

ListenerConf secure(const Certificate& certificate) {
  ListenerConf conf;
  conf.tls = read_tls_key(certificate.cert(), certificate.key());
  return conf;
}

}  // namespace

TEST_CASE("requests over TLS: pipelined, after a sleep, with bodies larger than a record") {
  const Certificate certificate;
  Served served(
      [](Request& request) {
        CHECK(request.context.scheme == "https");
        const std::string body = read_all(request.body.get(), 1U << 20U);
        return Response(200, request.path == "/big" ? std::string(300000, 'T') : "[" + body + "]");
      },
      secure(certificate));
  const std::string answer =
      speak(served.server->port(),
            "printf 'GET / HTTP/1.1\\r\\n\\r\\nGET / HTTP/1.1\\r\\n\\r\\n'; sleep 0.2;"
            "printf 'PUT / HTTP/1.1\\r\\nTransfer-Encoding: "
            "chunked\\r\\n\\r\\n3\\r\\nabc\\r\\n0\\r\\n\\r\\n';"
            "sleep 0.2; printf 'GET /big HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n'; sleep 0.5");
  CHECK(count_of(answer, "HTTP/1.1 200 OK") == 4);
  CHECK(count_of(answer, "[]") == 2);
  CHECK(count_of(answer, "[abc]") == 1);
  CHECK(answer.ends_with(std::string(300000, 'T')));
}

TEST_CASE("a plain client and a slow handshake at a TLS listener are closed in time") {
  const Certificate certificate;
  ListenerConf conf = secure(certificate);
  conf.header_timeout = std::chrono::milliseconds(100);
  Served served([](Request&) { return Response(200); }, conf);
  RawClient plain(served.server->port());
  plain.send("GET / HTTP/1.1\r\n\r\n");
  plain.all();
  CHECK(plain.closed);
  RawClient slow(served.server->port());
  slow.send("\x16\x03\x01");
  slow.all();
  CHECK(slow.closed);
}

TEST_CASE("a certificate that cannot be read is told with its name") {
  CHECK_THROWS_WITH_AS(read_tls_key("/nonexistent/cert.pem", ""),
                       doctest::Contains("/nonexistent/cert.pem"), std::runtime_error);
}
