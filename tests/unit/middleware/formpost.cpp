#include <apus/digest.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <map>

using namespace apus;
using namespace apus::testing;

namespace {

// A form as browsers send it.
struct Form {
  std::vector<std::pair<std::string, std::string>> fields;
  struct File {
    std::string name;
    std::string bytes;
    std::string type;
  };
  std::vector<File> files;

  std::string body(const std::string& boundary = "B0und") const {
    std::string out;
    for (const auto& [name, value] : fields)
      out += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" +
             value + "\r\n";
    for (const File& file : files) {
      out += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"f\"; filename=\"" +
             file.name + "\"\r\n";
      if (!file.type.empty()) out += "Content-Type: " + file.type + "\r\n";
      out += "\r\n" + file.bytes + "\r\n";
    }
    return out + "--" + boundary + "--\r\n";
  }
};

struct Formpost {
  explicit Formpost(const OptionTexts& options = {}) {
    app.on("HEAD", "/v1/a", FakeAnswer{204, {{"X-Account-Meta-Temp-Url-Key", "akey"}}});
    app.on("HEAD", "/v1/a/c", FakeAnswer{204, {{"X-Container-Meta-Temp-Url-Key-2", "ckey"}}});
    app.otherwise(FakeAnswer{201, {{"Access-Control-Allow-Origin", "*"}}});
    filter = load_filter("formpost", options, host, app);
  }

  static Form form(const std::string& key = "akey", DigestKind kind = DigestKind::kSha256,
                   const std::string& redirect = "", const std::string& path = "/v1/a/c/pre_") {
    const std::string text = path + "\n" + redirect + "\n100\n2\n1700000060";
    return {{{"redirect", redirect},
             {"max_file_size", "100"},
             {"max_file_count", "2"},
             {"expires", "1700000060"},
             {"signature", to_hex(hmac(kind, key, text))}},
            {{"one.txt", "first", "text/plain"}}};
  }

