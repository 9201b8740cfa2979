#include "plugins/drive-audit/mounted_drives.h"

#include <apus/text.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <filesystem>

#include "plugins/drive-audit/first_words.h"

namespace apus {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

// Blanks and backslashes stand as "\040".
std::string unescaped(std::string_view word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const std::string_view code = word.substr(std::min(i + 1, word.size()), 3);
    const bool octal = code.size() == 3 && code[0] <= '3' &&
                       code.find_first_not_of("01234567") == std::string_view::npos;
    if (word[i] != '\\' || !octal) {
      out += word[i];
      continue;
    }
    out += static_cast<char>((code[0] - '0') * 64 + (code[1] - '0') * 8 + (code[2] - '0'));
    i += 3;
  }
  return out;
}

bool is_below(const std::string& folder, std::string root) {
  if (!root.ends_with('/')) root += '/';
  return folder.starts_with(root);
}

}  // namespace

std::vector<MountedDrive> drives_below(const std::string& root, std::string_view mounts,
                                       Logger& log) {
  std::vector<MountedDrive> out;
  for (const std::string_view line : lines_of(mounts)) {
    const auto words = first_words<2>(line);
    if (words[1].empty()) continue;
    MountedDrive drive{unescaped(words[1]), unescaped(words[0]), ""};
    if (!is_below(drive.folder, root)) continue;
    struct stat known {};
    if (::stat(drive.source.c_str(), &known) != 0 || !S_ISBLK(known.st_mode)) {
      log.error("Error: Could not stat " + drive.source + "!");
      continue;
    }
    const std::string number =
        std::to_string(major(known.st_rdev)) + ":" + std::to_string(minor(known.st_rdev));
    std::error_code error;
    const auto name = std::filesystem::read_symlink("/sys/dev/block/" + number, error);
    if (!error) drive.kernel = name.filename().string();
    out.push_back(std::move(drive));
  }
  return out;
}

std::optional<std::string> commented_out(std::string_view fstab, const std::string& folder) {
  std::string out;
  bool any = false;
  for (const std::string_view line : lines_of(fstab)) {
    const auto words = first_words<3>(line);
    const bool is_it =
        !words[2].empty() && !words[0].starts_with('#') && unescaped(words[1]) == folder;
    any = any || is_it;
    if (is_it) out += '#';
    out.append(line).append("\n");
  }
  return any ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace apus
