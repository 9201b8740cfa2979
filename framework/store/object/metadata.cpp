#include "framework/store/object/metadata.h"

#include <apus/digest.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "framework/pickle/flat_dict.h"
#include "framework/pickle/pickle.h"

namespace apus {
namespace {

constexpr const char* kName = "user.swift.metadata";
constexpr const char* kChecksum = "user.swift.metadata_checksum";
constexpr std::size_t kChunk = 65536;
constexpr std::size_t kMaxMetadata = 4U << 20U;

std::string chunk_name(std::size_t index) {
  return index == 0 ? kName : kName + std::to_string(index);
}

// One stored string in wire bytes.
std::optional<std::string> wire_bytes(const pickle::Value& value, bool is_name) {
  if (const auto number = value.integer()) return std::to_string(*number);
  const std::string* text = value.string();
  if (text == nullptr) return std::nullopt;
  if (is_name || std::holds_alternative<pickle::OldString>(value.data)) return *text;
  auto latin = pickle::utf8_to_latin1(*text);
  return latin ? std::move(latin) : *text;
}

std::optional<std::string> wire_bytes(const pickle::FlatValue& value, bool is_name) {
  if (value.kind == pickle::FlatKind::kBool) return value.number == 0 ? "0" : "1";
  if (!value.is_string()) return std::nullopt;
  const bool ascii = std::all_of(value.utf8.begin(), value.utf8.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) return std::string(value.utf8);
  auto bytes = value.kind == pickle::FlatKind::kBytes ? pickle::utf8_to_latin1(value.utf8)
                                                      : std::string(value.utf8);
  if (!bytes || is_name) return bytes;
  auto latin = pickle::utf8_to_latin1(*bytes);
  return latin ? std::move(latin) : std::move(bytes);
}

// False when one of the two is no string.
template <typename Value>
bool take(const Value& key, const Value& value, ObjectMetadata& out) {
  auto name = wire_bytes(key, false);
  if (!name) return false;
  auto content = wire_bytes(value, *name == "name");
  if (!content) return false;
  if (out.has(*name)) {
    out.set(*name, std::move(*content));
  } else {
    out.append_known_new(std::move(*name), std::move(*content));
  }
  return true;
}

// All pieces of the pickle, or nothing with errno set.
std::optional<std::string> read_pickle(Disk& disk, int fd) {
  std::array<char, 4096> small;
  ssize_t size = disk.fgetxattr(fd, kName, small);
  if (size >= 0) return std::string(small.data(), static_cast<std::size_t>(size));
  if (errno != ERANGE) return std::nullopt;
  std::string pickle;
  for (std::size_t index = 0; pickle.size() <= kMaxMetadata; ++index) {
    std::string chunk(kChunk, '\0');
    size = disk.fgetxattr(fd, chunk_name(index).c_str(), chunk);
    if (size < 0) break;
    pickle.append(chunk, 0, static_cast<std::size_t>(size));
  }
  return pickle;
}

}  // namespace

std::string encode_metadata(const ObjectMetadata& metadata) {
  pickle::Writer writer;
  writer.begin_dict();
  for (const auto& [key, value] : metadata) {
    const bool is_name = key == "name";
    writer.bytes(is_name ? key : pickle::latin1_to_utf8(key));
    writer.bytes(is_name ? value : pickle::latin1_to_utf8(value));
  }
  writer.end_dict();
  return writer.finish();
}

std::optional<ObjectMetadata> decode_metadata(std::string_view text) {
  ObjectMetadata out;
  if (const auto flat = pickle::parse_flat(text)) {
    for (const auto& [key, value] : *flat) {
      if (!take(key, value, out)) return std::nullopt;
    }
    return out;
  }
  const pickle::Ref root = pickle::parse(text);
  if (root == nullptr || root->dict() == nullptr) return std::nullopt;
  for (const auto& [key, value] : root->dict()->items) {
    if (!take(*key, *value, out)) return std::nullopt;
  }
  return out;
}

XattrResult read_metadata(Disk& disk, int fd, ObjectMetadata& out) {
  const auto pickle = read_pickle(disk, fd);
  if (!pickle) {
    return errno == ENOTSUP || errno == EOPNOTSUPP ? XattrResult::kNotSupported
                                                   : XattrResult::kDamaged;
  }
  std::array<char, 64> checksum;
  const ssize_t size = disk.fgetxattr(fd, kChecksum, checksum);
  if (size >= 0 &&
      std::string_view(checksum.data(), static_cast<std::size_t>(size)) != md5_hex(*pickle)) {
    return XattrResult::kDamaged;
  }
  auto metadata = decode_metadata(*pickle);
  if (!metadata) return XattrResult::kDamaged;
  out = std::move(*metadata);
  return XattrResult::kGood;
}

int add_missing_checksum(Disk& disk, int fd) {
  if (disk.fgetxattr(fd, kChecksum, {}) >= 0 || errno != ENODATA) return 0;
  const auto pickle = read_pickle(disk, fd);
  if (!pickle) return errno;
  return disk.fsetxattr(fd, kChecksum, md5_hex(*pickle)) == 0 ? 0 : errno;
}

int write_metadata(Disk& disk, int fd, const ObjectMetadata& metadata) {
  const std::string pickle = encode_metadata(metadata);
  for (std::size_t at = 0, index = 0; at < pickle.size(); at += kChunk, ++index) {
    const std::string_view chunk = std::string_view(pickle).substr(at, kChunk);
    if (disk.fsetxattr(fd, chunk_name(index).c_str(), chunk) != 0) return errno;
  }
  return disk.fsetxattr(fd, kChecksum, md5_hex(pickle)) == 0 ? 0 : errno;
}

}  // namespace apus
