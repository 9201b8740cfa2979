#include <apus/crypto_keys.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

#include <stdexcept>

#include "tests/unit/middleware/crypt_pipeline.h"

using namespace apus;
using namespace apus::testing;

namespace {

const std::string kSecret(32, 'r');
const std::string kOther(40, '2');

// The text by which it refuses to start; empty when it starts.
std::string refusal(const OptionTexts& options) {
  TestHost host;
  const FakeApp app;
  try {
    load_filter("keymaster", options, host, app);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

bool says(const OptionTexts& options, const char* piece) {
  const std::string text = refusal(options);
  CAPTURE(text);
  return text.find(piece) != std::string::npos;
}

// The keys that a request behind the filter gets.
struct Asked {
  explicit Asked(const OptionTexts& options)
      : filter(load_filter("keymaster", options, host, app)) {
    app.otherwise([this](Request& request) {
      fetch = request.context.fetch_crypto_keys;
      return Response(200);
    });
  }
  std::shared_ptr<const CryptoKeys> keys(const std::string& target, const char* id = nullptr) {
    Request request = make_request("GET", target);
    (*filter)(request);
    CHECK_FALSE(request.context.fetch_crypto_keys);
    if (id == nullptr) return fetch(nullptr);
    const auto json = Json::parse(id);
    REQUIRE(json);
    return fetch(&*json);
  }

  TestHost host;
  FakeApp app;
  decltype(Context::fetch_crypto_keys) fetch;
  std::unique_ptr<const App> filter;
};

const OptionTexts kTwoSecrets = {{"encryption_root_secret", base64_encode(kSecret)},
                                 {"encryption_root_secret_two", base64_encode(kOther)},
                                 {"active_root_secret_id", "two"}};

std::string key(const std::string& secret, const std::string& path) {
  return hmac(DigestKind::kSha256, secret, path);
}

}  // namespace

TEST_CASE("keymaster: what does not start, and why") {
  CHECK(refusal({{"encryption_root_secret", root_secret('r')}}).empty());
  CHECK(refusal(kTwoSecrets).empty());
  CHECK(says({}, "encryption_root_secret is not set"));
  CHECK(says({{"encryption_root_secret", "changeme"}}, "Swift's sample conf"));
  CHECK(says({{"encryption_root_secret_7", " CHANGEME "}}, "encryption_root_secret_7"));
  const char* least = "must be a base64 encoding of at least 32 raw bytes";
  CHECK(says({{"encryption_root_secret", root_secret('r', 31)}}, least));
  CHECK(says({{"encryption_root_secret", std::string(44, '!')}}, least));
  CHECK(says({{"encryption_root_secret", std::string(44, '-')}}, least));
  CHECK(says({{"encryption_root_secret", root_secret('r').substr(1)}}, least));
  CHECK(says({{"encryption_root_secret", root_secret('r')}, {"active_root_secret_id", "x"}},
             "No secret loaded for active_root_secret_id x"));
  CHECK(says({{"encryption_root_secret_", root_secret('r')}}, "Malformed root secret option name"));
  CHECK(says({{"encryption_root_secrets", root_secret('r')}}, "Malformed root secret option name"));
  CHECK_FALSE(
      refusal({{"encryption_root_secret", root_secret('r')}, {"meta_version_to_write", "4"}})
          .empty());
}

TEST_CASE("keymaster: no refusal shows a secret") {
  const std::string secret = root_secret('r', 31);
  CHECK(refusal({{"encryption_root_secret", secret}}).find(secret) == std::string::npos);
}

TEST_CASE("keymaster: a file of its own") {
  TempTree tree;
  const std::string path = tree.write(
      "keymaster.conf", "[keymaster]\nencryption_root_secret_a = " + base64_encode(kSecret) +
                            "\nactive_root_secret_id = a\n");
  Asked asked({{"keymaster_config_path", path}});
  CHECK(asked.keys("/v1/a/c")->container.bytes() == key(kSecret, "/a/c"));
  CHECK(says({{"keymaster_config_path", path}, {"encryption_root_secret", root_secret('r')}},
             "encryption_root_secret"));
  CHECK(says({{"keymaster_config_path", path + "x"}}, "cannot read"));
  const std::string empty = tree.write("other.conf", "[other]\na = b\n");
  CHECK(says({{"keymaster_config_path", empty}}, "no section [keymaster]"));
  const std::string sample =
      tree.write("sample.conf", "[keymaster]\nencryption_root_secret = changeme\n");
  CHECK(says({{"keymaster_config_path", sample}}, sample.c_str()));
}

TEST_CASE("keymaster: a folder of files, the later over the earlier") {
  TempTree tree;
  const std::string one =
      tree.write("keymaster.conf.d/10-first.conf",
                 "[keymaster]\nencryption_root_secret_a = " + base64_encode(kSecret) +
                     "\nactive_root_secret_id = a\n");
  tree.write("keymaster.conf.d/20-second.conf",
             "[keymaster]\nencryption_root_secret_b = " + base64_encode(kOther) +
                 "\nactive_root_secret_id = b\n");
  tree.write("keymaster.conf.d/30-not-this.conf.bak", "[keymaster]\nactive_root_secret_id = c\n");
  const std::string folder = one.substr(0, one.rfind('/'));
  Asked asked({{"keymaster_config_path", folder}});
  const auto keys = asked.keys("/v1/a/c");
  CHECK(keys->container.bytes() == key(kOther, "/a/c"));
  CHECK(keys->all_ids.size() == 2);
  const std::string other = tree.write("empty.conf.d/readme", "nothing");
  CHECK(says({{"keymaster_config_path", other.substr(0, other.rfind('/'))}}, "empty.conf.d"));
}

TEST_CASE("keymaster: keys are made of the path and the active secret") {
  Asked asked(kTwoSecrets);
  const auto object = asked.keys("/v1/AUTH_a/c/o/p");
  CHECK(object->container.bytes() == key(kOther, "/AUTH_a/c"));
  CHECK(object->object.bytes() == key(kOther, "/AUTH_a/c/o/p"));
  CHECK(object->id.dump(false, true) ==
        R"({"path": "/AUTH_a/c/o/p", "secret_id": "two", "v": "2"})");
  REQUIRE(object->all_ids.size() == 2);
  CHECK(object->all_ids[0].dump(false, true) == R"({"path": "/AUTH_a/c/o/p", "v": "2"})");
  CHECK(object->all_ids[1].dump() == object->id.dump());
  const auto container = asked.keys("/v1/AUTH_a/c");
  CHECK(container->container.bytes() == key(kOther, "/AUTH_a/c"));
  CHECK(container->object.empty());
  CHECK(asked.keys("/v1/AUTH_a")->container.empty());
}

TEST_CASE("keymaster: the keys of a stored id") {
  Asked asked(kTwoSecrets);
  const auto old = asked.keys("/v1/AUTH_a/c/o", R"({"v": "2", "path": "/AUTH_a/c/o"})");
  CHECK(old->object.bytes() == key(kSecret, "/AUTH_a/c/o"));
  CHECK(old->id.find("secret_id") == nullptr);
  CHECK_THROWS_AS(
      asked.keys("/v1/AUTH_a/c/o", R"({"v": "2", "path": "/AUTH_a/c/o", "secret_id": "gone"})"),
      UnknownSecretId);
  // An empty one is none.
  CHECK(asked.keys("/v1/AUTH_a/c/o", "{}")->object.bytes() == key(kOther, "/AUTH_a/c/o"));
  // Moved behind encryption: the keys are still those it was written with.
  CHECK_FALSE(asked.host.log.has("stored with what was asked for"));
  CHECK(asked.keys("/v1/AUTH_a/c/o", R"({"v": "2", "path": "/AUTH_b/d/p"})")->object.bytes() ==
        key(kSecret, "/AUTH_b/d/p"));
  CHECK(asked.host.log.has("/AUTH_b/d/p, which is stored with what was asked for: /AUTH_a/c/o"));
}

TEST_CASE("keymaster: versions of ids and the paths they hold") {
  Asked asked(kTwoSecrets);
  const std::string target = "/v1/AUTH_a/c/%C3%A9";
  const std::string good = key(kSecret, "/AUTH_a/c/\xc3\xa9");
  const char* bytes = R"({"v": "2", "path": "/AUTH_a/c/\u00c3\u00a9"})";
  const char* characters = R"({"v": "2", "path": "/AUTH_a/c/\u00e9"})";
  CHECK(asked.keys(target, bytes)->object.bytes() == good);
  CHECK(asked.keys(target, characters)->object.bytes() == good);
  CHECK(asked.keys(target, R"({"v": "3", "path": "/AUTH_a/c/\u00e9"})")->object.bytes() == good);
  CHECK(asked.keys(target, R"({"v": "3", "path": "/AUTH_a/c/\u00c3\u00a9"})")->object.bytes() ==
        key(kSecret, "/AUTH_a/c/\xc3\x83\xc2\xa9"));
  // In a listing the object's part of the path says nothing; the container's does.
  CHECK(asked.keys("/v1/AUTH_a/%C3%A9", R"({"v": "2", "path": "/AUTH_a/\u00c3\u00a9/o"})")
            ->container.bytes() == key(kSecret, "/AUTH_a/\xc3\xa9"));
  // Version 1 kept nothing but the name of an object that begins with a slash.
  const auto bare = asked.keys("/v1/AUTH_a/c//s", R"({"v": "1", "path": "/s"})");
  CHECK(bare->object.bytes() == key(kSecret, "/s"));
  CHECK(bare->container.bytes() == key(kSecret, "/AUTH_a/c"));
  CHECK(asked.keys("/v1/AUTH_a/c//s", R"({"v": "2", "path": "/AUTH_a/c//s"})")->object.bytes() ==
        key(kSecret, "/AUTH_a/c//s"));
}

TEST_CASE("keymaster: malformed ids bring no keys") {
  Asked asked(kTwoSecrets);
  for (const char* id :
       {R"("text")", "5", "[1]", "true", R"({"path": "/AUTH_a/c/o"})", R"({"v": "2"})",
        R"({"v": 2, "path": "/AUTH_a/c/o"})", R"({"v": "4", "path": "/AUTH_a/c/o"})",
        R"({"v": "2", "path": ["a"]})", R"({"v": "2", "path": ""})", R"({"v": "2", "path": "//"})",
        R"({"v": "2", "path": "AUTH_a/c/o"})", R"({"v": "2", "path": "/AUTH_a"})",
        R"({"v": "2", "path": "/AUTH_a/c"})",
        R"({"v": "2", "path": "/AUTH_a/c/o", "secret_id": ["two"]})"}) {
    CAPTURE(id);
    CHECK_THROWS_AS(asked.keys("/v1/AUTH_a/c/o", id), std::runtime_error);
  }
}

TEST_CASE("keymaster: only requests that may need keys get them") {
  Asked asked(kTwoSecrets);
  for (const char* method : {"DELETE", "OPTIONS", "COPY"}) {
    Request request = make_request(method, "/v1/a/c/o");
    (*asked.filter)(request);
    CHECK_FALSE(asked.fetch);
  }
  for (const char* target : {"/info", "/healthcheck"}) {
    Request request = make_request("GET", target);
    (*asked.filter)(request);
    CHECK_FALSE(asked.fetch);
  }
}

TEST_CASE("keymaster: two of them know the secrets of both") {
  Asked asked(
      {{"encryption_root_secret_in", base64_encode(kSecret)}, {"active_root_secret_id", "in"}});
  const auto front = load_filter(
      "keymaster",
      {{"encryption_root_secret_out", base64_encode(kOther)}, {"active_root_secret_id", "out"}},
      asked.host, *asked.filter);
  Request request = make_request("GET", "/v1/a/c/o");
  (*front)(request);
  const auto own = asked.fetch(nullptr);
  CHECK(own->object.bytes() == key(kSecret, "/a/c/o"));
  REQUIRE(own->all_ids.size() == 2);
  CHECK(asked.fetch(&own->all_ids[1])->object.bytes() == key(kOther, "/a/c/o"));
  const Json unknown = *Json::parse(R"({"v": "2", "path": "/a/c/o", "secret_id": "none"})");
  CHECK_THROWS_AS(asked.fetch(&unknown), UnknownSecretId);
}
