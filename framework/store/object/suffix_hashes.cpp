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

void append_suffixes(pickle::Writer& writer, const SuffixMap& suffixes) {
  for (const SuffixMap::Entry& entry : suffixes) {
    writer.text(entry.suffix());
    if (entry.hash().empty()) {
      writer.none();
    } else {
      writer.text(entry.hash());
    }
  }
}

pickle::FlatValue flattened(const pickle::Value& value) {
  using pickle::FlatKind;
  if (const std::string* text = value.string()) return {FlatKind::kText, *text};
  if (const double* number = std::get_if<double>(&value.data))
    return {FlatKind::kFloat, {}, *number};
  if (const auto integer = value.integer())
    return {FlatKind::kFloat, {}, static_cast<double>(*integer)};
  return {};
}

// Each name and value of a dict, to `take` until it is false. False also for what is no dict of
// names; values that are no plain ones are as None.
template <typename Take>
bool read_dict(std::string_view text, Take take) {
  const auto all = [&](const pickle::FlatDict& dict) {
    return std::all_of(dict.begin(), dict.end(),
                       [&](const auto& item) { return take(item.first.utf8, item.second); });
  };
  // What Swift and Apus write.
  if (const auto flat = pickle::parse_flat(text)) return all(*flat);
  const pickle::Ref root = pickle::parse(text);
  if (root == nullptr || root->dict() == nullptr) return false;
  pickle::FlatDict dict;
  for (const auto& [key, value] : root->dict()->items) {
    const std::string* name = key->string();
    if (name == nullptr) return false;
    dict.emplace_back(pickle::FlatValue{pickle::FlatKind::kText, *name}, flattened(*value));
  }
  return all(dict);
}

}  // namespace

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
  SuffixHashes out;
  // Files of old writers say neither whether they are valid nor when they were written.
  bool valid = true;
  const bool good = read_dict(text, [&](std::string_view name, const pickle::FlatValue& value) {
    if (name == "valid") {
      valid = value.number != 0;
    } else if (name == "updated") {
      out.updated = value.kind == pickle::FlatKind::kFloat ? value.number : -1;
    } else {
      out.suffixes.set(name, value.utf8);
      return is_suffix(name);
    }
    return true;
  });
  if (!good) return {};
  out.valid = valid;
  return out;
}

std::string encode_suffixes(const SuffixMap& suffixes) {
  pickle::Writer writer;
  writer.begin_dict();
  append_suffixes(writer, suffixes);
  writer.end_dict();
  return writer.finish();
}

std::optional<SuffixMap> decode_suffixes(std::string_view text) {
  SuffixMap out;
  const bool good = read_dict(text, [&](std::string_view name, const pickle::FlatValue& value) {
    out.set(name, value.utf8);
    return true;
  });
  return good ? std::optional(std::move(out)) : std::nullopt;
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
    hashes.suffixes.set(line, "");
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
  if (before && before->valid && !list && recalculate.empty() &&
      before->suffixes.unknown().empty()) {
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
    for (const std::string& name : names) hashes.suffixes.add(name);
  }
  for (const std::string& suffix : recalculate) hashes.suffixes.set(suffix, "");
  for (const std::string& suffix : hashes.suffixes.unknown()) {
    modified = true;
    try {
      const auto made = hash(suffix);
      if (made) {
        hashes.suffixes.set(suffix, *made);
        ++out.hashed;
      } else {
        hashes.suffixes.erase(suffix);
      }
    } catch (const std::system_error&) {
      // It stays without a hash, for the next look.
    }
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
