#include <apus/constraints.h>
#include <doctest/doctest.h>

using namespace apus;

namespace {

std::string text_of(const std::optional<Response>& response) {
  if (!response) return "";
  return std::to_string(response->status) + " " + read_all(response->body.get(), 4096);
}

Request put() {
  Request out("PUT", "/v1/a/c/o");
  out.content_length = 0;
  out.headers.set("Content-Type", "text/plain");
  return out;
}

const Timestamp kNow = Timestamp::from_seconds(100.5);

}  // namespace

TEST_CASE("metadata limits, in Swift's words") {
  Constraints limits;
  const auto check = [&](const std::string& name, const std::string& value) {
    Request request = put();
    request.headers.set(name, value);
    return text_of(check_metadata(request, MetadataKind::kObject, limits));
  };
  CHECK(check("X-Object-Meta-Foo2bar", std::string(257, 'x')) ==
        "400 Metadata value longer than 256: x-object-meta-Foo2Bar");
  CHECK(check("X-Object-Meta-Foo2bar", std::string(256, 'x')) == "");
  CHECK(check("X-Object-Meta-" + std::string(129, 'a'), "").substr(0, 48) ==
        "400 Metadata name too long: x-object-meta-Aaaaaa");
  CHECK(check("X-Object-Meta-", "x") == "400 Metadata name cannot be empty");
  CHECK(check("X-Other", std::string(8193, 'x')) == "400 Header value too long: X-Other");
  CHECK(check("X-Object-Meta-A", "\xff") == "");
  Request container("PUT", "/v1/a/c");
  container.headers.set("X-Container-Meta-A", "\xff");
  CHECK(text_of(check_metadata(container, MetadataKind::kContainer, limits)) ==
        "400 Metadata must be valid UTF-8");
  Request many = put();
  for (int i = 0; i < 91; ++i) many.headers.set("X-Object-Meta-" + std::to_string(i), "");
  CHECK(text_of(check_metadata(many, MetadataKind::kObject, limits)) ==
        "400 Too many metadata items; max 90");
  Request big = put();
  for (int i = 0; i < 20; ++i)
    big.headers.set("X-Object-Meta-" + std::to_string(i), std::string(256, 'x'));
  CHECK(text_of(check_metadata(big, MetadataKind::kObject, limits)) ==
        "400 Total metadata too large; max 4096");
}

TEST_CASE("object creation, in Swift's order") {
  Constraints limits;
  limits.max_file_size = 10;
  Request request = put();
  request.content_length = 11;
  CHECK(text_of(check_object_creation(request, "o", limits, kNow)) ==
        "413 Your request is too large.");
  request.content_length.reset();
  CHECK(text_of(check_object_creation(request, "o", limits, kNow)) ==
        "411 Missing Content-Length header.");
  request.chunked = true;
  CHECK(text_of(check_object_creation(request, "o", limits, kNow)) == "");
  std::string name;
  for (int i = 0; i < 1024; ++i) name += "\xc3\xa9";
  CHECK(text_of(check_object_creation(request, name, limits, kNow)) == "");
  CHECK(text_of(check_object_creation(request, name + "x", limits, kNow)) ==
        "400 Object name length of 1025 longer than 1024");
  request.headers.set("Content-Type", "\xff");
  CHECK(text_of(check_object_creation(request, "o", limits, kNow)) == "400 Invalid Content-Type");
  request.headers.erase("Content-Type");
  CHECK(text_of(check_object_creation(request, "o", limits, kNow)) == "400 No content type");
}

TEST_CASE("expiry") {
  const auto check = [](const char* name, const char* value) {
    Request request = put();
    request.headers.set(name, value);
    const auto bad = check_delete_headers(request, kNow);
    return bad ? text_of(bad) : std::string(request.headers.get("X-Delete-At"));
  };
  CHECK(check("X-Delete-After", "-3") == "400 X-Delete-After in past");
  CHECK(check("X-Delete-After", "0") == "400 X-Delete-After in past");
  CHECK(check("X-Delete-After", "1e3") == "400 Non-integer X-Delete-After");
  CHECK(check("X-Delete-After", " 5 ") == "0000000105");
  CHECK(check("X-Delete-After", "9223372036854775807") == "9999999999");
  CHECK(check("X-Delete-At", "100") == "400 X-Delete-At in past");
  CHECK(check("X-Delete-At", "101") == "0000000101");
  CHECK(check("X-Delete-At", "99999999999999") == "9999999999");
  CHECK(check("X-Delete-At", "soon") == "400 Non-integer X-Delete-At");
  Request replica = put();
  replica.headers.set("X-Delete-At", "1");
  replica.internal.set("X-Backend-Replication", "True");
  CHECK_FALSE(check_delete_headers(replica, kNow));
}

TEST_CASE("reserved names") {
  using namespace std::string_literals;
  CHECK_FALSE(check_reserved_names("a", "c", "o"));
  CHECK_FALSE(check_reserved_names("a", "\0c"s, "\0o"s));
  CHECK(check_reserved_names("a", "c\0"s, ""));
  CHECK(check_reserved_names("a", "\0c"s, "o"));
  CHECK(check_reserved_names("a", "c", "\0o"s));
  CHECK_FALSE(check_reserved_names(".expiring_objects", "c", "1-a/\0c/o"s));
  CHECK_FALSE(is_valid_text("a\0"s));
  CHECK(is_valid_text("a\0"s, true));
  CHECK_FALSE(is_valid_text(""));
  CHECK_FALSE(is_valid_text("\xed\xa0\x80"));
}

TEST_CASE("names in headers") {
  CHECK_FALSE(check_name_format("c", "Container"));
  CHECK(text_of(check_name_format("", "Account")) == "412 Account name cannot be empty");
  CHECK(text_of(check_name_format("a/b", "Container")) ==
        "412 Container name cannot contain slashes");
}
