#include "plugins/drive-audit/drive_log.h"

#include <apus/text.h>
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "plugins/drive-audit/first_words.h"

namespace apus {
namespace {

constexpr std::size_t kBlock = 65536;
constexpr std::size_t kLongestLine = 1U << 20U;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Lines that the kernel writes when it starts.
constexpr std::array<std::string_view, 3> kBoot = {
    "[    0.000000]", "KERNEL supported cpus:", "BIOS-provided physical RAM map:"};

// The lines of a file, the last one first.
class BackwardLines {
 public:
  BackwardLines(Disk& disk, const std::string& path)
      : disk_(disk), path_(path), file_(disk, disk.open(path, O_RDONLY)) {
    struct stat known {};
    if (!file_ || disk_.fstat(file_.get(), known) != 0) fail();
    at_ = static_cast<std::uint64_t>(known.st_size);
  }

  // False before the first. What is longer than kLongestLine is cut off at its front.
  bool next(std::string& line) {
    while (true) {
      const std::size_t end = text_.rfind('\n');
      if (end != std::string::npos) {
        line.assign(text_, end + 1);
        text_.resize(end);
        return true;
      }
      if (at_ == 0) {
        if (over_) return false;
        over_ = true;
        line = std::move(text_);
        return true;
      }
      read_more();
    }
  }

 private:
  [[noreturn]] void fail() const {
    throw std::system_error(errno, std::generic_category(), "Unable to open " + path_);
  }

  void read_more() {
    const std::size_t count = std::min<std::uint64_t>(kBlock, at_);
    std::string block(count, '\0');
    std::size_t got = 0;
    while (got < count) {
      const ssize_t more =
          disk_.pread(file_.get(), std::span(block).subspan(got), at_ - count + got);
      if (more < 0) fail();
      if (more == 0) break;  // it was cut meanwhile
      got += static_cast<std::size_t>(more);
    }
    block.resize(got);
    at_ -= count;
    if (text_.size() > kLongestLine) text_.clear();
    text_.insert(0, block);
  }

  Disk& disk_;
  std::string path_;
  Fd file_;
  std::uint64_t at_ = 0;
  std::string text_;
  bool over_ = false;
};

std::optional<int> number(std::string_view text, int least, int most) {
  const auto value = parse_digits(text);
  if (!value || *value < least || *value > most) return std::nullopt;
  return static_cast<int>(*value);
}

std::optional<int> month_of(std::string_view word) {
  const auto at = std::find(kMonths.begin(), kMonths.end(), word);
  if (at == kMonths.end()) return std::nullopt;
  return static_cast<int>(at - kMonths.begin());
}

// "04:53:09"
bool take_clock(std::string_view text, std::tm& to) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return false;
  const auto hour = number(text.substr(0, 2), 0, 23);
  const auto minute = number(text.substr(3, 2), 0, 59);
  const auto second = number(text.substr(6, 2), 0, 60);
  if (!hour || !minute || !second) return false;
  to.tm_hour = *hour;
  to.tm_min = *minute;
  to.tm_sec = *second;
  return true;
}

// "Z", "+01:00", "-0530": seconds east.
std::optional<int> zone(std::string_view text) {
  if (text == "Z") return 0;
  if (text.size() < 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = number(text.substr(1, 2), 0, 23);
  const auto minutes = number(text.substr(text.size() - 2), 0, 59);
  const std::string_view between = text.substr(3, text.size() - 5);
  if (!hours || !minutes || (!between.empty() && between != ":")) return std::nullopt;
  const int out = *hours * 3600 + *minutes * 60;
  return text[0] == '-' ? -out : out;
}

std::optional<std::time_t> iso_time(std::string_view word) {
  if (word.size() < 20 || word[4] != '-' || word[7] != '-' || word[10] != 'T') return std::nullopt;
  const auto year = number(word.substr(0, 4), 1970, 9999);
  const auto month = number(word.substr(5, 2), 1, 12);
  const auto day = number(word.substr(8, 2), 1, 31);
  std::tm parts{};
  if (!year || !month || !day || !take_clock(word.substr(11, 8), parts)) return std::nullopt;
  std::size_t end = 19;
  if (word[end] == '.') end = std::min(word.find_first_not_of("0123456789", end + 1), word.size());
  const auto east = zone(word.substr(end));
  if (!east) return std::nullopt;
  parts.tm_year = *year - 1900;
  parts.tm_mon = *month - 1;
  parts.tm_mday = *day;
  return ::timegm(&parts) - *east;
}

int year_of(std::time_t now) {
  std::tm parts{};
  ::localtime_r(&now, &parts);
  return parts.tm_year + 1900;
}

}  // namespace

std::optional<std::time_t> log_time(std::string_view line, int year) {
  const auto words = first_words<3>(line);
  const auto month = month_of(words[0]);
  if (!month) return iso_time(words[0]);
  const auto day = number(words[1], 1, 31);
  std::tm parts{};
  if (!day || !take_clock(words[2], parts)) return std::nullopt;
  parts.tm_year = year - 1900;
  parts.tm_mon = *month;
  parts.tm_mday = *day;
  parts.tm_isdst = -1;
  return std::mktime(&parts);
}

DriveErrors count_drive_errors(Disk& disk, std::span<const std::string> files,
                               std::span<const Pattern> patterns, std::time_t from,
                               std::time_t now) {
  DriveErrors out;
  int year = year_of(now);
  // A line without a year that would be of tomorrow is of the year before.
  constexpr std::time_t kAhead = 86400;
  std::string line;
  for (const std::string& path : files) {
    BackwardLines lines(disk, path);
    while (lines.next(line)) {
      const auto tells = [&](std::string_view word) {
        return line.find(word) != std::string::npos;
      };
      if (std::any_of(kBoot.begin(), kBoot.end(), tells)) return out;
      auto time = log_time(line, year);
      if (time && *time > now + kAhead && month_of(first_words<1>(line)[0]))
        time = log_time(line, --year);
      if (!time) continue;
      if (*time <= from) return out;
      for (const Pattern& pattern : patterns) {
        for (const std::string& device : pattern.pieces_of(line)) ++out[device];
      }
    }
  }
  return out;
}

}  // namespace apus
