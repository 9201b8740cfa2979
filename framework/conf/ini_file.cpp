#include "framework/conf/ini_file.h"

#include <apus/digest.h>
#include <apus/text.h>
#include <ini.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

namespace apus {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = 16U << 20U;
constexpr std::size_t kPiece = 60;  // bytes of a value that one of inih's lines carries, as hex

// inih as Debian builds it cuts lines at 199 bytes and names at 49, and takes " ;" for a comment
// inside a value. So it is fed folded lines: section and option names as numbers, values as hex in
// pieces, the later ones as the indented lines that it joins to the option before.
class FoldingReader {
 public:
  FoldingReader(std::string_view text, const std::string& name, ConfFile& to,
                std::vector<ConfProblem>& problems)
      : left_(text), name_(name), to_(to), problems_(problems) {}

  void run() {
    ini_parse_stream(
        [](char* out, int size, void* self) -> char* {
          return static_cast<FoldingReader*>(self)->next_line(out, static_cast<std::size_t>(size));
        },
        this,
        [](void* self, const char* section, const char* option, const char* value) -> int {
          return static_cast<FoldingReader*>(self)->take(section, option, value);
        },
        this);
  }

 private:
  char* next_line(char* out, std::size_t size) {
    while (folded_.empty()) {
      if (left_.empty()) return nullptr;
      fold();
    }
    const std::string line = folded_.front() + "\n";
    folded_.erase(folded_.begin());
    std::memcpy(out, line.c_str(), std::min(size, line.size() + 1));
    return out;
  }

  // One line of the file into lines for inih.
  void fold() {
    ++line_;
    const std::size_t end = std::min(left_.find('\n'), left_.size());
    const std::string_view raw = left_.substr(0, end);
    left_.remove_prefix(std::min(end + 1, left_.size()));
    const std::string_view line = trim(raw);
    if (line.starts_with('#') || line.starts_with(';')) return;
    if (line.empty()) return;
    const bool indented = raw.front() == ' ' || raw.front() == '\t';
    if (indented && in_option_) return fold_value("\n" + std::string(line), " ");
    if (line.starts_with('[')) return fold_section(line);
    fold_option(line);
  }

  void fold_section(std::string_view line) {
    in_option_ = false;
    const std::size_t close = line.find(']');
    if (close == std::string_view::npos || close == 1) {
      return problem("", "a section line is [name]; this one has no ']' or no name");
    }
    const std::string name(line.substr(1, close - 1));
    const auto known = std::find_if(to_.sections.begin(), to_.sections.end(),
                                    [&](const ConfSection& s) { return s.name == name; });
    section_ = static_cast<std::size_t>(known - to_.sections.begin());
    if (known == to_.sections.end()) to_.sections.push_back({name, {name_, line_, name}, {}});
    folded_.push_back("[" + std::to_string(section_) + "]");
  }

  void fold_option(std::string_view line) {
    const std::size_t at = line.find_first_of("=:");
    if (at == std::string_view::npos || at == 0) {
      in_option_ = false;
      return problem(std::string(line.substr(0, 40)),
                     "expected NAME = VALUE, [SECTION] or a # comment");
    }
    if (section_ == std::string::npos) {
      return problem(std::string(trim(line.substr(0, at))), "stands before any [SECTION]");
    }
    names_.emplace_back(trim(line.substr(0, at)));
    in_option_ = true;
    fold_value(std::string(trim(line.substr(at + 1))), std::to_string(names_.size() - 1) + "=");
  }

  void fold_value(std::string value, std::string lead) {
    std::string_view rest = value;
    do {
      folded_.push_back(lead + "x" + to_hex(rest.substr(0, kPiece)));
      rest.remove_prefix(std::min(kPiece, rest.size()));
      lead = " ";
    } while (!rest.empty());
  }

  int take(const char* section, const char* option, const char* value) {
    if (*section == '\0') return 1;
    ConfSection& target = to_.sections[static_cast<std::size_t>(std::stoul(section))];
    const std::string& name = names_[static_cast<std::size_t>(std::stoul(option))];
    const std::string piece = from_hex(value + 1).value_or("");
    const auto known = std::find_if(target.options.begin(), target.options.end(),
                                    [&](const ConfOption& o) { return o.name == name; });
    if (last_ == option && known != target.options.end()) {
      known->value += piece;
      return 1;
    }
    last_ = option;
    const ConfOption fresh{name, piece, {name_, line_, target.name}};
    if (known != target.options.end()) {
      *known = fresh;
    } else {
      target.options.push_back(fresh);
    }
    return 1;
  }

  void problem(const std::string& key, const std::string& message) {
    const std::string section = section_ < to_.sections.size() ? to_.sections[section_].name : "";
    problems_.push_back({true, {name_, line_, section}, key, message});
  }

