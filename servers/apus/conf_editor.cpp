#include "servers/apus/conf_editor.h"

#include <apus/text.h>

#include <stdexcept>

namespace apus {
namespace {

std::string_view key_of(std::string_view line) {
  line = line.substr(0, line.find('='));
  return line.starts_with('#') || line.starts_with(';') ? std::string_view() : trim(line);
}

}  // namespace

ConfEditor::ConfEditor(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines_.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

ConfEditor::Place ConfEditor::find(std::string_view section, std::string_view key) const {
  const std::string head = "[" + std::string(section) + "]";
  Place place;
  bool inside = false;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const std::string_view line = trim(lines_[i]);
    if (line.starts_with('[')) {
      inside = line == head;
      if (inside) place.section_end = i + 1;
    } else if (inside && !key_of(line).empty()) {
      place.section_end = i + 1;
      if (key_of(line) == key) place.line = i;
    }
  }
  return place;
}

void ConfEditor::set(std::string_view section, std::string_view key, std::string_view value) {
  if (value.find_first_of("\r\n") != std::string_view::npos) {
    throw std::invalid_argument("a conf value has no line breaks");
  }
  std::string line(key);
  line.append(" = ").append(value);
  const Place place = find(section, key);
  if (place.line != std::string::npos) {
    lines_[place.line] = std::move(line);
  } else if (place.section_end != std::string::npos) {
    lines_.insert(lines_.begin() + static_cast<std::ptrdiff_t>(place.section_end), std::move(line));
  } else {
    lines_.emplace_back();
    lines_.push_back("[" + std::string(section) + "]");
    lines_.push_back(std::move(line));
  }
}

bool ConfEditor::has(std::string_view section, std::string_view key) const {
  return find(section, key).line != std::string::npos;
}

std::string ConfEditor::text() const {
  std::string out;
  for (const std::string& line : lines_) out.append(line).append("\n");
  return out;
}

}  // namespace apus
