#include "framework/conf/ini_file.h"

#include <apus/digest.h>
#include <apus/text.h>
#include <ini.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <fstream>
#include <set>
#include <sstream>

#include "framework/conf/python_text.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = 4U << 20U;
constexpr std::size_t kHexPiece = 60;  // bytes of a value that one of inih's lines carries, as hex

// inih as Debian builds it cuts lines at 199 bytes and names at 49, and takes " ;" for a comment
// inside a value. So it is fed folded lines: section and option names as numbers, values as hex in
// pieces, the later ones as the indented lines that it joins to the option before.
class FoldingReader {
 public:
  FoldingReader(std::string_view text, const std::string& name, ConfFile& to,
                std::vector<ConfProblem>& problems)
      : left_(text),
        name_(name),
        to_(to),
        problems_(problems),
        latin1_(to.dialect == ConfDialect::kSwiftConf) {}

  void run() {
    ini_parse_stream(
        [](char* out, int size, void* self) -> char* {
          return static_cast<FoldingReader*>(self)->next_line(out, static_cast<std::size_t>(size));
        },
        this,
        [](void* self, const char*, const char* option, const char* value) -> int {
          return static_cast<FoldingReader*>(self)->take(option, value);
        },
        this);
    for (const ConfOption& option : options_) to_.make(option.origin.section, {}).put(option);
  }

 private:
  char* next_line(char* out, std::size_t size) {
    while (folded_.empty()) {
      if (left_.empty()) return nullptr;
      fold();
    }
    const std::string line = folded_.front() + "\n";
    folded_.pop_front();
    std::memcpy(out, line.c_str(), std::min(size, line.size() + 1));
    return out;
  }

  // One line of the file into lines for inih.
  void fold() {
    ++line_;
    std::string_view raw = take_line(left_);
    const std::string_view line = strip_blanks(raw, latin1_);
    if (line.starts_with('#') || line.starts_with(';')) return;
    if (line.empty()) {
      if (in_option_) ++blank_lines_;
      return;
    }
    std::size_t indent = 0;
    for (; leading_blank(raw, latin1_) > 0; ++indent) {
      raw.remove_prefix(leading_blank(raw, latin1_));
    }
    if (in_option_ && indent > indent_) {
      const std::string lead(blank_lines_ + 1, '\n');
      blank_lines_ = 0;
      return fold_value(lead + std::string(line), " ");
    }
    indent_ = indent;
    blank_lines_ = 0;
    in_option_ = false;
    if (line.starts_with('[')) return fold_section(line);
    fold_option(line);
  }

  void fold_section(std::string_view line) {
    const std::size_t close = line.rfind(']');
    if (close == std::string_view::npos || close == 1) {
      return problem("", "a section line is [name]; this one has no ']' or no name");
    }
    section_ = line.substr(1, close - 1);
    if (section_ != "DEFAULT" && !sections_.insert(section_).second) {
      problem("", "stands twice in this file; write all of its options below one [" + section_ +
                      "] line");
    }
    to_.make(section_, {name_, line_, section_});
    folded_.push_back("[s]");
  }

  void fold_option(std::string_view line) {
    const std::size_t at = line.find_first_of("=:");
    if (at == std::string_view::npos || at == 0) {
      return problem(std::string(line.substr(0, 40)),
                     "expected NAME = VALUE, [SECTION] or a # comment");
    }
    std::string option(strip_blanks(line.substr(0, at), latin1_));
    if (latin1_) option = lower(option);
    if (section_.empty()) return problem(option, "stands before any [SECTION]");
    if (!set_.insert(section_ + '\n' + option).second) {
      problem(option, "is set twice in this section; keep one of the lines");
    }
    options_.push_back({option, "", {name_, line_, section_}});
    in_option_ = true;
    fold_value(std::string(strip_blanks(line.substr(at + 1), latin1_)),
               std::to_string(options_.size() - 1) + "=");
  }

