// The suffixes of a partition and their hashes: a pass goes through hundreds of thousands of them.
#pragma once

#include <apus/abi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace apus {

/// Three lower-case hex digits.
APUS_API bool is_suffix(std::string_view text);

/// Each suffix with its hash, or with none when it has to be hashed. Sorted, in one piece of
/// memory. A value.
class APUS_API SuffixMap {
 public:
  class APUS_API Entry {
   public:
    [[nodiscard]] std::string_view suffix() const { return {suffix_.data(), suffix_.size()}; }
    /// Of 32 hex digits (MD5), or what another server says instead; empty: none.
    [[nodiscard]] std::string_view hash() const { return {hash_.data(), size_}; }
    friend bool operator==(const Entry&, const Entry&) = default;

   private:
    friend class SuffixMap;
    std::array<char, 3> suffix_{};
    std::uint8_t size_ = 0;
    std::array<char, 32> hash_{};
  };

  SuffixMap() = default;
  SuffixMap(std::initializer_list<std::pair<std::string_view, std::string_view>> entries);

  [[nodiscard]] auto begin() const { return entries_.begin(); }
  [[nodiscard]] auto end() const { return entries_.end(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// Empty: the suffix has none, or is not there.
  [[nodiscard]] std::string_view hash_of(std::string_view suffix) const;
  [[nodiscard]] bool contains(std::string_view suffix) const;
  /// Those without a hash.
  [[nodiscard]] std::vector<std::string> unknown() const;
  /// Those that the other has not, or has with another hash.
  [[nodiscard]] std::vector<std::string> differing_from(const SuffixMap& other) const;

  /// Puts it in, or gives it another hash; none for one of more than 32 bytes. All three do nothing
  /// for what is_suffix does not take. In the order of the suffixes it is cheapest.
  void set(std::string_view suffix, std::string_view hash);
  /// Puts it in without a hash, unless it is there.
  void add(std::string_view suffix);
  void erase(std::string_view suffix);

  friend bool operator==(const SuffixMap&, const SuffixMap&) = default;

 private:
  using Entries = std::vector<Entry>;
  [[nodiscard]] Entries::const_iterator place_of(std::string_view suffix) const;
  [[nodiscard]] const Entry* find(std::string_view suffix) const;
  Entry& at(std::string_view suffix);

  Entries entries_;
};

}  // namespace apus
