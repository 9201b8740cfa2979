#include <apus/digest.h>
#include <doctest/doctest.h>

#include "tests/unit/servers_object/server.h"

using namespace apus;
using apus::test::at;
using apus::test::ObjectServer;

namespace {

// Two bodies in one, as the wire has them; keeps what the server wants said with "100 Continue".
class TwoBodies final : public Source {
 public:
  TwoBodies(std::string first, std::optional<std::string> second, std::size_t piece, Headers& told)
      : now_(std::move(first)), second_(std::move(second)), piece_(piece), told_(told) {}
  std::size_t read(std::span<char> out) override {
    const std::size_t count = std::min({out.size(), piece_, now_.size()});
    std::copy_n(now_.begin(), count, out.begin());
    now_.erase(0, count);
    return count;
  }
  void continue_with(const Headers& fields) override { told_ = fields; }
  bool next_body() override {
    if (!now_.empty() || !second_) return false;
    now_ = std::move(*second_);
    second_.reset();
    return true;
  }

 private:
  std::string now_;
  std::optional<std::string> second_;
  std::size_t piece_;
  Headers& told_;
};

struct FooterUpload {
  std::string object = "hello\r\n--B but not quite";
  std::string footer = R"({"Etag": "", "X-Object-Sysmeta-Crypto": "k", "X-Object-Meta-F": "f",)"
                       R"( "X-Object-Sysmeta-Container-Update-Override-Etag": "hidden",)"
                       R"( "Content-Type": "ignored"})";
  std::string digest;
  std::optional<std::string> second;
  std::size_t piece = 7;
  Headers fields;
  Headers told;

  [[nodiscard]] std::string first() const {
    return "--BOUND\r\nX-Document: object body\r\n\r\n" + object +
           "\r\n--BOUND\r\nX-Document: object metadata\r\nContent-MD5: " +
           (digest.empty() ? md5_hex(footer) : digest) + "\r\n\r\n" + footer + "\r\n--BOUND" +
           (second ? "\r\n" : "--");
  }
  ObjectServer::Answer send(const ObjectServer& server) {
    Request request("PUT", ObjectServer::kObject);
    request.internal = {{"X-Timestamp", at(1)},
                        {"X-Backend-Obj-Metadata-Footer", "yes"},
                        {"X-Backend-Obj-Multipart-Mime-Boundary", "BOUND"},
                        {"X-Backend-Obj-Content-Length", std::to_string(object.size())},
                        {"X-Container-Host", "10.0.0.1:6201"},
                        {"X-Container-Partition", "3"},
                        {"X-Container-Device", "c1"}};
    if (second) request.internal.set("X-Backend-Obj-Multiphase-Commit", "yes");
    for (const auto& [name, value] : fields) request.internal.set(name, value);
    request.headers = {{"Content-Type", "a/b"}};
    request.chunked = true;
    request.body = std::make_unique<TwoBodies>(first(), second, piece, told);
    return server.ask(request);
  }
};

}  // namespace

TEST_CASE("footers are stored and the row follows them") {
  for (const std::size_t piece : {1U, 7U, 100000U}) {
    CAPTURE(piece);
    const ObjectServer server;
    FooterUpload upload;
    upload.piece = piece;
    CHECK(upload.send(server).status == 201);
    CHECK(upload.told.get("X-Obj-Metadata-Footer") == "yes");
    CHECK(!upload.told.has("X-Obj-Multiphase-Commit"));
    const auto got = server.get();
    CHECK(got.body == upload.object);
    CHECK(got.get("X-Object-Sysmeta-Crypto") == "k");
    CHECK(got.get("X-Object-Meta-F") == "f");
    CHECK(got.get("Content-Type") == "a/b");
    CHECK(server.containers.last().headers.get("X-Etag") == "hidden");
  }
}

TEST_CASE("the commit comes in a second body of the same request") {
  const ObjectServer server;
  FooterUpload upload;
  upload.second = "X-Document: put commit\r\n\r\nput_commit_confirmation\r\n--BOUND--";
  CHECK(upload.send(server).status == 201);
  CHECK(upload.told.get("X-Obj-Multiphase-Commit") == "yes");
  CHECK(server.get().body == upload.object);
}

TEST_CASE("a commit that does not come is told") {
  const ObjectServer server;
  FooterUpload upload;
  upload.second = "";
  auto answer = upload.send(server);
  CHECK(answer.status == 400);
  CHECK(answer.body == "couldn't find PUT commit MIME doc");
}

TEST_CASE("broken uploads are refused and leave nothing") {
  const ObjectServer server;
  FooterUpload upload;
  int status = 0;
  std::string body;
  SUBCASE("no boundary") {
    upload.fields = {{"X-Backend-Obj-Multipart-Mime-Boundary", ""}};
    status = 400;
    body = "no MIME boundary";
  }
  SUBCASE("another boundary") {
    upload.fields = {{"X-Backend-Obj-Multipart-Mime-Boundary", "OTHER"}};
    status = 400;
    body = "invalid starting boundary";
  }
  SUBCASE("a wrong digest") {
    upload.digest = std::string(32, 'a');
    status = 422;
    body = "footer MD5 mismatch";
  }
  SUBCASE("no JSON") {
    upload.footer = "{";
    status = 400;
    body = "invalid JSON for footer doc";
  }
  SUBCASE("a wrong length") {
    upload.fields = {{"X-Backend-Obj-Content-Length", "3"}};
    status = 499;
  }
  SUBCASE("a wrong ETag in the footer") {
    upload.footer = R"({"Etag": "abc"})";
    status = 422;
  }
  const auto answer = upload.send(server);
  CHECK(answer.status == status);
  if (!body.empty()) CHECK(answer.body == body);
  CHECK(server.get().status == 404);
}