  void fold_value(std::string_view rest, std::string lead) {
    do {
      folded_.push_back(lead + "x" + to_hex(rest.substr(0, kHexPiece)));
      rest.remove_prefix(std::min(kHexPiece, rest.size()));
      lead = " ";
    } while (!rest.empty());
  }

  int take(const char* option, const char* value) {
    options_[static_cast<std::size_t>(std::stoul(option))].value +=
        from_hex(value + 1).value_or("");
    return 1;
  }

  void problem(const std::string& key, const std::string& message) {
    problems_.push_back({true, {name_, line_, section_}, key, message});
  }

  std::string_view left_;
  const std::string& name_;
  ConfFile& to_;
  std::vector<ConfProblem>& problems_;
  const bool latin1_;
  std::deque<std::string> folded_;
  std::vector<ConfOption> options_;
  std::set<std::string, std::less<>> sections_;  // of this file alone: folders merge files
  std::set<std::string, std::less<>> set_;
  std::string section_;
  std::size_t indent_ = 0;       // of the option that indented lines go on with
  std::size_t blank_lines_ = 0;  // inside its value so far
  int line_ = 0;
  bool in_option_ = false;
};

void read_text(std::string_view text, const std::string& name, ConfFile& to,
               std::vector<ConfProblem>& problems) {
  if (text.size() > kMaxFile) {
    problems.push_back({true, {name, 0, ""}, "", "is larger than 4 MiB"});
    return;
  }
  FoldingReader(text, name, to, problems).run();
}

void read_one(const fs::path& path, ConfFile& to, std::vector<ConfProblem>& problems) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes(kMaxFile + 1, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!in.is_open() || in.bad()) {
    problems.push_back({true, {path.string(), 0, ""}, "", "cannot be read"});
    return;
  }
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  read_text(bytes, path.string(), to, problems);
}

}  // namespace

std::string ConfProblem::text() const {
  std::string out = origin.file;
  if (origin.line > 0) out += ":" + std::to_string(origin.line);
  out += ": ";
  if (!origin.section.empty()) out += "[" + origin.section + "] ";
  if (!key.empty()) out += key + ": ";
  return out + message;
}

bool any_fatal(const std::vector<ConfProblem>& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const ConfProblem& problem) { return problem.fatal; });
}

const ConfOption* ConfSection::find(std::string_view option) const {
  const auto at = index_.find(option);
  return at == index_.end() ? nullptr : &options[at->second];
}

void ConfSection::put(ConfOption option) {
  const auto [at, fresh] = index_.emplace(option.name, options.size());
  if (fresh) {
    options.push_back(std::move(option));
  } else {
    options[at->second] = std::move(option);
  }
}

const ConfSection* ConfFile::find(std::string_view section) const {
  const auto at = index_.find(section);
  return at == index_.end() ? nullptr : &sections[at->second];
}

ConfSection& ConfFile::make(const std::string& section, const Origin& origin) {
  const auto [at, fresh] = index_.emplace(section, sections.size());
  if (fresh) {
    sections.emplace_back();
    sections.back().name = section;
    sections.back().origin = origin;
  }
  return sections[at->second];
}

ConfFile parse_conf(std::string_view text, const std::string& name,
                    std::vector<ConfProblem>& problems, ConfDialect dialect) {
  ConfFile out;
  out.path = name;
  out.here = fs::path(name).parent_path();
  out.dialect = dialect;
  read_text(text, name, out, problems);
  return out;
}

ConfFile read_conf(const fs::path& path, std::vector<ConfProblem>& problems, ConfDialect dialect) {
  ConfFile out;
  out.path = fs::absolute(path).lexically_normal();
  out.dialect = dialect;
  std::error_code error;
  if (!fs::is_directory(out.path, error)) {
    out.here = out.path.parent_path();
    read_one(out.path, out, problems);
    return out;
  }
  if (!out.path.has_filename()) out.path = out.path.parent_path();
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

}  // namespace apus
