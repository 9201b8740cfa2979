// Dicts of plain values read without a tree: the same values as the general reader's.
#include "framework/pickle/flat_dict.h"

#include <doctest/doctest.h>

#include "framework/pickle/pickle.h"

using namespace apus::pickle;

TEST_CASE("what Writer makes is flat") {
  Writer writer;
  writer.begin_dict();
  writer.bytes("name");
  writer.bytes("/a/c/\xc3\xa4");
  writer.text("k");
  writer.text("v");
  writer.end_dict();
  const std::string pickle = writer.finish();
  const auto flat = parse_flat(pickle).value();
  REQUIRE(flat.size() == 2);
  CHECK(flat[0].first.utf8 == "name");
  CHECK(flat[0].first.kind == FlatKind::kBytes);
  CHECK(utf8_to_latin1(flat[0].second.utf8) == "/a/c/\xc3\xa4");
  CHECK(flat[1].second.utf8 == "v");
  CHECK(flat[1].second.kind == FlatKind::kText);
}

TEST_CASE("what Python 3 makes of a dict of bytes is flat") {
  using namespace std::string_literals;
  // pickle.dumps({b'name': b'/a/c/o', b'ETag': b'\xe9'}, protocol=2)
  const std::string pickle =
      "\x80\x02}q\x00(c_codecs\nencode\nq\x01X\x04\x00\x00\x00nameq\x02X\x06\x00\x00\x00latin1q\x03"
      "\x86q\x04Rq\x05h\x01X\x06\x00\x00\x00/a/c/oq\x06h\x03\x86q\x07Rq\x08h\x01X\x04\x00\x00\x00"
      "ETagq\x09h\x03\x86q\x0aRq\x0bh\x01X\x02\x00\x00\x00\xc3\xa9q\x0ch\x03\x86q\x0dRq\x0eu."s;
  const auto flat = parse_flat(pickle).value();
  REQUIRE(flat.size() == 2);
  CHECK(flat[0].second.utf8 == "/a/c/o");
  CHECK(utf8_to_latin1(flat[1].second.utf8) == "\xe9");
  const Ref tree = parse(pickle);
  REQUIRE(tree != nullptr);
  CHECK(*tree->find("name")->string() == "/a/c/o");
  for (std::size_t size = 0; size < pickle.size(); ++size)
    CHECK_FALSE(parse_flat(std::string_view(pickle).substr(0, size)));
}

TEST_CASE("floats, bools and None are values of a flat dict, and no names") {
  Writer writer;
  writer.begin_dict();
  writer.text("valid");
  writer.boolean(true);
  writer.text("updated");
  writer.number(-1.5);
  writer.text("abc");
  writer.none();
  writer.text("not");
  writer.boolean(false);
  writer.end_dict();
  const std::string pickle = writer.finish();
  const auto flat = parse_flat(pickle).value();
  REQUIRE(flat.size() == 4);
  CHECK(flat[0].second.kind == FlatKind::kBool);
  CHECK(flat[0].second.number == 1);
  CHECK(flat[1].second.kind == FlatKind::kFloat);
  CHECK(flat[1].second.number == -1.5);
  CHECK(flat[2].second.kind == FlatKind::kNone);
  CHECK(flat[3].second.kind == FlatKind::kBool);
  CHECK(flat[3].second.number == 0);
  using namespace std::string_view_literals;
  for (const std::string_view other : {"\x80\x02}(NNu."sv, "\x80\x02}\x88\x88s."sv})
    CHECK_FALSE(parse_flat(other));
}

TEST_CASE("an empty dict, and everything that is something else") {
  CHECK(parse_flat("\x80\x02}.").value().empty());
  using namespace std::string_view_literals;
  for (const std::string_view other :
       {""sv, "\x80\x02."sv, "\x80\x02]."sv, "\x80\x02}}."sv, "\x80\x02}K\x01."sv,
        "\x80\x02}(X\x01\x00\x00\x00"
        "aK\x01u."sv,
        "\x80\x02}(X\x01\x00\x00\x00"
        "au."sv,
        "\x80\x02}(h\x00h\x00u."sv, "\x80\x02}q\x05."sv, "\x80\x02}.tail"sv, "\x80\x02}R."sv,
        "\x80\x02}\x86."sv,
        "\x80\x02}(X\xff\xff\xff\xff"
        "a"sv,
        "\x80\x02}cos\nsystem\n."sv, "\x80\x02}q\x00(h\x00h\x00u."sv}) {
    CHECK_FALSE(parse_flat(other));
  }
}
