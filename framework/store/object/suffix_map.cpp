#include "framework/store/object/suffix_map.h"

#include <algorithm>

namespace apus {

bool is_suffix(std::string_view text) {
  return text.size() == 3 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

SuffixMap::SuffixMap(std::initializer_list<std::pair<std::string_view, std::string_view>> entries) {
  for (const auto& [suffix, hash] : entries) set(suffix, hash);
}

SuffixMap::Entries::const_iterator SuffixMap::place_of(std::string_view suffix) const {
  if (entries_.empty() || entries_.back().suffix() < suffix) return entries_.end();
  return std::lower_bound(
      entries_.begin(), entries_.end(), suffix,
      [](const Entry& entry, std::string_view wanted) { return entry.suffix() < wanted; });
}

const SuffixMap::Entry* SuffixMap::find(std::string_view suffix) const {
  const auto place = place_of(suffix);
  return place != entries_.end() && place->suffix() == suffix ? &*place : nullptr;
}

SuffixMap::Entry& SuffixMap::at(std::string_view suffix) {
  const auto place = entries_.begin() + (place_of(suffix) - entries_.cbegin());
  if (place != entries_.end() && place->suffix() == suffix) return *place;
  Entry entry;
  suffix.copy(entry.suffix_.data(), entry.suffix_.size());
  return *entries_.insert(place, entry);
}

std::string_view SuffixMap::hash_of(std::string_view suffix) const {
  const Entry* entry = find(suffix);
  return entry == nullptr ? std::string_view() : entry->hash();
}

bool SuffixMap::contains(std::string_view suffix) const { return find(suffix) != nullptr; }

std::vector<std::string> SuffixMap::unknown() const {
  std::vector<std::string> out;
  for (const Entry& entry : entries_) {
    if (entry.hash().empty()) out.emplace_back(entry.suffix());
  }
  return out;
}

std::vector<std::string> SuffixMap::differing_from(const SuffixMap& other) const {
  std::vector<std::string> out;
  auto at = other.entries_.begin();
  for (const Entry& entry : entries_) {
    while (at != other.entries_.end() && at->suffix() < entry.suffix()) ++at;
    if (at == other.entries_.end() || *at != entry) out.emplace_back(entry.suffix());
  }
  return out;
}

void SuffixMap::set(std::string_view suffix, std::string_view hash) {
  if (!is_suffix(suffix)) return;
  Entry& entry = at(suffix);
  if (hash.size() > entry.hash_.size()) hash = {};
  entry.hash_ = {};
  hash.copy(entry.hash_.data(), hash.size());
  entry.size_ = static_cast<std::uint8_t>(hash.size());
}

void SuffixMap::add(std::string_view suffix) {
  if (is_suffix(suffix)) at(suffix);
}

void SuffixMap::erase(std::string_view suffix) {
  const auto place = place_of(suffix);
  if (place != entries_.end() && place->suffix() == suffix) entries_.erase(place);
}

}  // namespace apus
