// A GET whose node fails goes on from another: the client sees one entity or a broken connection.
#include <apus/conditional.h>

#include "tests/unit/proxy/fake_cluster.h"

using namespace apus;
using namespace apus::test;

namespace {

// A whole body of this size is fetched before it is answered with; a range of all of it is not.
const Headers kAll = {{"Range", "bytes=0-"}};
const std::string kEntity = "0123456789abcdefghijklmnopqrstuvwxyz";

// As an object server answers ranges of kEntity, in pieces of 4 bytes; the body breaks after
// `bytes` of them.
Response ranged(const Request& request, std::optional<std::size_t> bytes, std::string etag = "e") {
  std::string text = kEntity;
  Response out(200);
  out.headers.set("Content-Type", "text/plain");
  const auto parts = parse_range(request.headers.get("Range"), kEntity.size());
  if (parts && parts->size() == 1) {
    const auto at = parts->front();
    text = kEntity.substr(at.first, at.length());
    out.status = 206;
    out.headers.set("Content-Range",
                    "bytes " + std::to_string(at.first) + "-" + std::to_string(at.last) + "/36");
  } else if (parts && parts->size() > 1) {
    out.status = 206;
    out.headers.set("Content-Type", "multipart/byteranges;boundary=B" + etag);
    text.clear();
    for (const auto& at : *parts) {
      text += "--B" + etag + "\r\nContent-Type: text/plain\r\nContent-Range: bytes " +
              std::to_string(at.first) + "-" + std::to_string(at.last) + "/36\r\n\r\n" +
              kEntity.substr(at.first, at.length()) + "\r\n";
    }
    text += "--B" + etag + "--";
  }
  out.headers.set("Etag", etag);
  out.content_length = text.size();
  const bool breaks = bytes && *bytes < text.size();
  if (breaks) text.resize(*bytes);
  out.body = std::make_unique<PieceSource>(
      text, 4, breaks ? std::optional(BodyError::Kind::kIo) : std::nullopt);
  return out;
}

}  // namespace

TEST_CASE("a body that breaks off goes on where it was") {
  FakeCluster cluster;
  std::size_t calls = 0;
  cluster.on[kObjectNode] = [&](Request& request, std::size_t) {
    return ranged(request, ++calls == 1 ? std::optional<std::size_t>(10) : std::nullopt);
  };
  Response out = cluster.ask("GET", "/v1/a/c/o", kAll);
  CHECK(out.status == 206);
  CHECK(out.content_length == 36);
  CHECK(body_of(out) == kEntity);
  const auto seen = cluster.seen(kObjectNode);
  REQUIRE(seen.size() == 2);
  CHECK(seen[1].headers.get("Range") == "bytes=10-35");
  CHECK(seen[0].device != seen[1].device);
  CHECK(cluster.host.log.has("Trying to read object during GET (retrying) 10.0.2."));
}

TEST_CASE("a body that ends too early goes on as well") {
  FakeCluster cluster;
  std::size_t calls = 0;
  cluster.on[kObjectNode] = [&](Request& request, std::size_t) {
    Response out = ranged(request, std::nullopt);
    if (++calls == 1) out.body = std::make_unique<PieceSource>(kEntity.substr(0, 7));
    return out;
  };
  Response out = cluster.ask("GET", "/v1/a/c/o");
  CHECK(body_of(out) == kEntity);
}

TEST_CASE("every break at every place leaves the entity whole") {
  for (const char* range : {"", "bytes=5-20", "bytes=-9", "bytes=30-", "bytes=0-3,10-14,30-35"}) {
    FakeCluster whole;
    whole.on[kObjectNode] = [](Request& request, std::size_t) {
      return ranged(request, std::nullopt);
    };
    Headers headers;
    if (*range != '\0') headers.set("Range", range);
    Response expected = whole.ask("GET", "/v1/a/c/o", headers);
    const std::string bytes = body_of(expected);
    CAPTURE(range);
    REQUIRE(expected.content_length == bytes.size());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      FakeCluster cluster;
      std::size_t calls = 0;
      cluster.on[kObjectNode] = [&](Request& request, std::size_t) {
        return ranged(request, ++calls == 1 ? std::optional(at) : std::nullopt);
      };
      Response out = cluster.ask("GET", "/v1/a/c/o", headers);
      CAPTURE(at);
      CHECK(out.status == expected.status);
      CHECK(body_of(out) == bytes);
    }
  }
}

TEST_CASE("breaks again and again use up the nodes") {
  FakeCluster cluster;
  cluster.on[kObjectNode] = [&](Request& request, std::size_t) { return ranged(request, 8); };
  Response out = cluster.ask("GET", "/v1/a/c/o", kAll);
  CHECK(body_of(out) == kEntity);
  CHECK(cluster.seen(kObjectNode).size() == 5);

  cluster.on[kObjectNode] = [&](Request& request, std::size_t) { return ranged(request, 4); };
  cluster.forget();
  Response broken = cluster.ask("GET", "/v1/a/c/o", kAll);
  CHECK_THROWS_AS(body_of(broken), BodyError);
  CHECK(cluster.seen(kObjectNode).size() == 6);
}

