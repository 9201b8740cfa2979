#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

constexpr const char* kListedRows =
    R"([{"name": "a<b>.txt", "bytes": 1536, "hash": "h", "content_type": "text/X\"y",)"
    R"( "last_modified": "2023-11-14T22:13:20.123456"}, {"subdir": "sub'dir/"}])";

struct Site {
  explicit Site(Headers meta = {}, const OptionTexts& options = {}) {
    app.on("HEAD", "/v1/a", FakeAnswer{204});
    app.on("HEAD", "/v1/a/c", FakeAnswer{204, std::move(meta)});
    app.on("GET", "/v1/a/c", [this](Request& request) {
      listed = request.query.encode();
      return Response(200, rows, "application/json; charset=utf-8");
    });
    app.on("GET", "/v1/a/c/", FakeAnswer{200, {}, kListedRows});
    app.otherwise([](Request&) { return error_response(404); });
    filter = load_filter("staticweb", options, host, app);
  }

  Response ask(const std::string& target, Headers headers = {}, const std::string& user = "",
               const std::string& method = "GET") {
    Request request = make_request(method, target, std::move(headers));
    request.context.authorize = [this](Request& r) -> std::optional<Response> {
      return open ? std::nullopt : std::optional(unauthorized_response(r));
    };
    request.context.remote_user = user;
    if (request.headers.get("Host").empty()) request.headers.set("Host", "h:8080");
    return (*filter)(request);
  }
  std::string page(const std::string& target, int status = 200) {
    Response out = ask(target);
    CHECK(out.status == status);
    return body_of(out);
  }

