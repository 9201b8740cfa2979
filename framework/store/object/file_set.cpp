#include "framework/store/object/file_set.h"

#include <algorithm>

namespace apus {
namespace {

using Files = std::vector<ObjectFile>;

void newest_first(Files& files) {
  std::sort(files.begin(), files.end(),
            [](const ObjectFile& a, const ObjectFile& b) { return a.timestamp > b.timestamp; });
}

// Moves the files for which `old` holds to the obsolete names.
template <typename Predicate>
void retire(Files& files, FileSet& to, Predicate old) {
  for (const ObjectFile& file : files) {
    if (old(file)) to.obsolete.push_back(file.name);
  }
  std::erase_if(files, old);
}

void apply_tombstones(Files& data, Files& metas, Files& tombstones, FileSet& to) {
  if (tombstones.empty()) return;
  const Timestamp newest = tombstones.front().timestamp;
  const auto covered = [&](const ObjectFile& file) { return file.timestamp <= newest; };
  retire(data, to, covered);
  retire(metas, to, covered);
  for (std::size_t i = 1; i < tombstones.size(); ++i) to.obsolete.push_back(tombstones[i].name);
  tombstones.resize(1);
}

// Keeps the newest .meta and, besides it, one that has a newer content type.
void reduce_metas(Files& metas, FileSet& to) {
  if (metas.size() < 2) return;
  const auto type_of = [](const ObjectFile& file) {
    return file.content_type.value_or(Timestamp());
  };
  const auto best =
      std::max_element(metas.begin() + 1, metas.end(),
                       [&](const auto& a, const auto& b) { return type_of(a) < type_of(b); });
  Files kept;
  if (type_of(*best) > type_of(metas.front())) {
    if (best->timestamp == metas.front().timestamp) {
      kept = {*best};
    } else {
      kept = {metas.front(), *best};
    }
  } else {
    kept = {metas.front()};
  }
  retire(metas, to, [&](const ObjectFile& file) {
    return std::none_of(kept.begin(), kept.end(),
                        [&](const ObjectFile& k) { return k.name == file.name; });
  });
  metas = kept;
}

}  // namespace

std::optional<ObjectFile> parse_object_file(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  const std::string_view stem = name.substr(0, dot);
  const std::string_view extension = name.substr(dot);
  ObjectFile out;
  out.name = name;
  if (extension == ".meta") {
    out.kind = ObjectFile::Kind::kMeta;
    const auto triple = decode_timestamps(stem);
    if (!triple) return std::nullopt;
    out.timestamp = triple->data;
    if (stem.find_first_of("+-") != std::string_view::npos) out.content_type = triple->content_type;
    return out;
  }
  if (extension != ".data" && extension != ".ts") return std::nullopt;
  out.kind = extension == ".data" ? ObjectFile::Kind::kData : ObjectFile::Kind::kTombstone;
  const auto timestamp = Timestamp::parse(stem);
  if (!timestamp) return std::nullopt;
  out.timestamp = *timestamp;
  return out;
}

FileSet choose_files(const std::vector<std::string>& names) {
  FileSet out;
  if (names.size() == 1) {
    // Nearly every object: one file.
    auto file = parse_object_file(names.front());
    if (!file) {
      out.unexpected = 1;
    } else if (file->kind == ObjectFile::Kind::kData) {
      out.data = std::move(file);
    } else if (file->kind == ObjectFile::Kind::kTombstone) {
      out.tombstone = std::move(file);
    } else {
      out.reclaimable.push_back(std::move(*file));
    }
    return out;
  }
  Files data;
  Files metas;
  Files tombstones;
  for (const std::string& name : names) {
    auto file = parse_object_file(name);
    if (!file) {
      ++out.unexpected;
    } else if (file->kind == ObjectFile::Kind::kData) {
      data.push_back(std::move(*file));
    } else if (file->kind == ObjectFile::Kind::kMeta) {
      metas.push_back(std::move(*file));
    } else {
      tombstones.push_back(std::move(*file));
    }
  }
  newest_first(data);
  newest_first(metas);
  newest_first(tombstones);
  apply_tombstones(data, metas, tombstones, out);
  reduce_metas(metas, out);
  if (data.empty()) {
    for (ObjectFile& meta : metas) out.reclaimable.push_back(std::move(meta));
    if (!tombstones.empty()) out.tombstone = tombstones.front();
    return out;
  }
  out.data = data.front();
  const auto covered = [&](const ObjectFile& file) {
    return file.timestamp <= out.data->timestamp;
  };
  for (std::size_t i = 1; i < data.size(); ++i) out.obsolete.push_back(data[i].name);
  retire(metas, out, covered);
  retire(tombstones, out, covered);
  if (!metas.empty()) {
    out.meta = metas.front();
    if (metas.back().content_type.value_or(Timestamp()) > out.data->timestamp) {
      out.content_type = metas.back().content_type;
      if (metas.size() > 1) out.content_type_meta = metas.back();
    }
  }
  return out;
}

}  // namespace apus
