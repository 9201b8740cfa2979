// Account and container listings: one row, and the three forms in which clients read them.
#pragma once

#include <apus/abi.h>
#include <apus/message.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace apus {

/// A row of a listing. Containers of an account use count, bytes, last_modified; objects the
/// others.
struct ListingEntry {
  std::string name;
  bool subdir = false;
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  std::string hash;
  std::string content_type;
  std::string last_modified;  ///< isoformat
};

enum class ListingFormat : std::uint8_t { kPlain, kJson, kXml, kTextXml };
enum class ListingKind : std::uint8_t { kAccount, kContainer };

/// By the query's format, else by Accept. Nothing sets `refusal`: 406, or 400 for a malformed
/// Accept.
APUS_API std::optional<ListingFormat> listing_format(const Request& request, Response& refusal);
/// With "; charset=utf-8".
APUS_API std::string_view listing_content_type(ListingFormat format);

/// Puts a listing together. `owner` is the account's or container's name.
class APUS_API ListingWriter {
 public:
  ListingWriter(ListingKind kind, ListingFormat format, std::string_view owner);
  void add(const ListingEntry& entry);
  /// The whole text; the writer is done.
  std::string finish();

 private:
  void add_json(const ListingEntry& entry);
  void add_xml(const ListingEntry& entry);
  /// Everything up to the root's name attribute, its closing quote left out.
  void begin_xml();

  ListingKind kind_;
  ListingFormat format_;
  std::string owner_;
  std::string out_;
  bool first_ = true;
};

}  // namespace apus