  TestHost host;
  FakeApp app;
  std::string rows = kListedRows;
  std::string listed;
  bool open = true;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("staticweb: a container without settings is no site") {
  Site site;
  CHECK(site.page("/v1/a/c") == kListedRows);
  CHECK(site.ask("/v1/a/c", {{"X-Web-Mode", "true"}}).status == 404);
  CHECK(site.ask("/v1/a/c/o").status == 404);
  CHECK(site.ask("/v1/a").status == 404);
}

TEST_CASE("staticweb: users and other verbs pass; without an auth filter it does nothing") {
  Site site(Headers{{"X-Container-Meta-Web-Listings", "t"}});
  Response out = site.ask("/v1/a/c/", {}, "test,test:tester");
  CHECK(body_of(out) == kListedRows);
  CHECK(site.ask("/v1/a/c/", {}, "", "PUT").status == 404);
  out = site.ask("/v1/a/c/", {{"X-Web-Mode", "1"}}, "test,test:tester");
  CHECK(out.headers.get("Content-Type") == "text/html; charset=UTF-8");
  Request request = make_request("GET", "/v1/a/c/");
  out = (*site.filter)(request);
  CHECK(body_of(out) == kListedRows);
  CHECK(site.host.log.has("Skipping staticweb"));
}

TEST_CASE("staticweb: a listing, byte for byte, with nothing of a name left as markup") {
  Site site(Headers{{"X-Container-Meta-Web-Listings", "tRUe"}});
  CHECK(site.page("/v1/a/c/") ==
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" "
        "\"http://www.w3.org/TR/html4/loose.dtd\">\n<html>\n <head>\n"
        "  <title>Listing of /v1/a/c/</title>\n  <style type=\"text/css\">\n"
        "   h1 {font-size: 1em; font-weight: bold;}\n"
        "   th {text-align: left; padding: 0px 1em 0px 1em;}\n"
        "   td {padding: 0px 1em 0px 1em;}\n   a {text-decoration: none;}\n  </style>\n"
        " </head>\n <body>\n  <h1 id=\"title\">Listing of /v1/a/c/</h1>\n"
        "  <table id=\"listing\">\n   <tr id=\"heading\">\n"
        "    <th class=\"colname\">Name</th>\n    <th class=\"colsize\">Size</th>\n"
        "    <th class=\"coldate\">Date</th>\n   </tr>\n"
        "   <tr class=\"item subdir\">\n"
        "    <td class=\"colname\"><a href=\"sub%27dir/\">sub&#x27;dir/</a></td>\n"
        "    <td class=\"colsize\">&nbsp;</td>\n    <td class=\"coldate\">&nbsp;</td>\n   </tr>\n"
        "   <tr class=\"item type-text type-x&quot;y\">\n"
        "    <td class=\"colname\"><a href=\"a%3Cb%3E.txt\">a&lt;b&gt;.txt</a></td>\n"
        "    <td class=\"colsize\">2Ki</td>\n    <td class=\"coldate\">2023-11-14 22:13:20</td>\n"
        "   </tr>\n  </table>\n </body>\n</html>\n");
  CHECK(site.listed == "delimiter=%2F");
}

TEST_CASE("staticweb: listings below a prefix, with css and label") {
  Site site(Headers{{"X-Container-Meta-Web-Listings", "t"},
                    {"X-Container-Meta-Web-Listings-Css", "my css.css"},
                    {"X-Container-Meta-Web-Listings-Label", "Files & <co>"}});
  site.rows = R"([{"name": "d/e/x", "bytes": 0, "content_type": "a/b", "last_modified": "L"}])";
  const std::string page = site.page("/v1/a/c/d/e/");
  CHECK(site.listed == "delimiter=%2F&prefix=d%2Fe%2F");
  CHECK(page.find("Listing of Files &amp; &lt;co&gt;/d/e/<") != std::string::npos);
  CHECK(page.find("href=\"../../my%20css.css\"") != std::string::npos);
  CHECK(page.find("<a href=\"../\">../</a>") != std::string::npos);
  CHECK(page.find("<a href=\"x\">x</a>") != std::string::npos);
  site.rows = "[]";
  site.page("/v1/a/c/none/", 404);
  for (const char* rows : {"", "{", "{}", "[1, null, {\"name\": 5}, {\"name\": \"q\"}]", "null"}) {
    site.rows = rows;
    CHECK(site.ask("/v1/a/c/d/e/").status != 500);
  }
}

TEST_CASE("staticweb: links with a prefix lead on through the listing") {
  Site site(Headers{{"X-Container-Meta-Web-Listings", "t"}});
  site.rows = R"([{"subdir": "d/e/"}])";
  const std::string query = "?temp_url_sig=s&temp_url_expires=5&temp_url_prefix=d/&inline";
  Response out = site.ask("/v1/a/c/d/" + query, {}, ".wsgi.tempurl");
  const std::string page = body_of(out);
  CHECK(out.internal.get("X-Backend-Content-Generator") == "staticweb");
  CHECK(page.find("href=\"e/?temp_url_prefix=d/&amp;temp_url_expires=5&amp;temp_url_sig=s"
                  "&amp;inline\"") != std::string::npos);
  CHECK(page.find("../") == std::string::npos);
  CHECK(site.ask("/v1/a/c/d/?temp_url_sig=s&temp_url_expires=5", {}, ".wsgi.tempurl").status ==
        404);
}

TEST_CASE("staticweb: index pages, and redirects to where they are") {
  Site site(Headers{{"X-Container-Meta-Web-Index", "index.html"}});
  site.app.on("GET", "/v1/a/c/index.html", FakeAnswer{200, {}, "top"});
  site.app.on("GET", "/v1/a/c/d/index.html", FakeAnswer{200, {}, "below"});
  CHECK(site.page("/v1/a/c/") == "top");
  CHECK(site.app.last().headers.get("User-Agent") == " StaticWeb");
  CHECK(site.page("/v1/a/c/d/") == "below");
  Response out = site.ask("/v1/a/c");
  CHECK(out.status == 301);
  CHECK(out.headers.get("Location") == "http://h:8080/v1/a/c/");
  out = site.ask("/v1/a/c/d");
  CHECK(out.headers.get("Location") == "http://h:8080/v1/a/c/d/");
  CHECK(site.page("/v1/a/c/none/", 404).find("Web Listing Disabled") != std::string::npos);
  Site based(Headers{{"X-Container-Meta-Web-Index", "index.html"}},
             {{"url_base", "https://www.x/y"}});
  out = based.ask("/v1/a/c");
  CHECK(out.headers.get("Location") == "https://www.x/v1/a/c/");
}

TEST_CASE("staticweb: the page without listings shows no markup of the owner's") {
  Site site(Headers{{"X-Container-Meta-Web-Index", "<script>x</script>"}});
  const std::string page = site.page("/v1/a/c/%3Cimg%3E/", 404);
  CHECK(page.find("<script>") == std::string::npos);
  CHECK(page.find("<img>") == std::string::npos);
}

TEST_CASE("staticweb: folders, by listing and by marker object") {
  Site site(Headers{{"X-Container-Meta-Web-Listings", "t"}});
  site.rows = R"([{"name": "d/x", "bytes": 1, "content_type": "a/b", "last_modified": "L"}])";
  Response out = site.ask("/v1/a/c/d");
  CHECK(out.status == 301);
  CHECK(site.listed == "limit=1&delimiter=%2F&prefix=d%2F");
  site.app.on("GET", "/v1/a/c/m", FakeAnswer{200, {{"Content-Type", "application/directory"}}});
  CHECK(site.ask("/v1/a/c/m").status == 301);
  site.app.on("GET", "/v1/a/c/big",
              FakeAnswer{200, {{"Content-Type", "application/directory"}}, "not empty"});
  CHECK(site.page("/v1/a/c/big") == "not empty");
  site.rows = "[]";
  CHECK(site.ask("/v1/a/c/d").status == 404);
}

TEST_CASE("staticweb: error pages keep the status") {
  Site site(
      Headers{{"X-Container-Meta-Web-Listings", "t"}, {"X-Container-Meta-Web-Error", "err.html"}});
  site.app.on("GET", "/v1/a/c/404err.html", FakeAnswer{200, {{"X-A", "b"}}, "own 404"});
  site.app.on("GET", "/v1/a/c/401err.html", FakeAnswer{200, {}, "own 401"});
  site.rows = "[]";
  Response out = site.ask("/v1/a/c/none");
  CHECK(out.status == 404);
  CHECK(out.headers.get("X-A") == "b");
  CHECK(body_of(out) == "own 404");
  site.open = false;
  CHECK(site.page("/v1/a/c/", 401) == "own 401");
  site.open = true;
  site.app.on("GET", "/v1/a/c/bad", FakeAnswer{503, {}, "plain"});
  CHECK(site.page("/v1/a/c/bad", 503) == "plain");
}

TEST_CASE("staticweb: HEAD has the head alone") {
  Site site(Headers{{"X-Container-Meta-Web-Listings", "t"}});
  Response out = site.ask("/v1/a/c/", {}, "", "HEAD");
  CHECK(out.status == 200);
  CHECK(out.content_length.value_or(0) > 500);
}
