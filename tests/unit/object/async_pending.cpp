#include "framework/store/object/async_pending.h"

#include <doctest/doctest.h>

using namespace apus;

namespace {

AsyncPending sample() {
  AsyncPending out;
  out.operation = "PUT";
  out.account = "AUTH_a";
  out.container = "c";
  out.object = "o\xE2\x98\x83";
  out.headers = {{"X-Timestamp", "1699999001.00000"}, {"X-Content-Type", "a/\xE9"}};
  return out;
}

}  // namespace

TEST_CASE("an update survives its pickle") {
  AsyncPending update = sample();
  update.container_path = ".shards_a/c-1";
  update.successes = {0, 7, 300};
  update.redirect_history = {".shards_a/c-0"};
  const auto back = AsyncPending::decode(update.encode());
  REQUIRE(back);
  CHECK(back->operation == "PUT");
  CHECK(back->object == "o\xE2\x98\x83");
  CHECK(back->headers.get("X-Content-Type") == "a/\xE9");
  CHECK(back->successes == update.successes);
  CHECK(back->redirect_history == update.redirect_history);
  CHECK(back->target() == ".shards_a/c-1");
  CHECK(sample().target() == "AUTH_a/c");
}

TEST_CASE("the name's moment is that of the metadata when there is one") {
  AsyncPending update = sample();
  CHECK(update.timestamp()->internal() == "1699999001.00000");
  update.headers.set("X-Meta-Timestamp", "1699999009.00000");
  CHECK(update.timestamp()->internal() == "1699999009.00000");
}

TEST_CASE("what Python's Swift queues is read") {
  const auto update = AsyncPending::decode(
      "(dp0\nVop\np1\nVDELETE\np2\nsVaccount\np3\nVa\np4\nsVcontainer\np5\nVc\np6\nsVobj\np7\n"
      "Vo\\u2603\np8\nsVheaders\np9\nccopy_reg\n_reconstructor\np10\n"
      "(cswift.common.header_key_dict\nHeaderKeyDict\np11\nc__builtin__\ndict\np12\n"
      "(dp13\nVX-Timestamp\np14\nV1699999001.00000\np15\nstp16\nRp17\nsVdb_state\np18\nNs.");
  REQUIRE(update);
  CHECK(update->operation == "DELETE");
  CHECK(update->object == "o\xE2\x98\x83");
  CHECK(update->headers.get("x-timestamp") == "1699999001.00000");
  CHECK(!update->db_state);
}

TEST_CASE("rubbish is no update") {
  const std::string pickle = sample().encode();
  for (std::size_t cut = 0; cut < pickle.size(); ++cut)
    CHECK(!AsyncPending::decode(pickle.substr(0, cut)));
  CHECK(!AsyncPending::decode("\x80\x02}."));
  AsyncPending nameless = sample();
  nameless.object.clear();
  CHECK(!AsyncPending::decode(nameless.encode()));
}
