#include <apus/cipher.h>
#include <apus/crypto_keys.h>
#include <doctest/doctest.h>

#include <functional>

#include "tests/unit/middleware/crypt_pipeline.h"

using namespace apus;
using namespace apus::testing;

namespace {

constexpr const char* kPath = "/v1/AUTH_a/c/o";
constexpr const char* kBody = "hello, encrypted world";
constexpr const char* kPlainEtag = "cb6fc5e0b6b3cd981404333b418e7433";
constexpr const char* kBodyMeta = "X-Object-Sysmeta-Crypto-Body-Meta";
constexpr const char* kEtag = "X-Object-Sysmeta-Crypto-Etag";
constexpr const char* kEtagMac = "X-Object-Sysmeta-Crypto-Etag-Mac";
constexpr const char* kListingEtag = "X-Object-Sysmeta-Container-Update-Override-Etag";
constexpr const char* kMeta = "X-Object-Transient-Sysmeta-Crypto-Meta";
constexpr const char* kMetaColor = "X-Object-Transient-Sysmeta-Crypto-Meta-Color";

const OptionTexts kTwo = {{"encryption_root_secret", root_secret('r')},
                          {"encryption_root_secret_two", root_secret('2', 40)}};

OptionTexts with(OptionTexts options, const std::string& name, const std::string& value) {
  options[name] = value;
  return options;
}

std::string meta_text(const std::string& json) { return quote_plus(json); }

void check_refused(Response out, const std::string& text) {
  CHECK(out.status == 500);
  CHECK(body_of(out) == text);
}

}  // namespace

// The texts below are what Swift 2.30.1 makes of the same requests and the same random bytes.
TEST_CASE("encryption: an object is stored byte for byte as Swift stores it") {
  CryptPipeline crypt;
  crypt.host.stepped = true;
  Response out = crypt.put(kPath, kBody,
                           {{"X-Object-Meta-Color",
                             "bl\xc3\xbc"
                             "e"}});
  CHECK(out.status == 201);
  CHECK(out.headers.get("Etag") == kPlainEtag);
  const FakeCall call = crypt.app.last();
  CHECK(base64_encode(*call.body) == "WBrC8ThfmRj9u9HwYF6Uoa5b1Ha5xw==");
  CHECK(call.footers.get("Etag") == "439b3f69d9891a6d2f64aa3705395cc5");
  CHECK(call.footers.get(kEtag) ==
        "c0R2FppJJJycb0WxLFEIWJNDTcB1/M1E+OSBtwrY/Xs=; swift_meta=%7B%22cipher%22%3A+%22AES_CTR_256"
        "%22%2C+%22iv%22%3A+%22ECEyQ1RldoeYqbrL3O3%2BDw%3D%3D%22%7D");
  CHECK(call.footers.get(kBodyMeta) ==
        "%7B%22body_key%22%3A+%7B%22iv%22%3A+%22ECEyQ1RldoeYqbrL3O3%2BDw%3D%3D%22%2C+%22key%22%3A+"
        "%22AAdyM60ZNytm8J1Jk9jPb4JGP6ciunixZGxzCdERwFc%3D%22%7D%2C+%22cipher%22%3A+%22AES_CTR_256%"
        "22%2C+%22iv%22%3A+%22ECEyQ1RldoeYqbrL3O3%2BDw%3D%3D%22%2C+%22key_id%22%3A+%7B%22path%22%3A"
        "+%22%2FAUTH_a%2Fc%2Fo%22%2C+%22v%22%3A+%222%22%7D%7D");
  CHECK(call.footers.get(kEtagMac) == "7Hmzpm6lReR1YTUxqBRJx8BYeb9x0Cbp/DM3R+So0bg=");
  CHECK(call.footers.get(kListingEtag) ==
        "fhtjpd4BlTgn8nvaYJBa73NIY27llTQrdsGYLF1JOB8=; swift_meta=%7B%22cipher%22%3A+%22AES_CTR_256"
        "%22%2C+%22iv%22%3A+%22ECEyQ1RldoeYqbrL3O3%2BDw%3D%3D%22%2C+%22key_id%22%3A+%7B%22path%22%3"
        "A+%22%2FAUTH_a%2Fc%2Fo%22%2C+%22v%22%3A+%222%22%7D%7D");
  CHECK(call.internal.get(kMetaColor) ==
        "ckqDzJw=; swift_meta=%7B%22cipher%22%3A+%22AES_CTR_256%22%2C+%22iv%22%3A+%22ECEyQ1RldoeYqb"
        "rL3O3%2BDw%3D%3D%22%7D");
  CHECK(call.internal.get(kMeta) ==
        "%7B%22cipher%22%3A+%22AES_CTR_256%22%2C+%22key_id%22%3A+%7B%22path%22%3A+%22%2FAUTH_a%2Fc%"
        "2Fo%22%2C+%22v%22%3A+%222%22%7D%7D");
  CHECK_FALSE(call.headers.has("X-Object-Meta-Color"));
}