  Response post(const std::string& body, const std::string& path = "/v1/a/c/pre_",
                std::size_t piece = 0,
                const std::string& type = "multipart/form-data; boundary=B0und") {
    Request request = make_request("POST", path, {{"Content-Type", type}});
    request.content_length = body.size();
    request.body = std::make_unique<PieceSource>(body, piece);
    return (*filter)(request);
  }
  std::vector<FakeCall> puts() const {
    std::vector<FakeCall> out;
    for (FakeCall& call : app.calls()) {
      if (call.method == "PUT") out.push_back(std::move(call));
    }
    return out;
  }

  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

Form& set(Form& form, const std::string& name, const std::string& value) {
  for (auto& [key, old] : form.fields) {
    if (key == name) old = value;
  }
  return form;
}

}  // namespace

TEST_CASE("formpost: files become PUTs, whatever the pieces they come in") {
  for (const std::size_t piece : {0U, 1U, 7U}) {
    CAPTURE(piece);
    Formpost f;
    Form form = Formpost::form();
    form.files.push_back({"two.bin", std::string("\r\n--B0un\0\r\n--", 13), ""});
    Response out = f.post(form.body(), "/v1/a/c/pre_", piece);
    CHECK(out.status == 201);
    CHECK(body_of(out) == "201 Created");
    CHECK(out.headers.get("Content-Type") == "text/plain");
    CHECK(out.headers.get("Access-Control-Allow-Origin") == "*");
    const auto puts = f.puts();
    REQUIRE(puts.size() == 2);
    CHECK(puts[0].path == "/v1/a/c/pre_one.txt");
    CHECK(puts[0].body == "first");
    CHECK(puts[0].headers.get("Content-Type") == "text/plain");
    CHECK(puts[0].headers.get("User-Agent") == "FormPost");
    CHECK(puts[0].chunked);
    CHECK(puts[0].context.source == "FP");
    CHECK(puts[0].context.authorize_override);
    CHECK(puts[1].body == std::string("\r\n--B0un\0\r\n--", 13));
    CHECK_FALSE(puts[1].headers.has("Content-Type"));
  }
}

TEST_CASE("formpost: all keys and digests; the container's path gets its slash") {
  Formpost f;
  for (const char* key : {"akey", "ckey"}) {
    for (const DigestKind kind : {DigestKind::kSha1, DigestKind::kSha256, DigestKind::kSha512})
      CHECK(f.post(Formpost::form(key, kind).body()).status == 201);
  }
  CHECK(f.host.numbers.counter("formpost.digests.sha1") == 2);
  CHECK(
      f.post(Formpost::form("akey", DigestKind::kSha256, "", "/v1/a/c").body(), "/v1/a/c").status ==
      201);
  CHECK(f.app.last().path == "/v1/a/c/one.txt");
  Formpost strict(OptionTexts{{"allowed_digests", "sha512"}});
  CHECK(strict.post(Formpost::form().body()).status == 401);
}

TEST_CASE("formpost: what is not signed as it stands is refused") {
  Formpost f;
  const auto refused = [&](const Form& form, const char* path = "/v1/a/c/pre_") {
    Response out = f.post(form.body(), path);
    CHECK(out.status == 401);
    CHECK(out.headers.get("Www-Authenticate") == "Swift realm=\"unknown\"");
    return body_of(out);
  };
  Form form = Formpost::form("wrong");
  CHECK(refused(form) == "FormPost: Invalid Signature");
  for (const char* name : {"max_file_size", "max_file_count", "expires"}) {
    form = Formpost::form();
    CHECK(refused(set(form, name, "1700000099")) == "FormPost: Invalid Signature");
  }
  form = Formpost::form();
  CHECK(refused(set(form, "redirect", "http://evil/")) == "FormPost: Invalid Signature");
  form = Formpost::form();
  CHECK(refused(set(form, "signature", "")) == "FormPost: Invalid Signature");
  CHECK(refused(Formpost::form(), "/v1/a/c/other_") == "FormPost: Invalid Signature");
  CHECK(refused(Formpost::form(), "/v1/a") == "FormPost: Invalid Signature");
  f.host.time.advance(std::chrono::seconds(61));
  CHECK(refused(Formpost::form()) == "FormPost: Form Expired");
  CHECK(f.puts().empty());
}

TEST_CASE("formpost: limits") {
  Formpost f;
  Form form = Formpost::form();
  form.files[0].bytes = std::string(100, 'x');
  CHECK(f.post(form.body()).status == 201);
  form.files[0].bytes += 'x';
  Response out = f.post(form.body());
  CHECK(out.status == 400);
  CHECK(body_of(out) == "FormPost: max_file_size exceeded");
  form = Formpost::form();
  form.files.push_back(form.files[0]);
  form.files.push_back(form.files[0]);
  f.app.clear_calls();
  out = f.post(form.body());
  CHECK(out.status == 400);
  CHECK(body_of(out) == "400 Bad Request\r\nFormPost: Max File Count Exceeded");
  CHECK(f.puts().size() == 2);
  form.files.clear();
  out = f.post(form.body());
  CHECK(body_of(out) == "400 Bad Request\r\nFormPost: No Files To Process");
}

TEST_CASE("formpost: values that are no numbers") {
  const std::map<std::string, std::string> bodies = {
      {"max_file_size", "FormPost: max_file_size not an integer"},
      {"max_file_count", "FormPost: max_file_count not an integer"},
      {"expires", "FormPost: expired not an integer"}};
  for (const auto& [name, text] : bodies) {
    Formpost f;
    Form form = Formpost::form();
    Response out = f.post(set(form, name, "x1").body());
    CHECK(out.status == 400);
    CHECK(body_of(out) == text);
  }
  for (const char* name : {"x_delete_at", "x_delete_after"}) {
    Formpost f;
    Form form = Formpost::form();
    form.fields.emplace_back(name, "soon");
    Response out = f.post(form.body());
    CHECK(out.status == 400);
    CHECK(body_of(out).starts_with("FormPost: " + std::string(name) + " not an integer: "));
    form.fields.back().second = "1800000000";
    CHECK(f.post(form.body()).status == 201);
    CHECK(f.app.last().headers.get(title_case(name)) == "1800000000");
  }
}

TEST_CASE("formpost: types and encodings of the form go before the files' own") {
  Formpost f;
  Form form = Formpost::form();
  form.fields.emplace_back("Content-Type", "image/png");
  form.fields.emplace_back("content-encoding", "gzip");
  CHECK(f.post(form.body()).status == 201);
  CHECK(f.app.last().headers.get("Content-Type") == "image/png");
  CHECK(f.app.last().headers.get("Content-Encoding") == "gzip");
  form.fields.back().second = "a\r\nX-Evil: 1";
  CHECK(f.post(form.body()).status == 400);
}

TEST_CASE("formpost: redirects tell the outcome, and break out of nothing") {
  Formpost f;
  const std::string url = "https://h/next?a=b";
  Response out = f.post(Formpost::form("akey", DigestKind::kSha256, url).body());
  CHECK(out.status == 303);
  CHECK(out.headers.get("Location") == url + "&status=201&message=");
  CHECK(body_of(out) == "<html><body><p><a href=\"" + url +
                            "&status=201&message=\">Click to continue...</a></p></body></html>");
  Form form = Formpost::form("akey", DigestKind::kSha256, "https://h/next");
  form.files.clear();
  out = f.post(form.body());
  CHECK(out.headers.get("Location") ==
        "https://h/next?status=400&message=no%20files%20to%20process");
  out = f.post(set(form, "redirect", "https://h/\"><script>").body());
  CHECK(body_of(out).find("<script>") == std::string::npos);
  CHECK(f.post(set(form, "redirect", "https://h/\r\nSet-Cookie: a").body()).status == 400);
}

TEST_CASE("formpost: a failing upload ends the form") {
  Formpost f;
  f.app.on("PUT", "/v1/a/c/pre_one.txt", FakeAnswer{507});
  Form form = Formpost::form();
  form.files.push_back({"two", "x", ""});
  Response out = f.post(form.body());
  CHECK(out.status == 507);
  CHECK(body_of(out) == "507 Insufficient Storage");
  CHECK(f.puts().size() == 1);
}

TEST_CASE("formpost: what is no form passes, what is a broken one does not hang") {
  Formpost f;
  CHECK(f.post("x", "/v1/a/c/o", 0, "text/plain").status == 201);
  CHECK(f.post("x", "/v1/a/c/o", 0, "multipart/form-data").status == 201);
  const auto bad = [&](const std::string& body) {
    Response out = f.post(body);
    return std::to_string(out.status) + " " + body_of(out);
  };
  CHECK(bad("") == "400 FormPost: invalid starting boundary");
  CHECK(bad("--Other\r\n") == "400 FormPost: invalid starting boundary");
  CHECK(bad("--B0undX\r\n") == "400 FormPost: invalid starting boundary");
  CHECK(bad("--B0und\r\n") == "400 400 Bad Request\r\nFormPost: No Files To Process");
  CHECK(bad("\r\n\r\n--B0und--") == "400 FormPost: invalid starting boundary");
  CHECK(bad("--B0und\r\nContent-Disposition: " + std::string(100000, 'x')) ==
        "400 FormPost: part headers too large");
  std::string many;
  for (int i = 0; i < 1500; ++i)
    many += "--B0und\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nv\r\n";
  CHECK(bad(many + "--B0und--") == "400 FormPost: too many fields");
  CHECK(f.puts().empty());
}

TEST_CASE("formpost: a client that goes away in the middle") {
  Formpost f;
  const std::string whole = Formpost::form().body();
  Request request = make_request("POST", "/v1/a/c/pre_",
                                 {{"Content-Type", "multipart/form-data; boundary=B0und"}});
  request.content_length = whole.size();
  request.body = std::make_unique<PieceSource>(whole.substr(0, whole.size() - 20), 0,
                                               BodyError::Kind::kDisconnect);
  CHECK_THROWS_AS((*f.filter)(request), BodyError);
}

TEST_CASE("formpost: /info") {
  Formpost f;
  CHECK(
      f.host.info().document(false, {}).find(
          R"("formpost": {"allowed_digests": ["sha1", "sha256", "sha512"], "deprecated_digests": ["sha1"]})") !=
      std::string::npos);
}
