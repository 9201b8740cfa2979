#include <apus/multipart.h>
#include <doctest/doctest.h>

#include <algorithm>

using namespace apus;

namespace {

class Pieces final : public Source {
 public:
  Pieces(std::string bytes, std::size_t piece) : bytes_(std::move(bytes)), piece_(piece) {}
  std::size_t read(std::span<char> out) override {
    const std::size_t count = std::min({out.size(), piece_, bytes_.size() - at_});
    std::copy_n(bytes_.data() + at_, count, out.data());
    at_ += count;
    return count;
  }

 private:
  std::string bytes_;
  std::size_t piece_;
  std::size_t at_ = 0;
};

// Each part as "name=bytes;".
std::string parts_of(const std::string& body, std::size_t piece, std::size_t room) {
  Pieces source(body, piece);
  MultipartReader reader(source, "b");
  std::string out;
  while (reader.next()) {
    out += std::string(reader.headers().get("N")) + "=";
    std::string space(room, '\0');
    while (const std::size_t count = reader.read(space)) out.append(space, 0, count);
    out += ";";
  }
  return out;
}

}  // namespace

TEST_CASE("multipart: the parts are the same, however the bytes come and go") {
  const std::string body =
      "\r\n\r\n--b\r\nN: one\r\n\r\nfirst\r\n\r\n--b\r\nn: two\r\n\r\n\r\n--b\r\n\r\nno "
      "head\r\n--\r\n--b--\r\nrest";
  for (const std::size_t piece : {1U, 2U, 5U, 100000U}) {
    for (const std::size_t room : {1U, 3U, 100U, 100000U}) {
      CAPTURE(piece);
      CAPTURE(room);
      CHECK(parts_of(body, piece, room) == "one=first\r\n;two=;=no head\r\n--;");
    }
  }
}

TEST_CASE("multipart: parts that nobody reads are passed over") {
  Pieces source("--b\r\nN: 1\r\n\r\nlong long\r\n--b\r\nN: 2\r\n\r\nx\r\n--b--", 4);
  MultipartReader reader(source, "b");
  CHECK(reader.next());
  CHECK(reader.next());
  CHECK(reader.headers().get("N") == "2");
  CHECK_FALSE(reader.next());
  CHECK_FALSE(reader.next());
}

TEST_CASE("multipart: an end without a boundary ends the part") {
  CHECK(parts_of("--b\r\nN: 1\r\n\r\ncut off", 3, 2) == "1=cut off;");
  CHECK(parts_of("--b\r\nN: 1", 3, 2) == "1=;");
  CHECK(parts_of("--b\r\n\r\nx\r\n--b", 3, 2) == "=x;");
  for (const char* body : {"", "-", "--", "--c\r\n", "x--b\r\n", "\r\n"})
    CHECK_THROWS_AS(parts_of(body, 1, 1), MultipartError);
}

TEST_CASE("multipart: heads are bounded") {
  CHECK_THROWS_AS(parts_of("--b\r\nN: " + std::string(70000, 'x'), 100000, 1), MultipartError);
  std::string lines = "--b\r\n";
  for (int i = 0; i < 20000; ++i) lines += "N: x\r\n";
  CHECK_THROWS_AS(parts_of(lines, 100000, 1), MultipartError);
}

TEST_CASE("multipart: dispositions") {
  const auto attribute = [](std::string_view text, std::string_view name) {
    const ParsedDisposition parsed = parse_disposition(text);
    const auto at = parsed.attributes.find(name);
    return at == parsed.attributes.end() ? std::string("(none)") : at->second;
  };
  CHECK(parse_disposition("form-data; name=\"a\"").value == "form-data");
  CHECK(parse_disposition("text/plain").value == "text/plain");
  CHECK(attribute("form-data; name=\"a\"; filename=\"b;c.txt\"", "filename") == "b;c.txt");
  CHECK(attribute("form-data; name=a;filename=b", "filename") == "b");
  CHECK(attribute("multipart/form-data; boundary=x", "boundary") == "x");
  CHECK(attribute("f; filename=\"a\"b\"; name=\"c\"", "filename") == "a\"b");
  CHECK(attribute("f; filename=\"a; name=\"c\"", "filename") == "a; name=\"c");
  CHECK(attribute("f; filename=", "filename") == "(none)");
  CHECK(attribute("f; filename=\"", "filename") == "(none)");
  CHECK(attribute("f; =x; name=y", "name") == "(none)");
  CHECK(attribute("f; a=1; a=2", "a") == "2");
}