TEST_CASE("encryption: other secrets, names and versions as Swift stores them") {
  struct Case {
    const char* active;
    const char* version;
    const char* target;
    const char* key_id;
    const char* etag;
    const char* mac;
  };
  const Case cases[] = {
      {"two", "3", "/v1/AUTH_a/c/%C3%A9%20t",
       R"({"path": "/AUTH_a/c/\u00e9 t", "secret_id": "two", "v": "3"})",
       "uP5CmwCuSWs4hgjjnFJ7/gE9V1ufhL1sp3DGNNJIVpg=",
       "aRPFjYG8pmUOAaCwugbtap/ALNHktByftpf8sPUKFss="},
      {"two", "2", "/v1/AUTH_a/c/%C3%A9%20t",
       R"({"path": "/AUTH_a/c/\u00c3\u00a9 t", "secret_id": "two", "v": "2"})",
       "uP5CmwCuSWs4hgjjnFJ7/gE9V1ufhL1sp3DGNNJIVpg=",
       "aRPFjYG8pmUOAaCwugbtap/ALNHktByftpf8sPUKFss="},
      {"", "1", "/v1/AUTH_a/c//s", R"({"path": "/s", "v": "1"})",
       "VB/w6Lc9UTl865Qa4oUj8yUMXx3Mpaiy1X/LcFiYFhM=",
       "++Q2aKcBp/DZ99gB4/qB4kvm03RceRjXr1yqO3+Ye4Q="},
  };
  for (const Case& one : cases) {
    CAPTURE(one.key_id);
    CryptPipeline crypt(with(with(kTwo, "active_root_secret_id", one.active),
                             "meta_version_to_write", one.version));
    crypt.host.stepped = true;
    crypt.put(one.target, kBody, {{"X-Object-Meta-Color", "blue"}});
    const FakeCall call = crypt.app.last();
    CHECK(call.footers.get(kEtag).starts_with(one.etag));
    CHECK(call.footers.get(kEtagMac) == one.mac);
    CHECK(call.footers.get(kBodyMeta).find(quote_plus(one.key_id)) != std::string::npos);
    Response out = crypt.ask("GET", one.target);
    CHECK(body_of(out) == kBody);
    CHECK(out.headers.get("Etag") == kPlainEtag);
    CHECK(out.headers.get("X-Object-Meta-Color") == "blue");
  }
}

TEST_CASE("encryption: reads bring back what was stored, and nothing of how") {
  CryptPipeline crypt;
  std::string body;
  for (int i = 0; i < 5000; ++i) body += std::to_string(i);
  crypt.put(kPath, body, {{"X-Object-Meta-Color", "blue"}, {"X-Object-Meta-Empty", ""}},
            {{"X-Object-Sysmeta-Other", "kept"}});
  CHECK(crypt.objects.at(kPath).body.size() == body.size());
  CHECK(crypt.objects.at(kPath).body != body);
  for (const char* method : {"GET", "HEAD"}) {
    Response out = crypt.ask(method, kPath);
    CHECK(out.status == 200);
    CHECK(out.headers.get("Etag") == md5_hex(body));
    CHECK(out.headers.get("X-Object-Meta-Color") == "blue");
    CHECK(out.internal.get("X-Object-Sysmeta-Other") == "kept");
    CHECK(out.internal.get(kListingEtag) == md5_hex(body));
    CHECK(out.content_length == body.size());
    for (const auto& field : out.internal)
      CHECK_MESSAGE(field.first.find("Crypto") == std::string::npos, field.first);
    if (std::string_view(method) == "GET") CHECK(body_of(out) == body);
  }
}

