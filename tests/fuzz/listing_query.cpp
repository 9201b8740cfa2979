// Listing parameters, Accept and the walk they steer, over a small database.
#include <apus/listing.h>

#include <cstdlib>

#include "framework/backend/database_server.h"
#include "framework/store/db/listing.h"

namespace {

apus::Database& database() {
  static apus::Database one(":memory:", true);
  static const bool filled = [] {
    one.run(
        "CREATE TABLE object (name TEXT, deleted INTEGER DEFAULT 0, "
        "storage_policy_index INTEGER DEFAULT 0, size INTEGER DEFAULT 1)");
    for (const char* name : {"a", "a/", "a/b", "a/b/c", "b//c", "b0", "\xc3\xa9", "\x7f", "z"})
      one.query("INSERT INTO object (name) VALUES (?)").bind(name).step();
    return true;
  }();
  (void)filled;
  return one;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  apus::Request request("GET", "/d/p/a/c");
  request.query = apus::Query(text.substr(0, line));
  request.headers.set("Accept", std::string(text.substr(line)));
  apus::Response refusal;
  (void)apus::listing_format(request, refusal);
  const auto query = apus::listing_query(request, 100, refusal);
  if (!query) return 0;
  std::size_t count = 0;
  apus::list_names(
      database(), "object", "size", *query, 0, [](const apus::Statement&, apus::ListingEntry&) {},
      [&](const apus::ListingEntry&) { ++count; });
  if (count > 100) std::abort();
  return 0;
}
