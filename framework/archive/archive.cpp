#include <apus/archive.h>

// The library's own header, not ours.
#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <exception>

namespace apus {
namespace {

struct FreeArchive {
  void operator()(struct archive* handle) const { archive_read_free(handle); }
};

}  // namespace

struct ArchiveReader::State {
  explicit State(Source& from) : body(from) {}

  [[noreturn]] void fail() {
    if (failure) std::rethrow_exception(failure);
    const char* text = archive_error_string(handle.get());
    throw ArchiveError(text != nullptr ? text : "not an archive");
  }

  // No exception crosses the library: it is kept and thrown again behind it.
  static la_ssize_t feed(struct archive* handle, void* self, const void** out) {
    State& state = *static_cast<State*>(self);
    try {
      *out = state.piece.data();
      return static_cast<la_ssize_t>(state.body.read(state.piece));
    } catch (...) {
      state.failure = std::current_exception();
      archive_set_error(handle, -1, "the body could not be read");
      return ARCHIVE_FATAL;
    }
  }

  Source& body;
  std::array<char, 65536> piece{};
  std::exception_ptr failure;
  bool opened = false;
  int filter = ARCHIVE_FILTER_NONE;
  std::unique_ptr<struct archive, FreeArchive> handle{archive_read_new()};
};

ArchiveError::ArchiveError(const std::string& what) : std::runtime_error(what) {}
ArchiveError::~ArchiveError() = default;

ArchiveReader::ArchiveReader(Source& body, Compression compression)
    : state_(std::make_unique<State>(body)) {
  struct archive* handle = state_->handle.get();
  archive_read_support_format_tar(handle);
  if (compression == Compression::kGzip) {
    archive_read_support_filter_gzip(handle);
    state_->filter = ARCHIVE_FILTER_GZIP;
  }
  if (compression == Compression::kBzip2) {
    archive_read_support_filter_bzip2(handle);
    state_->filter = ARCHIVE_FILTER_BZIP2;
  }
}
ArchiveReader::~ArchiveReader() = default;

bool ArchiveReader::next(ArchiveEntry& entry) {
  struct archive* handle = state_->handle.get();
  if (!state_->opened) {
    state_->opened = true;
    if (archive_read_open(handle, state_.get(), nullptr, &State::feed, nullptr) != ARCHIVE_OK)
      state_->fail();
    if (archive_filter_code(handle, 0) != state_->filter)
      throw ArchiveError("not compressed as announced");
  }
  struct archive_entry* found = nullptr;
  const int result = archive_read_next_header(handle, &found);
  if (result == ARCHIVE_EOF) return false;
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) state_->fail();
  // pax names are UTF-8, those of older forms just bytes.
  const char* path = archive_entry_pathname_utf8(found);
  if (path == nullptr) path = archive_entry_pathname(found);
  entry.path = path != nullptr ? path : "";
  entry.size = static_cast<std::uint64_t>(archive_entry_size(found));
  entry.regular_file =
      archive_entry_filetype(found) == AE_IFREG && archive_entry_hardlink(found) == nullptr;
  entry.attributes.clear();
  archive_entry_xattr_reset(found);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (archive_entry_xattr_next(found, &name, &value, &size) == ARCHIVE_OK) {
    entry.attributes.emplace_back(name, std::string(static_cast<const char*>(value), size));
  }
  return true;
}

std::size_t ArchiveReader::read(std::span<char> out) {
  const la_ssize_t count = archive_read_data(state_->handle.get(), out.data(), out.size());
  if (count < 0) state_->fail();
  return static_cast<std::size_t>(count);
}

}  // namespace apus