TEST_CASE("encryption: ranges, one and several") {
  CryptPipeline crypt;
  std::string body;
  for (int i = 0; i < 300; ++i) body += "line " + std::to_string(i) + "\r\n\r\n";
  crypt.put(kPath, body);
  for (const std::size_t first : {0U, 1U, 15U, 16U, 17U, 33U, 1000U}) {
    Response out =
        crypt.ask("GET", kPath,
                  {{"Range", "bytes=" + std::to_string(first) + "-" + std::to_string(first + 99)}});
    CHECK(out.status == 206);
    CHECK(body_of(out) == body.substr(first, 100));
  }
  Response tail = crypt.ask("GET", kPath, {{"Range", "bytes=-5"}});
  CHECK(body_of(tail) == body.substr(body.size() - 5));

  Response several = crypt.ask("GET", kPath, {{"Range", "bytes=3-20,100-116,-7"}});
  CHECK(several.status == 206);
  const auto length = several.content_length;
  const std::string parts = body_of(several);
  CHECK(parts.size() == length);
  for (const std::string& part :
       {body.substr(3, 18), body.substr(100, 17), body.substr(body.size() - 7)})
    CHECK(parts.find("\r\n\r\n" + part + "\r\n--0123456789abcdef") != std::string::npos);
  CHECK(parts.ends_with("--0123456789abcdef--"));
  CHECK(crypt.ask("GET", kPath, {{"Range", "bytes=99999-"}}).status == 416);
}

TEST_CASE("encryption: an answer with several ranges may be malformed") {
  CryptPipeline crypt;
  crypt.put(kPath, kBody);
  const Headers stored = crypt.objects.at(kPath).internal;
  const std::string part = "--b\r\nContent-Type: a\r\nContent-Range: bytes ";
  const auto answer = [&](std::string body) {
    crypt.app.on("GET", kPath,
                 FakeAnswer{206,
                            {{"Content-Type", "multipart/byteranges;boundary=b"}},
                            std::move(body),
                            stored,
                            1});
    return crypt.ask("GET", kPath, {{"Range", "bytes=0-1,3-4"}});
  };
  for (const std::string& bad :
       {part + "x-y/z\r\n\r\nab", part + "5-1/9\r\n\r\nab", part + "*/9\r\n\r\nab",
        std::string("--b\r\nContent-Type: a\r\n\r\nab"), std::string("\r\n\r\n"),
        std::string(70000, 'x')}) {
    Response out = answer(bad);
    CHECK_THROWS_AS(body_of(out), BodyError);
  }
  // Cut off: what is there comes, no more.
  Response cut = answer(part + "0-9/22\r\n\r\nabc");
  CHECK(body_of(cut).size() == part.size() + 13);
}

TEST_CASE("encryption: conditions are held against the plain ETag") {
  CryptPipeline crypt(kTwo);
  crypt.put(kPath, kBody);
  const std::string quoted = "\"" + std::string(kPlainEtag) + "\"";
  CHECK(crypt.ask("GET", kPath, {{"If-Match", quoted}}).status == 200);
  CHECK(crypt.ask("GET", kPath, {{"If-Match", "other, " + std::string(kPlainEtag)}}).status == 200);
  CHECK(crypt.ask("GET", kPath, {{"If-Match", "*"}}).status == 200);
  CHECK(crypt.ask("GET", kPath, {{"If-None-Match", quoted}}).status == 304);
  CHECK(crypt.ask("GET", kPath, {{"If-None-Match", "other"}}).status == 200);
  const Response unmet = crypt.ask("HEAD", kPath, {{"If-Match", "other"}});
  CHECK(unmet.status == 412);
  CHECK(unmet.headers.get("Etag") == kPlainEtag);
  // The secret it was written under is not the active one any more.
  CryptPipeline later(with(kTwo, "active_root_secret_id", "two"));
  later.objects = crypt.objects;
  later.serve(kPath);
  CHECK(later.ask("GET", kPath, {{"If-Match", quoted}}).status == 200);
  CHECK(later.ask("GET", kPath, {{"If-None-Match", quoted}}).status == 304);
  // Stored before there was encryption.
  later.app.object("/v1/AUTH_a/c/plain", "plain");
  CHECK(later.ask("GET", "/v1/AUTH_a/c/plain", {{"If-Match", md5_hex("plain")}}).status == 200);
}