  std::string_view left_;
  const std::string& name_;
  ConfFile& to_;
  std::vector<ConfProblem>& problems_;
  std::vector<std::string> folded_;
  std::vector<std::string> names_;
  std::string last_;
  std::size_t section_ = std::string::npos;
  int line_ = 0;
  bool in_option_ = false;
};

void read_one(const fs::path& path, ConfFile& to, std::vector<ConfProblem>& problems) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  const std::string name = path.string();
  if (!in || in.bad()) {
    problems.push_back({true, {name, 0, ""}, "", "cannot be read"});
    return;
  }
  const std::string bytes = text.str();
  if (bytes.size() > kMaxFile) {
    problems.push_back({true, {name, 0, ""}, "", "is larger than 16 MiB"});
    return;
  }
  FoldingReader(bytes, name, to, problems).run();
}

class Interpolation {
 public:
  Interpolation(const ConfFile& file, const ConfSection* section,
                std::vector<ConfProblem>& problems)
      : file_(file), section_(section), problems_(problems) {}

  std::string expand(const ConfOption& option, int level = 0) {
    std::string_view text = option.value;
    if (text.find("%(") == std::string_view::npos) return option.value;
    std::string out;
    while (!text.empty()) {
      const std::size_t percent = std::min(text.find('%'), text.size());
      out += text.substr(0, percent);
      text.remove_prefix(percent);
      if (text.empty()) break;
      if (text.starts_with("%%")) {
        out += '%';
        text.remove_prefix(2);
        continue;
      }
      const std::size_t close = text.find(")s");
      if (!text.starts_with("%(") || close == std::string_view::npos) {
        problems_.push_back(
            {true, option.origin, option.name, "'%' must be '%%' or %(name)s in a value with %("});
        return out;
      }
      out += lookup(std::string(text.substr(2, close - 2)), option, level);
      text.remove_prefix(close + 2);
    }
    return out;
  }

 private:
  std::string lookup(const std::string& name, const ConfOption& from, int level) {
    if (level > 10) {
      problems_.push_back(
          {true, from.origin, from.name, "%(" + name + ")s goes round in a circle"});
      return "";
    }
    const ConfSection* defaults = file_.find("DEFAULT");
    for (const ConfSection* section : {section_, defaults}) {
      if (section == nullptr) continue;
      const ConfOption* option = section->find(name);
      if (option != nullptr && option != &from) return expand(*option, level + 1);
    }
    if (name == "here") return file_.here.string();
    if (name == "__file__") return file_.path.string();
    problems_.push_back(
        {true, from.origin, from.name,
         "%(" + name + ")s is not known; an option of this section or of [DEFAULT], or here"});
    return "";
  }

  const ConfFile& file_;
  const ConfSection* section_;
  std::vector<ConfProblem>& problems_;
};

}  // namespace

std::string ConfProblem::text() const {
  std::string out = origin.file;
  if (origin.line > 0) out += ":" + std::to_string(origin.line);
  out += ": ";
  if (!origin.section.empty()) out += "[" + origin.section + "] ";
  if (!key.empty()) out += key + ": ";
  return out + message;
}

const ConfOption* ConfSection::find(std::string_view option) const {
  const auto at = std::find_if(options.begin(), options.end(),
                               [&](const ConfOption& o) { return o.name == option; });
  return at == options.end() ? nullptr : &*at;
}

const ConfSection* ConfFile::find(std::string_view section) const {
  const auto at = std::find_if(sections.begin(), sections.end(),
                               [&](const ConfSection& s) { return s.name == section; });
  return at == sections.end() ? nullptr : &*at;
}

ConfFile parse_conf(std::string_view text, const std::string& name,
                    std::vector<ConfProblem>& problems) {
  ConfFile out;
  out.path = name;
  out.here = fs::path(name).parent_path();
  FoldingReader(text, name, out, problems).run();
  return out;
}

ConfFile read_conf(const fs::path& path, std::vector<ConfProblem>& problems) {
  ConfFile out;
  out.path = fs::absolute(path).lexically_normal();
  std::error_code error;
  if (!fs::is_directory(out.path, error)) {
    out.here = out.path.parent_path();
    read_one(out.path, out, problems);
    return out;
  }
  out.here = out.path;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(out.path, error)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".conf") && !name.starts_with('.')) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) read_one(file, out, problems);
  if (files.empty()) {
    problems.push_back({true, {out.path.string(), 0, ""}, "", "holds no *.conf file"});
  }
  return out;
}

std::string interpolate(const ConfFile& file, const ConfSection* section, const ConfOption& option,
                        std::vector<ConfProblem>& problems) {
  return Interpolation(file, section, problems).expand(option);
}

}  // namespace apus
