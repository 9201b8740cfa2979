#include "framework/store/db/pending_file.h"

#include <apus/digest.h>
#include <apus/text.h>
#include <fcntl.h>

#include <cerrno>
#include <system_error>

namespace apus {

std::vector<pickle::Ref> read_pending_rows(std::string_view text, std::vector<std::string>& bad) {
  std::vector<pickle::Ref> rows;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view record = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (record.empty()) continue;
    const auto raw = base64_decode(record);
    pickle::Ref row = raw ? pickle::parse(*raw) : nullptr;
    if (row != nullptr && std::holds_alternative<pickle::Tuple>(row->data)) {
      rows.push_back(std::move(row));
    } else {
      bad.emplace_back(record);
    }
  }
  return rows;
}

std::string pending_record(std::string_view pickle) { return ":" + base64_encode(pickle); }

std::uint64_t append_pending(Disk& disk, const std::string& path, std::string_view records) {
  const Fd file(disk, disk.open(path, O_WRONLY | O_CREAT | O_APPEND, 0644));
  struct stat info {};
  if (!file || disk.fstat(file.get(), info) != 0)
    throw std::system_error(errno, std::generic_category(), path);
  const auto before = static_cast<std::uint64_t>(info.st_size);
  const ssize_t count = disk.write(file.get(), records);
  if (count != static_cast<ssize_t>(records.size())) {
    const int error = count < 0 ? errno : ENOSPC;
    disk.truncate(file.get(), before);  // half a record would swallow the next one
    throw std::system_error(error, std::generic_category(), path);
  }
  return before + records.size();
}

}  // namespace apus