TEST_CASE("encryption: the conditions that the object server sees, and what is left of them") {
  CryptPipeline crypt;
  crypt.app.object(kPath, "plain");
  Request request = make_request("GET", kPath, {{"If-Match", "\"a\", *"}, {"If-None-Match", "b"}});
  request.internal.set("X-Backend-Etag-Is-At", "X-Object-Sysmeta-Slo-Etag");
  (*crypt.outer)(request);
  const auto mac = [](const char* etag) {
    return "\"" +
           base64_encode(hmac(DigestKind::kSha256,
                              hmac(DigestKind::kSha256, std::string(32, 'r'), "/AUTH_a/c/o"),
                              etag)) +
           "\"";
  };
  const FakeCall call = crypt.app.last();
  CHECK(call.headers.get("If-Match") == "\"a\", " + mac("a") + ", *");
  CHECK(call.headers.get("If-None-Match") == "\"b\", " + mac("b"));
  CHECK(call.internal.get("X-Backend-Etag-Is-At") ==
        "X-Object-Sysmeta-Slo-Etag,X-Object-Sysmeta-Crypto-Etag-Mac");
  CHECK(request.headers.get("If-Match") == "\"a\", *");
  CHECK(request.headers.get("If-None-Match") == "b");
  CHECK(request.internal.get("X-Backend-Etag-Is-At") == "X-Object-Sysmeta-Slo-Etag");
}

TEST_CASE("encryption: a body that is not what its ETag says") {
  CryptPipeline crypt;
  CHECK(crypt.put(kPath, kBody, {{"Etag", kPlainEtag}}).status == 201);
  CHECK(crypt.put(kPath, kBody, {{"Etag", "\"" + std::string(kPlainEtag) + "\""}}).status == 201);
  CHECK_FALSE(crypt.app.last().headers.has("Etag"));
  crypt.app.leave_bodies().on("PUT", kPath, [](Request& request) {
    read_all(request.body.get(), 1000);
    Headers footers;
    request.context.update_footers(footers);
    return Response(201);
  });
  Response out = crypt.ask("PUT", kPath, {{"Etag", "0123456789abcdef0123456789abcdef"}}, kBody);
  CHECK(out.status == 422);
}

TEST_CASE("encryption: filters in front may add footers, and say what listings show") {
  CryptPipeline crypt;
  Request request = make_request("PUT", kPath, {}, kBody);
  request.internal.set(kListingEtag, "shown; slo_etag=x");
  request.context.update_footers = [](Headers& to) { to.set("X-Object-Sysmeta-Late", "y"); };
  crypt.app.on("PUT", kPath, FakeAnswer{201});
  (*crypt.outer)(request);
  const FakeCall call = crypt.app.last();
  CHECK(call.footers.get("X-Object-Sysmeta-Late") == "y");
  crypt.objects[kPath] = {*call.body, "e", {}, call.footers};
  crypt.objects[kPath].internal.erase("Etag");
  crypt.serve(kPath);
  CHECK(crypt.ask("GET", kPath).internal.get(kListingEtag) == "shown; slo_etag=x");
}