TEST_CASE("a node with another entity is not gone on with") {
  FakeCluster cluster;
  std::size_t calls = 0;
  cluster.on[kObjectNode] = [&](Request& request, std::size_t) {
    const bool first = ++calls == 1;
    return ranged(request, first ? std::optional<std::size_t>(8) : std::nullopt,
                  first || calls == 6 ? "e" : "other");
  };
  Response out = cluster.ask("GET", "/v1/a/c/o", kAll);
  CHECK(body_of(out) == kEntity);
  CHECK(cluster.seen(kObjectNode).size() == 6);
}

TEST_CASE("a node that lies about its range is not gone on with") {
  FakeCluster cluster;
  std::size_t calls = 0;
  cluster.on[kObjectNode] = [&](Request& request, std::size_t) {
    Response out = ranged(request, ++calls == 1 ? std::optional<std::size_t>(8) : std::nullopt);
    if (calls == 2) out.headers.set("Content-Range", "bytes 0-35/36");
    if (calls == 3) out.headers.set("Content-Range", "bytes 8-35/99");
    if (calls == 4) out.headers.set("Content-Range", "garbage");
    return out;
  };
  Response out = cluster.ask("GET", "/v1/a/c/o", kAll);
  CHECK(body_of(out) == kEntity);
  CHECK(cluster.seen(kObjectNode).size() == 5);
}

TEST_CASE("a node that sends all instead of a range is read past what is known") {
  FakeCluster cluster;
  std::size_t calls = 0;
  cluster.on[kObjectNode] = [&](Request& request, std::size_t) {
    if (++calls == 1) return ranged(request, 8);
    request.headers.erase("Range");
    return ranged(request, std::nullopt);
  };
  Response out = cluster.ask("GET", "/v1/a/c/o", kAll);
  CHECK(body_of(out) == kEntity);
}

TEST_CASE("garbage instead of parts breaks the body, and nothing else") {
  for (const std::string garbage :
       {"", "--", "--Be\r\n", "--Be\r\nContent-Range: bytes 3-1/36\r\n\r\n", "\r\n\r\n\r\n",
        "--Be\r\nno colon\r\n\r\n",
        "--Be\r\nContent-Range: bytes 0-99999999999999999999/36\r\n\r\n"}) {
    FakeCluster cluster;
    cluster.on[kObjectNode] = [&](Request& request, std::size_t) {
      Response out = ranged(request, std::nullopt);
      out.body = std::make_unique<PieceSource>(garbage);
      return out;
    };
    Response out = cluster.ask("GET", "/v1/a/c/o", {{"Range", "bytes=0-1,4-5"}});
    CAPTURE(garbage);
    CHECK_THROWS_AS(body_of(out), BodyError);
  }
}

TEST_CASE("a multipart answer with any bytes changed ends, well or broken") {
  SeededEntropy chance(3);
  FakeCluster cluster(OptionTexts{{"error_suppression_limit", "1000000"}}, 1, 1);
  cluster.on[kObjectNode] = [&](Request& request, std::size_t) {
    Response out = ranged(request, std::nullopt);
    std::string text = read_all(out.body.get(), 100000);
    for (std::uint64_t i = chance.below(4); i < 4; ++i) {
      const std::size_t at = chance.below(text.size());
      if (chance.below(2) == 0) {
        text[at] = static_cast<char>(chance.below(256));
      } else {
        text.erase(at, chance.below(30));
      }
    }
    out.body = std::make_unique<PieceSource>(text, 1 + chance.below(50));
    return out;
  };
  int broken = 0;
  for (int i = 0; i < 2000; ++i) {
    Response out = cluster.ask("GET", "/v1/a/c/o", {{"Range", "bytes=0-3,10-14,30-35"}});
    try {
      const std::string got = body_of(out);
      CHECK(got.size() == out.content_length);
    } catch (const BodyError&) {
      ++broken;
    }
  }
  CHECK(broken > 100);
}

TEST_CASE("X-Newest does not go on elsewhere") {
  FakeCluster cluster;
  cluster.on[kObjectNode] = [&](Request& request, std::size_t) { return ranged(request, 8); };
  Response out = cluster.ask("GET", "/v1/a/c/o", {{"X-Newest", "true"}});
  CHECK_THROWS_AS(body_of(out), BodyError);
}

TEST_CASE("a small body that is not what was announced is nothing that a client sees") {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{7}, std::size_t{35}}) {
    FakeCluster cluster;
    std::size_t calls = 0;
    cluster.on[kObjectNode] = [&](Request& request, std::size_t) {
      Response out = ranged(request, ++calls == 1 ? std::optional(bytes) : std::nullopt);
      if (calls == 2) out.content_length = 43;  // and no more than it has
      return out;
    };
    Response out = cluster.ask("GET", "/v1/a/c/o");
    CHECK(out.status == 200);
    CHECK(out.content_length == 36);
    CHECK(body_of(out) == kEntity);
    CHECK(cluster.seen(kObjectNode).size() == 3);
    CHECK(cluster.host.log.has("Trying to read during GET"));
  }
  FakeCluster cluster;
  cluster.on[kObjectNode] = [](Request& request, std::size_t) { return ranged(request, 8); };
  CHECK(cluster.ask("GET", "/v1/a/c/o").status == 503);
}
