#include "framework/ssync/protocol.h"

#include <apus/text.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace apus::ssync {
namespace {

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t start = line.find_first_not_of(" \t\r\n", at);
    if (start == std::string_view::npos) break;
    at = std::min(line.find_first_of(" \t\r\n", start), line.size());
    out.emplace_back(line.substr(start, at - start));
  }
  return out;
}

std::string hex_delta(const Timestamp& from, const Timestamp& to) {
  std::array<char, 24> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), to.raw() - from.raw(), 16).ptr;
  std::string out(digits.data(), end);
  // Offsets of their own travel behind the delta, as newer senders write them.
  if (to.offset() != 0) {
    const auto last =
        std::to_chars(digits.data(), digits.data() + digits.size(), to.offset(), 16).ptr;
    out.append("__").append(digits.data(), last);
  }
  return out;
}

// "186a0" or "186a0__2", from a base whose own offset does not count.
std::optional<Timestamp> moment(const Timestamp& base, std::string_view text) {
  std::uint64_t offset = 0;
  if (const std::size_t mark = text.find("__"); mark != std::string_view::npos) {
    const std::string_view digits = text.substr(mark + 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), offset, 16);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    text = text.substr(0, mark);
  }
  std::int64_t delta = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), delta, 16);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  const std::int64_t limit = Timestamp::kRawEnd;
  if (delta <= -limit || delta >= limit) return std::nullopt;
  const std::int64_t raw = base.raw() + delta;
  if (raw < 0 || raw >= limit) return std::nullopt;
  return Timestamp::from_raw(raw, offset);
}

}  // namespace

bool is_hash(std::string_view text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string encode_offer(const Offer& offer) {
  std::string out = offer.hash + " " + offer.data.internal();
  std::string more;
  if (offer.meta != offer.data) {
    more = "m:" + hex_delta(offer.data, offer.meta);
    if (offer.content_type != offer.data) more += ",t:" + hex_delta(offer.data, offer.content_type);
  }
  if (!offer.durable) more += more.empty() ? "durable:False" : ",durable:False";
  return more.empty() ? out : out + " " + more;
}

std::optional<Offer> decode_offer(std::string_view line) {
  const std::vector<std::string> words = words_of(line);
  if (words.size() < 2) return std::nullopt;
  Offer out;
  out.hash = unquote(words[0]);
  const auto data = Timestamp::parse(unquote(words[1]));
  if (!is_hash(out.hash) || !data) return std::nullopt;
  out.data = out.meta = out.content_type = *data;
  if (words.size() == 2) return out;
  for (const std::string& item : split_list(unquote(words[2]))) {
    const std::size_t colon = item.find(':');
    if (colon == std::string::npos) continue;
    const std::string_view value = std::string_view(item).substr(colon + 1);
    const std::string_view key = std::string_view(item).substr(0, colon);
    if (key == "durable") {
      out.durable = is_true(value);
    } else if (key == "m" || key == "t") {
      const auto when = moment(*data, value);
      if (!when) return std::nullopt;
      (key == "m" ? out.meta : out.content_type) = *when;
    }
  }
  return out;
}

std::optional<Want> compare(const Offer& offer, const Local& local) {
  Want out{offer.hash, false, false};
  if (!local.data) {
    out.data = out.meta = true;
    return out;
  }
  out.data = offer.data > *local.data;
  out.meta = local.meta && offer.meta > *local.meta;
  if (local.content_type && offer.content_type > *local.content_type &&
      offer.content_type > offer.data) {
    out.meta = true;
  }
  return out.data || out.meta ? std::optional(out) : std::nullopt;
}

std::string encode_want(const Want& want) {
  return want.hash + " " + (want.data ? "d" : "") + (want.meta ? "m" : "");
}

std::optional<Want> decode_want(std::string_view line) {
  const std::vector<std::string> words = words_of(line);
  if (words.empty()) return std::nullopt;
  Want out{unquote(words[0]), false, false};
  if (!is_hash(out.hash)) return std::nullopt;
  if (words.size() == 1) {
    out.data = true;
    return out;
  }
  out.data = words[1].find('d') != std::string::npos;
  out.meta = words[1].find('m') != std::string::npos;
  return out;
}

}  // namespace apus::ssync