TEST_CASE("encryption: nothing is encrypted of nothing") {
  CryptPipeline crypt;
  crypt.put(kPath, "", {{"Etag", "d41d8cd98f00b204e9800998ecf8427e"}, {"X-Object-Meta-A", "b"}});
  const FakeCall call = crypt.app.last();
  CHECK(call.footers.get("Etag") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(call.footers.size() == 1);
  CHECK(call.internal.has("X-Object-Transient-Sysmeta-Crypto-Meta-A"));
  crypt.put(kPath, "", {},
            {{kListingEtag, "d41d8cd98f00b204e9800998ecf8427e; symlink_target=c/o"}});
  CHECK(crypt.app.last().footers.get(kListingEtag).find("swift_meta=") != std::string::npos);
  // Its key is found by its own meta: there is no body's to tell of a former secret.
  CryptPipeline later({{"encryption_root_secret", root_secret('r')},
                       {"encryption_root_secret_b", root_secret('b')},
                       {"active_root_secret_id", "b"}});
  later.objects = crypt.objects;
  later.serve(kPath);
  CHECK(later.ask("GET", kPath).internal.get(kListingEtag) ==
        "d41d8cd98f00b204e9800998ecf8427e; symlink_target=c/o");
  crypt.put(kPath, "", {}, {{kListingEtag, "d41d8cd98f00b204e9800998ecf8427e"}});
  CHECK_FALSE(crypt.app.last().footers.has(kListingEtag));
  Response out = crypt.ask("GET", kPath);
  CHECK(out.status == 200);
  CHECK(body_of(out).empty());
}

TEST_CASE("encryption: a POST encrypts metadata under the keys of today") {
  CryptPipeline crypt(kTwo);
  crypt.put(kPath, kBody);
  CryptPipeline later(with(kTwo, "active_root_secret_id", "two"));
  later.objects = crypt.objects;
  later.app.on("POST", kPath, FakeAnswer{202});
  CHECK(later.ask("POST", kPath, {{"X-Object-Meta-Color", "red"}}).status == 202);
  const FakeCall call = later.app.last();
  CHECK(call.internal.get(kMeta).find("two") != std::string::npos);
  CHECK_FALSE(call.headers.has("X-Object-Meta-Color"));
  for (const char* name : {kMeta, kMetaColor})
    later.objects.at(kPath).internal.set(name, std::string(call.internal.get(name)));
  later.serve(kPath);
  Response out = later.ask("GET", kPath);
  CHECK(out.headers.get("X-Object-Meta-Color") == "red");
  CHECK(body_of(out) == kBody);
}

TEST_CASE("encryption: metadata is judged by its length before it grows") {
  CryptPipeline crypt;
  crypt.app.on("POST", kPath, FakeAnswer{202});
  CHECK(crypt.ask("POST", kPath, {{"X-Object-Meta-A", std::string(256, 'a')}}).status == 202);
  CHECK(crypt.ask("POST", kPath, {{"X-Object-Meta-A", std::string(257, 'a')}}).status == 400);
  CHECK(crypt.ask("PUT", kPath, {{"X-Object-Meta-A", std::string(257, 'a')}}, "b").status == 400);
}

TEST_CASE("encryption: disabled, it still reads; overridden, it does nothing") {
  CryptPipeline crypt;
  crypt.put(kPath, kBody);
  CryptPipeline disabled({{"encryption_root_secret", root_secret('r')}},
                         {{"disable_encryption", "yes"}});
  disabled.objects = crypt.objects;
  disabled.serve(kPath);
  Response out = disabled.ask("GET", kPath, {{"If-Match", kPlainEtag}});
  CHECK(body_of(out) == kBody);
  disabled.put("/v1/AUTH_a/c/plain", "plain", {{"X-Object-Meta-A", "b"}});
  CHECK(disabled.app.last().body == "plain");
  CHECK(disabled.app.last().headers.get("X-Object-Meta-A") == "b");
  Response plain = disabled.ask("GET", "/v1/AUTH_a/c/plain");
  CHECK(body_of(plain) == "plain");
  CHECK(crypt.host.info().document(true, {}).find(R"("encryption": {"enabled": true})") !=
        std::string::npos);
  CHECK(disabled.host.info().document(true, {}).find(R"("encryption": {"enabled": false})") !=
        std::string::npos);
  CHECK(disabled.host.info().document(false, {}).find("encryption") == std::string::npos);

  Request request = make_request("GET", kPath);
  request.context.crypto_override = true;
  Response raw = (*crypt.outer)(request);
  CHECK(body_of(raw) == crypt.objects.at(kPath).body);
  CHECK(raw.internal.has(kBodyMeta));
}

TEST_CASE("encryption: without keys nothing is stored or read") {
  CryptPipeline crypt;
  crypt.app.object(kPath, "plain").otherwise(FakeAnswer{201});
  for (const char* method : {"PUT", "POST", "GET", "HEAD"}) {
    CAPTURE(method);
    Request request = make_request(method, kPath);
    if (std::string_view(method) == "PUT") request.content_length = 0;
    Response out = (*crypt.inner)(request);
    CHECK(out.status == 500);
    CHECK(out.content_length == 35);
    CHECK(out.headers.get("Content-Type") == "text/html; charset=UTF-8");
    if (std::string_view(method) == "GET")
      CHECK(body_of(out) == "Unable to retrieve encryption keys.");
  }
  CHECK(crypt.host.log.has("no keymaster"));
  // Keys of another size.
  Request request = make_request("GET", kPath);
  request.context.fetch_crypto_keys = [](const Json*) {
    auto keys = std::make_shared<CryptoKeys>();
    keys->object = Secret(std::string(31, 'k'));
    return std::shared_ptr<const CryptoKeys>(std::move(keys));
  };
  check_refused((*crypt.inner)(request), "Unable to retrieve encryption keys.");
}

TEST_CASE("encryption: malformed meta is a 500 that says what it could not decrypt") {
  CryptPipeline crypt;
  crypt.put(kPath, kBody, {{"X-Object-Meta-Color", "blue"}});
  const StoredObject good = crypt.objects.at(kPath);
  const std::string iv = R"("iv": "ECEyQ1RldoeYqbrL3O3+Dw==")";
  const std::string cipher = R"("cipher": "AES_CTR_256")";
  const std::string key = R"("key": "AAdyM60ZNytm8J1Jk9jPb4JGP6ciunixZGxzCdERwFc=")";
  const auto body_key = [&](const std::string& inside) {
    return meta_text("{" + cipher + ", " + iv + R"(, "body_key": )" + inside + "}");
  };
  const std::string object = "Error decrypting object";
  const std::string header = "Error decrypting header";
  const std::string no_keys = "Unable to retrieve encryption keys.";
  struct Case {
    const char* name;
    std::string text;
    std::string answer;
  };
  std::vector<Case> cases = {
      {kBodyMeta, "", object},
      {kBodyMeta, "%7B", object},
      {kBodyMeta, "no json", object},
      {kBodyMeta, "[1]", object},
      {kBodyMeta, meta_text("{" + cipher + "}"), object},
      {kBodyMeta, meta_text("{" + iv + "}"), object},
      {kBodyMeta, meta_text("{" + iv + R"(, "cipher": "ROT_13"})"), object},
      {kBodyMeta, meta_text("{" + iv + R"(, "cipher": 5})"), object},
      {kBodyMeta, meta_text("{" + cipher + R"(, "iv": "%%%%"})"), object},
      {kBodyMeta, meta_text("{" + cipher + R"(, "iv": "ECE="})"), object},
      {kBodyMeta, meta_text("{" + cipher + R"(, "iv": 17})"), object},
      {kBodyMeta, meta_text("{" + cipher + ", " + iv + "}"), object},
      {kBodyMeta, body_key("{}"), object},
      {kBodyMeta, body_key("7"), object},
      {kBodyMeta, body_key("{" + iv + "}"), object},
      {kBodyMeta, body_key("{" + key + "}"), object},
      {kBodyMeta, body_key("{" + key + R"(, "iv": "ECE="})"), object},
      {kBodyMeta, body_key("{" + iv + R"(, "key": "ECE="})"), object},
      {kBodyMeta, body_key("{" + iv + R"(, "key": "??"})"), object},
      {kBodyMeta,
       meta_text("{" + cipher + ", " + iv +
                 R"(, "key_id": {"v": "2", "path": "/AUTH_a/c/o", "secret_id": "gone"}})"),
       object},
      {kBodyMeta, meta_text("{" + cipher + ", " + iv + R"(, "key_id": {"v": "9"}})"), no_keys},
      {kBodyMeta, meta_text("{" + cipher + ", " + iv + R"(, "key_id": "x"})"), no_keys},
      {kMeta, "{", object},
      {kMeta, meta_text(R"({"iv": "?"})"), object},
      {kMeta, meta_text(R"({"key_id": {"v": "2", "path": "/a", "secret_id": "gone"}})"), object},
      {kMeta, meta_text(R"({"key_id": {"v": "2", "path": 3}})"), no_keys},
      {kEtag, "plain", header},
      {kEtag, "AAAA; swift_meta=%7B%7D", header},
      {kEtag, "AAAA; swift_meta=5", header},
      {kEtag, "A; swift_meta=" + meta_text("{" + cipher + ", " + iv + "}"), header},
      {kEtag, "AAAA; swift_meta=" + meta_text("{" + cipher + "}"), header},
      {kListingEtag, "AAAA; swift_meta=", header},
      {kMetaColor, "blue", header},
      {kMetaColor, "AAAA; swift_meta=" + meta_text("{" + iv + R"(, "cipher": ""})"), header},
  };
  // Nested beyond reason, and large beyond reason.
  cases.push_back({kBodyMeta, meta_text(std::string(5000, '[')), object});
  cases.push_back({kBodyMeta, std::string(600000, '7'), object});
  for (const Case& one : cases) {
    CAPTURE(one.name);
    CAPTURE(one.text.substr(0, 200));
    crypt.objects[kPath] = good;
    crypt.objects[kPath].internal.set(one.name, one.text);
    check_refused(crypt.ask("GET", kPath), one.answer);
  }
  // What is encrypted with a key that is none of its own may hold anything: not in a header.
  crypt.objects[kPath] = good;
  const std::string object_key = hmac(DigestKind::kSha256, std::string(32, 'r'), "/AUTH_a/c/o");
  const std::string line = base64_encode(
      CtrCipher(object_key, std::string(16, 'i')).apply(std::string_view("a\r\nX-Evil: b")));
  crypt.objects[kPath].internal.set(
      kMetaColor,
      line + "; swift_meta=" +
          meta_text("{" + cipher + R"(, "iv": ")" + base64_encode(std::string(16, 'i')) + "\"}"));
  check_refused(crypt.ask("GET", kPath), header);
  CHECK(crypt.host.log.text().find(object_key) == std::string::npos);
}

