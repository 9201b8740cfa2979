#include "framework/log/redact.h"

#include <apus/headers.h>

#include <algorithm>
#include <array>

namespace apus {
namespace {

struct Secret {
  std::string_view name;
  bool whole_field = false;  ///< the value may hold blanks and commas
};

constexpr std::array kSecrets = {
    Secret{"x-auth-token"},
    Secret{"x-subject-token"},
    Secret{"x-service-token"},
    Secret{"x-storage-token"},
    Secret{"x-auth-key"},
    Secret{"x-storage-pass"},
    Secret{"x-amz-security-token"},
    Secret{"x-amz-signature"},
    Secret{"authorization", true},
    Secret{"temp-url-key-2"},
    Secret{"temp-url-key"},
    Secret{"temp_url_sig"},
    Secret{"signature"},
    Secret{"sync-key"},
};
constexpr std::array<std::string_view, 8> kSeparators = {":",   "=",   " ",   "\"",
                                                         "%3a", "%3d", "%20", "%22"};
constexpr std::size_t kShown = 8;
constexpr std::size_t kShortest = 16;

constexpr unsigned char kCase = 32;
constexpr unsigned char other_case(char letter) {
  return static_cast<unsigned char>(letter) & static_cast<unsigned char>(~kCase);
}

// Bytes that a name has at `place`, in both cases.
constexpr std::array<bool, 256> make_table(std::size_t place) {
  std::array<bool, 256> table{};
  for (const Secret& secret : kSecrets) {
    const char c = secret.name[place];
    table[static_cast<unsigned char>(c)] = true;
    if (c >= 'a' && c <= 'z') table[other_case(c)] = true;
  }
  return table;
}
constexpr std::array<bool, 256> kFirstLetters = make_table(0);
constexpr std::array<bool, 256> kThird = make_table(2);

// Where a name could start: size() when nowhere.
std::size_t next_candidate(std::string_view text, std::size_t from) {
  for (std::size_t at = from; at + 2 < text.size(); ++at) {
    if (kFirstLetters[static_cast<unsigned char>(text[at])] &&
        kThird[static_cast<unsigned char>(text[at + 2])])
      return at;
  }
  return text.size();
}

const Secret* secret_at(std::string_view rest) {
  const auto* found = std::find_if(kSecrets.begin(), kSecrets.end(), [&](const Secret& secret) {
    return starts_with_name(rest, secret.name);
  });
  return found == kSecrets.end() ? nullptr : found;
}

std::size_t separator_at(std::string_view rest) {
  for (const std::string_view separator : kSeparators) {
    if (starts_with_name(rest, separator)) return separator.size();
  }
  return 0;
}

// A blank, comma or quote ends a value, and so does one of them percent-encoded.
std::size_t value_end(std::string_view rest, bool whole_field) {
  const std::string_view ends = whole_field ? "\n\r\"'" : " &,;\n\r\"'";
  for (std::size_t at = 0; at < rest.size(); ++at) {
    if (ends.find(rest[at]) != std::string_view::npos) return at;
    if (rest[at] != '%') continue;
    for (const std::string_view mark : {"%0a", "%0d", "%22", "%26"}) {
      if (starts_with_name(rest.substr(at), mark)) return at;
    }
  }
  return rest.size();
}

void append_cut(std::string& out, std::string_view value) {
  if (value.ends_with("...") || value.empty()) {
    out.append(value);
  } else {
    out.append(value.substr(0, value.size() > kShortest ? kShown : 0)).append("...");
  }
}

}  // namespace

std::string redact(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 64);
  while (!text.empty()) {
    std::size_t at = next_candidate(text, 0);
    const Secret* secret = nullptr;
    while (at < text.size() && (secret = secret_at(text.substr(at))) == nullptr)
      at = next_candidate(text, at + 1);
    out.append(text.substr(0, at));
    text.remove_prefix(at);
    if (secret == nullptr) break;
    std::size_t value = secret->name.size();
    while (const std::size_t step = value < text.size() ? separator_at(text.substr(value)) : 0)
      value += step;
    out.append(text.substr(0, value));
    const bool assigned = value > secret->name.size();
    text.remove_prefix(value);
    if (!assigned) continue;
    const std::size_t size = value_end(text, secret->whole_field);
    append_cut(out, text.substr(0, size));
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace apus
