// Which files of an object's folder are its state: Swift's rule over names alone.
#pragma once

#include <apus/timestamp.h>

#include <optional>
#include <string>
#include <vector>

namespace apus {

/// One name of a hash folder, read.
struct ObjectFile {
  enum class Kind : std::uint8_t { kData, kMeta, kTombstone };
  std::string name;
  Kind kind = Kind::kData;
  Timestamp timestamp;
  std::optional<Timestamp> content_type;  ///< a .meta's own
};

/// What the names of a hash folder say about a replicated object.
struct FileSet {
  std::optional<ObjectFile> data;
  std::optional<ObjectFile> meta;               ///< newest metadata
  std::optional<ObjectFile> content_type_meta;  ///< another .meta that holds a newer content type
  std::optional<ObjectFile> tombstone;          ///< set when the object is deleted
  std::optional<Timestamp> content_type;        ///< when a .meta set it; only if newer than .data
  std::vector<std::string> obsolete;            ///< may be removed at once
  std::vector<ObjectFile> reclaimable;          ///< may be removed once older than the reclaim age
  std::size_t unexpected = 0;                   ///< names that mean nothing; they stay
  std::size_t left = 0;                         ///< names that a clean-up left there
};

/// Reads a name: "T.data", "T.meta", "T+d.meta", "T.ts". Nothing for anything else, EC's among
/// them.
APUS_API std::optional<ObjectFile> parse_object_file(std::string_view name);

APUS_API FileSet choose_files(const std::vector<std::string>& names);

}  // namespace apus