TEST_CASE("encryption: hashes of a listing") {
  CryptPipeline crypt(kTwo);
  crypt.put(kPath, kBody);
  const std::string hash(crypt.app.last().footers.get(kListingEtag));
  crypt.put(kPath, "x", {}, {{kListingEtag, "abc; symlink_target=c/\xc3\xa9"}});
  const std::string link(crypt.app.last().footers.get(kListingEtag));
  const auto meta = [](const std::string& json) { return "AAAA; swift_meta=" + quote_plus(json); };
  const std::string cipher = R"("cipher": "AES_CTR_256", "iv": "ECEyQ1RldoeYqbrL3O3+Dw==")";
  const std::string gone =
      meta("{" + cipher + R"(, "key_id": {"v": "2", "path": "/AUTH_a/c/o", "secret_id": "gone"}})");
  Json::Array rows;
  for (const std::string& text : {std::string("plain"), hash, link, gone, gone, meta("{"),
                                  meta("{" + cipher + "}") + "A", std::string("y; swift_meta=7"),
                                  std::string("?; swift_meta=") + quote_plus("{" + cipher + "}")}) {
    Json row;
    row.set("bytes", 5);
    row.set("hash", text);
    rows.push_back(row);
  }
  Json folder;
  folder.set("subdir", "swift_meta=/");
  rows.push_back(folder);
  crypt.app.on(
      "GET", "/v1/AUTH_a/c",
      FakeAnswer{200, {{"Content-Type", "application/json; charset=utf-8"}}, Json(rows).dump()});
  Response out = crypt.ask("GET", "/v1/AUTH_a/c?format=json");
  const auto length = out.content_length;
  const std::string text = body_of(out);
  CHECK(text.size() == length);
  const Json listing = *Json::parse(text);
  const auto hash_at = [&](std::size_t i) { return *(*listing.array())[i].find("hash")->text(); };
  CHECK(hash_at(0) == "plain");
  CHECK(hash_at(1) == kPlainEtag);
  CHECK(hash_at(2) == "abc; symlink_target=c/\xc3\xa9");
  for (const std::size_t i : {3U, 4U, 5U, 6U, 7U, 8U}) CHECK(hash_at(i) == "<unknown>");
  CHECK(listing.array()->back().dump() == R"({"subdir": "swift_meta=/"})");
  // The unknown secret is told once a listing.
  const std::string log = crypt.host.log.text();
  CHECK(log.find("'gone'") != std::string::npos);
  CHECK(log.find("'gone'") == log.rfind("'gone'"));
}

TEST_CASE("encryption: other answers of containers pass") {
  CryptPipeline crypt;
  const std::string text = R"([{"hash": "A; swift_meta=7"}])";
  crypt.app.on("GET", "/v1/AUTH_a/c", FakeAnswer{200, {{"Content-Type", "text/plain"}}, text});
  Response plain = crypt.ask("GET", "/v1/AUTH_a/c");
  CHECK(body_of(plain) == text);
  crypt.app.on("GET", "/v1/AUTH_a/c",
               FakeAnswer{404, {{"Content-Type", "application/json"}}, text});
  Response missing = crypt.ask("GET", "/v1/AUTH_a/c");
  CHECK(body_of(missing) == text);
  crypt.app.on("GET", "/v1/AUTH_a/c",
               FakeAnswer{200, {{"Content-Type", "application/json"}}, "swift_meta=, but no JSON"});
  Response broken = crypt.ask("GET", "/v1/AUTH_a/c");
  CHECK(body_of(broken) == "swift_meta=, but no JSON");
  crypt.app.otherwise(FakeAnswer{204});
  CHECK(crypt.ask("DELETE", kPath).status == 204);
  CHECK(crypt.ask("PUT", "/v1/AUTH_a/c").status == 204);
}
