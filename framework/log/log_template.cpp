#include <apus/log_template.h>
#include <apus/text.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <stdexcept>

namespace apus {
namespace {

constexpr std::string_view kSafe = ":/{}";
constexpr std::string_view kLetters = "aAbBcdHIjmMpSUwWxXyYZ";
// Attributes of times that strftime writes; asctime's day has a blank where others have a zero.
constexpr std::array<std::pair<std::string_view, const char*>, 3> kForms = {
    {{"asctime", "%a %b %e %H:%M:%S %Y"},
     {"datetime", "%d/%b/%Y/%H/%M/%S"},
     {"iso8601", "%Y-%m-%dT%H:%M:%S"}}};
// Attributes that are a stretch of "SECONDS.NNNNNNNNN": digits behind the point, 0 = before it.
constexpr std::array<std::pair<std::string_view, std::size_t>, 4> kDigits = {
    {{"s", 0}, {"ms", 3}, {"us", 6}, {"ns", 9}}};

constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    table[c] = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("_.-~").find(static_cast<char>(c)) != std::string_view::npos ||
               kSafe.find(static_cast<char>(c)) != std::string_view::npos;
  }
  return table;
}
constexpr std::array<bool, 256> kPlain = make_plain();

void append_quoted(std::string& out, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char c) { return kPlain[static_cast<unsigned char>(c)]; });
  if (plain) {
    out.append(text);
  } else {
    out.append(quote(text, kSafe));
  }
}

template <typename Table>
auto find_entry(const Table& table, std::string_view name) {
  return std::find_if(table.begin(), table.end(),
                      [&](const auto& entry) { return entry.first == name; });
}

bool fits(LogField::Kind kind, std::string_view attribute) {
  if (attribute.empty()) return true;
  if (kind == LogField::Kind::kPrivate) return attribute == "anonymized";
  if (kind != LogField::Kind::kTime) return false;
  return find_entry(kForms, attribute) != kForms.end() ||
         find_entry(kDigits, attribute) != kDigits.end() ||
         (attribute.size() == 1 && kLetters.find(attribute) != std::string_view::npos);
}

std::string time_text(double seconds, std::string_view attribute) {
  const auto digits = find_entry(kDigits, attribute);
  if (attribute.empty() || digits != kDigits.end()) {
    std::array<char, 64> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), seconds,
                                   std::chars_format::fixed, 9);
    const std::string_view plain(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
    if (attribute.empty()) return std::string(plain);
    const std::size_t point = plain.find('.');
    return std::string(digits->second == 0 ? plain.substr(0, point)
                                           : plain.substr(point + 1, digits->second));
  }
  const auto form = find_entry(kForms, attribute);
  const std::array<char, 3> letter = {'%', attribute.front(), '\0'};
  const auto whole = static_cast<std::time_t>(std::floor(seconds));
  std::tm parts{};
  gmtime_r(&whole, &parts);
  if (attribute == "Z") return "UTC";
  std::array<char, 64> text;
  const std::size_t size = std::strftime(
      text.data(), text.size(), form != kForms.end() ? form->second : letter.data(), &parts);
  return {text.data(), size};
}

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

DigestKind digest_of(const std::string& name) {
  static constexpr std::array<std::pair<std::string_view, DigestKind>, 4> kKinds = {
      {{"MD5", DigestKind::kMd5},
       {"SHA1", DigestKind::kSha1},
       {"SHA256", DigestKind::kSha256},
       {"SHA512", DigestKind::kSha512}}};
  const auto kind = find_entry(kKinds, name);
  if (kind == kKinds.end()) throw std::runtime_error("Unsupported hashing method: '" + name + "'");
  return kind->second;
}

[[noreturn]] void refuse(const std::string& why) {
  throw std::runtime_error("Cannot interpolate log_msg_template: " + why);
}

}  // namespace

LogTemplate::LogTemplate(std::string_view text, std::span<const LogField> fields,
                         std::string anonymizer, std::string salt)
    : fields_(fields),
      anonymizer_(upper(std::move(anonymizer))),
      digest_(digest_of(anonymizer_)),
      salt_(std::move(salt)) {
  std::string literal;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool doubled = at + 1 < text.size() && text[at + 1] == c;
    if (c == '}' && !doubled) refuse("single '}' encountered");
    if (c != '{' && c != '}') {
      literal += c;
    } else if (doubled) {
      literal += c;
      ++at;
    } else {
      const std::size_t end = text.find('}', at);
      if (end == std::string_view::npos) refuse("expected '}' before end of template");
      add_field(text.substr(at + 1, end - at - 1), std::exchange(literal, {}));
      at = end;
    }
  }
  tail_ = std::move(literal);
}
LogTemplate::~LogTemplate() = default;

void LogTemplate::add_field(std::string_view inside, std::string literal) {
  const std::size_t dot = inside.find('.');
  const std::string_view name = inside.substr(0, dot);
  const std::string_view attribute =
      dot == std::string_view::npos ? std::string_view() : inside.substr(dot + 1);
  if (inside.find_first_of(":!") != std::string_view::npos)
    refuse("'{" + std::string(inside) + "}': a field takes no format");
  const auto field = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const LogField& known) { return known.name == name; });
  if (field == fields_.end()) refuse("no field '" + std::string(name) + "'");
  if (!fits(field->kind, attribute) || inside.ends_with('.')) {
    refuse("field '" + std::string(name) + "' has no '" + std::string(attribute) + "'");
  }
  pieces_.push_back({std::move(literal), static_cast<std::size_t>(field - fields_.begin()),
                     std::string(attribute)});
}

std::string LogTemplate::anonymous(std::string_view text) const {
  Digest digest(digest_);
  digest.update(salt_);
  digest.update(text);
  return (salt_.empty() ? "{" : "{S") + anonymizer_ + "}" + digest.finish_hex();
}

void LogTemplate::append(std::string& out, const Piece& piece, const LogValue& value) const {
  if (fields_[piece.field].kind == LogField::Kind::kTime) {
    append_quoted(out, time_text(value.time, piece.attribute));
  } else if (value.text.empty()) {
    out += '-';
  } else if (piece.attribute.empty()) {
    append_quoted(out, value.text);
  } else {
    out += anonymous(value.text);
  }
}

LogTemplate::Line LogTemplate::begin(std::span<const LogValue> values) const {
  Line line;
  line.text.reserve(512);
  for (const Piece& piece : pieces_) {
    line.text += piece.literal;
    if (fields_[piece.field].late) {
      line.gaps.push_back(line.text.size());
    } else {
      append(line.text, piece, values[piece.field]);
    }
  }
  line.text += tail_;
  return line;
}

std::string LogTemplate::finish(const Line& line, std::span<const LogValue> values) const {
  std::string out;
  out.reserve(line.text.size() + 96);
  std::size_t from = 0;
  auto gap = line.gaps.begin();
  for (const Piece& piece : pieces_) {
    if (!fields_[piece.field].late) continue;
    out.append(line.text, from, *gap - from);
    from = *gap++;
    append(out, piece, values[piece.field]);
  }
  return out.append(line.text, from);
}

std::string python_float(double value) {
  std::array<char, 40> buffer;
  const double size = std::fabs(value);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string out(buffer.data(), end.ptr);
  if (fixed && out.find('.') == std::string::npos) out += ".0";
  return out;
}

}  // namespace apus
