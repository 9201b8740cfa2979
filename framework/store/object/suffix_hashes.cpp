#include "framework/store/object/suffix_hashes.h"

#include <apus/text.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "framework/pickle/flat_dict.h"
#include "framework/pickle/pickle.h"
#include "framework/store/object/partition.h"
#include "framework/store/object/small_file.h"

namespace apus {
namespace {

constexpr std::chrono::seconds kLockPatience{10};
constexpr int kMaxRounds = 32;
// 4096 suffixes need some 200 KiB; a journal grows by 4 bytes a change until someone reads it.
constexpr std::size_t kMaxPickle = 4U << 20U;
constexpr std::size_t kMaxJournal = 64U << 20U;

void append_suffixes(pickle::Writer& writer, const SuffixHashes::Map& suffixes) {
  for (const auto& [suffix, hash] : suffixes) {
    writer.text(suffix);
    if (hash) {
      writer.text(*hash);
    } else {
      writer.none();
    }
  }
}

std::optional<double> number_of(const pickle::Value& value) {
  if (const double* number = std::get_if<double>(&value.data)) return *number;
  const auto integer = value.integer();
  return integer ? std::optional(static_cast<double>(*integer)) : std::nullopt;
}

std::optional<std::string> hash_of(const pickle::Value& value) {
  const std::string* text = value.string();
  return text == nullptr || text->empty() ? std::nullopt : std::optional(*text);
}

bool truth_of(const pickle::Value& value) { return value.integer().value_or(0) != 0; }

}  // namespace

bool is_suffix(std::string_view text) {
  return text.size() == 3 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string encode_hashes(const SuffixHashes& hashes) {
  pickle::Writer writer;
  writer.begin_dict();
  writer.text("valid");
  writer.boolean(hashes.valid);
  append_suffixes(writer, hashes.suffixes);
  writer.text("updated");
  writer.number(hashes.updated);
  writer.end_dict();
  return writer.finish();
}

SuffixHashes decode_hashes(std::string_view text) {
  const pickle::Ref root = pickle::parse(text);
  if (root == nullptr || root->dict() == nullptr) return {};
  // Files of old writers say neither whether they are valid nor when they were written.
  SuffixHashes out;
  out.valid = true;
  for (const auto& [key, value] : root->dict()->items) {
    const std::string* name = key->string();
    if (name == nullptr) return {};
    if (*name == "valid") {
      out.valid = truth_of(*value);
    } else if (*name == "updated") {
      out.updated = number_of(*value).value_or(-1);
    } else if (is_suffix(*name)) {
      out.suffixes[*name] = hash_of(*value);
    } else {
      return {};
    }
  }
  return out;
}

std::string encode_suffixes(const SuffixHashes::Map& suffixes) {
  pickle::Writer writer;
  writer.begin_dict();
  append_suffixes(writer, suffixes);
  writer.end_dict();
  return writer.finish();
}

std::optional<SuffixHashes::Map> decode_suffixes(std::string_view text) {
  // What nearly every answer is: hashes for all, as text.
  if (const auto flat = pickle::parse_flat(text)) {
    SuffixHashes::Map out;
    for (const auto& [name, hash] : *flat) {
      if (!is_suffix(name.utf8)) continue;
      auto& value = out.try_emplace(out.end(), std::string(name.utf8))->second;
      value.reset();
      if (!hash.utf8.empty()) value.emplace(hash.utf8);
    }
    return out;
  }
  const pickle::Ref root = pickle::parse(text);
  if (root == nullptr || root->dict() == nullptr) return std::nullopt;
  SuffixHashes::Map out;
  for (const auto& [key, value] : root->dict()->items) {
    const std::string* name = key->string();
    if (name != nullptr && is_suffix(*name)) out[*name] = hash_of(*value);
  }
  return out;
}

HashFiles::HashFiles(Disk& disk, Clock& clock, Entropy& entropy, std::string partition)
    : disk_(disk), clock_(clock), entropy_(entropy), partition_(std::move(partition)) {}

std::string HashFiles::path(std::string_view name) const {
  return partition_ + "/" + std::string(name);
}

SuffixHashes HashFiles::read() const {
  const auto text = read_small_file(disk_, path("hashes.pkl"), kMaxPickle);
  return text ? decode_hashes(*text) : SuffixHashes();
}

int HashFiles::write(SuffixHashes& hashes, bool durable) const {
  hashes.updated = clock_.now();
  return write_small_file(disk_, partition_, "tmp" + entropy_.hex(8) + ".tmp", path("hashes.pkl"),
                          encode_hashes(hashes), durable);
}

std::optional<SuffixHashes> HashFiles::consolidate() const {
  const Fd lock = lock_folder(disk_, partition_, kLockPatience);
  if (!lock) return std::nullopt;
  SuffixHashes hashes = read();
  const auto journal = read_small_file(disk_, path("hashes.invalid"), kMaxJournal);
  if (!journal && errno != ENOENT) return std::nullopt;
  if (!journal || journal->empty()) return hashes;
  bool changed = false;
  for (std::string_view rest = *journal; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    // Rubbish in the journal names nothing that could be stale.
    if (!is_suffix(line)) continue;
    hashes.suffixes[std::string(line)].reset();
    changed = true;
  }
  // On the disk before the journal forgets it.
  if (changed && write(hashes, true) != 0) return std::nullopt;
  const Fd emptied(disk_, disk_.open(path("hashes.invalid"), O_WRONLY | O_TRUNC));
  return hashes;
}

HashFiles::Result HashFiles::refresh(const std::vector<std::string>& recalculate, bool list,
                                     const HashSuffix& hash) const {
  Result out;
  for (int i = 0; i < kMaxRounds && !round(recalculate, list, hash, out); ++i) {
  }
  return out;
}

// False: another process wrote hashes.pkl in between.
bool HashFiles::round(const std::vector<std::string>& recalculate, bool list,
                      const HashSuffix& hash, Result& out) const {
  auto before = consolidate();
  const auto known = [](const auto& suffix) { return suffix.second.has_value(); };
  if (before && before->valid && !list && recalculate.empty() &&
      std::all_of(before->suffixes.begin(), before->suffixes.end(), known)) {
    out.suffixes = std::move(before->suffixes);
    return true;
  }
  SuffixHashes hashes;
  bool modified = !before || !before->valid;
  if (!modified) {
    hashes = *before;
  } else {
    before = read();
    list = true;
  }
  hashes.valid = true;
  if (list) {
    std::vector<std::string> names;
    disk_.list(partition_, names);
    for (const std::string& name : names) {
      if (is_suffix(name)) hashes.suffixes.try_emplace(name);
    }
  }
  for (const std::string& suffix : recalculate) hashes.suffixes[suffix].reset();
  for (auto at = hashes.suffixes.begin(); at != hashes.suffixes.end();) {
    bool gone = false;
    if (!at->second) {
      modified = true;
      try {
        at->second = hash(at->first);
        gone = !at->second;
        out.hashed += gone ? 0 : 1;
      } catch (const std::system_error&) {
        // It stays without a hash, for the next look.
      }
    }
    at = gone ? hashes.suffixes.erase(at) : std::next(at);
  }
  bool current = true;
  if (modified) {
    const Fd lock = lock_folder(disk_, partition_, kLockPatience);
    if (lock) {
      current = read() == *before;
      // A crash leaves the file before, in which these suffixes have no hash, or one that nobody
      // can read: they are hashed again.
      if (current) (void)write(hashes, false);
    }
  }
  out.suffixes = std::move(hashes.suffixes);
  return current;
}

}  // namespace apus
