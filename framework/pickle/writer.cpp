#include <bit>

#include "framework/pickle/pickle.h"

namespace apus::pickle {
namespace {

void append_u32(std::string& out, std::size_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xFFU);
}

}  // namespace

Writer::Writer() : out_("\x80\x02") {}

void Writer::begin_dict() { out_ += "}("; }
void Writer::end_dict() { out_ += 'u'; }
void Writer::begin_tuple() { out_ += '('; }
void Writer::end_tuple() { out_ += 't'; }
void Writer::begin_list() { out_ += "]("; }
void Writer::end_list() { out_ += 'e'; }

void Writer::text(std::string_view utf8) {
  out_ += 'X';
  append_u32(out_, utf8.size());
  out_ += utf8;
}

void Writer::bytes(std::string_view raw) {
  // The function and its second argument are kept as memo 0 and 1: Swift looks for the name near
  // the start to tell who wrote the metadata.
  if (has_codec_) {
    out_.append("h\x00", 2);
  } else {
    out_.append("c_codecs\nencode\nq\x00", 18);
  }
  text(latin1_to_utf8(raw));
  if (has_codec_) {
    out_ += "h\x01";
  } else {
    text("latin1");
    out_ += "q\x01";
  }
  has_codec_ = true;
  out_ += "\x86R";
}

void Writer::integer(std::int64_t value) {
  if (value >= 0 && value < 256) {
    out_ += 'K';
    out_ += static_cast<char>(value);
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    out_ += 'J';
    append_u32(out_, static_cast<std::uint32_t>(value));
  } else {
    out_ += "\x8a\x08";
    append_u32(out_, static_cast<std::uint64_t>(value) & 0xFFFFFFFFU);
    append_u32(out_, static_cast<std::uint64_t>(value) >> 32U);
  }
}

void Writer::number(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  out_ += 'G';
  for (int shift = 56; shift >= 0; shift -= 8)
    out_ += static_cast<char>(bits >> static_cast<unsigned>(shift));
}

void Writer::boolean(bool value) { out_ += value ? '\x88' : '\x89'; }
void Writer::none() { out_ += 'N'; }

std::uint32_t Writer::remember() {
  out_ += 'r';
  append_u32(out_, memos_);
  return memos_++;
}

void Writer::recall(std::uint32_t memo) {
  out_ += 'j';
  append_u32(out_, memo);
}

void Writer::begin_array(char type_code) {
  if (array_memo_) {
    recall(*array_memo_);
  } else {
    out_ += "carray\narray\n";
    array_memo_ = remember();
  }
  text(std::string_view(&type_code, 1));
  out_ += "](";
  elements_ = 0;
}

// In batches, as Python writes them: a reader's stack stays small.
void Writer::element(std::uint32_t value) {
  if (++elements_ % 1000 == 0) out_ += "e(";
  if (value < 256) {
    out_ += 'K';
    out_ += static_cast<char>(value);
  } else if (value < 65536) {
    out_ += 'M';
    out_ += static_cast<char>(value & 0xFFU);
    out_ += static_cast<char>(value >> 8U);
  } else {
    out_ += "\x8a\x05";
    append_u32(out_, value);
    out_ += '\0';
  }
}

void Writer::end_array() { out_ += "e\x86R"; }

std::string Writer::finish() {
  std::string done = std::move(out_);
  done += '.';
  *this = Writer();
  return done;
}

std::string latin1_to_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0U | byte >> 6U);
      out += static_cast<char>(0x80U | (byte & 0x3FU));
    }
  }
  return out;
}

std::optional<std::string> utf8_to_latin1(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x80) {
      out += utf8[i];
      continue;
    }
    if ((byte != 0xC2 && byte != 0xC3) || i + 1 == utf8.size()) return std::nullopt;
    const auto tail = static_cast<unsigned char>(utf8[++i]);
    if ((tail & 0xC0U) != 0x80U) return std::nullopt;
    out += static_cast<char>((byte & 3U) << 6U | (tail & 0x3FU));
  }
  return out;
}

}  // namespace apus::pickle
