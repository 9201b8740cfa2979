#include "framework/plugin/stamp.h"

#include <apus/audit_watcher.h>
#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>

namespace apus {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxFile = 1U << 30U;
constexpr std::string_view kSection = ".apus";
// Up to here the stamps of all contracts are alike.
constexpr std::size_t kHead = offsetof(PluginStamp, kind);

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
#else
#error "name this machine's ELF number here"
#endif

std::string file_bytes(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  if (error || !in) throw PluginError(path.string() + ": cannot be read");
  if (size > kMaxFile) throw PluginError(path.string() + ": is larger than 1 GiB");
  std::string out(static_cast<std::size_t>(size), '\0');
  in.read(out.data(), static_cast<std::streamsize>(size));
  out.resize(static_cast<std::size_t>(in.gcount()));
  return out;
}

// A shared object's bytes, with every access inside them.
class ElfFile {
 public:
  ElfFile(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {
    if (!bytes.starts_with(ELFMAG)) fail("is not a shared object (no ELF file)");
    header_ = record<Elf64_Ehdr>(0);
    if (header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_ident[EI_DATA] != ELFDATA2LSB ||
        header_.e_machine != kMachine) {
      fail("is a program for another machine");
    }
    if (header_.e_type != ET_DYN) fail("is not a shared object (an ELF file of another type)");
  }

  // The bytes of the section, or nothing when there is none of that name.
  std::optional<std::string_view> section(std::string_view wanted) const {
    if (header_.e_shnum == 0) return std::nullopt;
    const auto names = contents(at(header_.e_shstrndx));
    for (std::uint16_t i = 0; i < header_.e_shnum; ++i) {
      const Elf64_Shdr one = at(i);
      if (one.sh_name >= names.size()) continue;
      const std::string_view rest = names.substr(one.sh_name);
      if (rest.substr(0, rest.find('\0')) == wanted) return contents(one);
    }
    return std::nullopt;
  }

  [[noreturn]] void fail(const std::string& what) const { throw PluginError(name_ + ": " + what); }

 private:
  // `size` bytes at `offset`.
  std::string_view piece(std::uint64_t offset, std::uint64_t size) const {
    const std::uint64_t end = offset > UINT64_MAX - size ? UINT64_MAX : offset + size;
    if (end > bytes_.size()) {
      fail("is cut short: it has " + std::to_string(bytes_.size()) + " bytes, but names byte " +
           std::to_string(end - 1));
    }
    return bytes_.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
  }
  template <typename T>
  T record(std::uint64_t offset) const {
    T out;
    std::memcpy(&out, piece(offset, sizeof out).data(), sizeof out);
    return out;
  }
  Elf64_Shdr at(std::uint16_t index) const {
    if (header_.e_shentsize != sizeof(Elf64_Shdr) || index >= header_.e_shnum ||
        header_.e_shoff > UINT64_MAX / 2) {
      fail("is damaged: its section table makes no sense");
    }
    return record<Elf64_Shdr>(header_.e_shoff + std::uint64_t{index} * sizeof(Elf64_Shdr));
  }
  std::string_view contents(const Elf64_Shdr& section) const {
    return section.sh_type == SHT_NOBITS ? std::string_view()
                                         : piece(section.sh_offset, section.sh_size);
  }

  std::string_view bytes_;
  const std::string& name_;
  Elf64_Ehdr header_{};
};

// Plain printable text with an end: it goes to terminals and logs.
bool is_text(std::span<const char> text) {
  const auto end = std::find(text.begin(), text.end(), '\0');
  return end != text.end() &&
         std::all_of(text.begin(), end, [](char c) { return c >= 0x20 && c < 0x7f; });
}

[[noreturn]] void refuse(const std::string& path, const std::string& what, const std::string& its,
                         const std::string& ours) {
  throw PluginError(path + ": " + what + ": the plugin has " + its + ", this Apus " + ours);
}

}  // namespace

PluginError::PluginError(const std::string& what) : std::runtime_error(what) {}
PluginError::~PluginError() = default;

std::string_view kind_name(PluginKind kind) {
  switch (kind) {
    case PluginKind::kFilter:
      return "filter";
    case PluginKind::kApp:
      return "app";
    case PluginKind::kDaemon:
      return "daemon";
  }
  return kind == kWatcherPlugin ? "watcher" : "unknown kind";
}

PluginStamp parse_stamp(std::string_view bytes, const std::string& name) {
  const ElfFile file(bytes, name);
  const auto section = file.section(kSection);
  if (!section) file.fail("is a shared object, but no Apus plugin (no section .apus)");
  if (section->size() < kHead ||
      std::memcmp(section->data(), kPluginMagic, sizeof kPluginMagic) != 0) {
    file.fail("is damaged: its section .apus holds no stamp");
  }
  PluginStamp stamp{};
  std::memcpy(&stamp, section->data(), std::min(section->size(), sizeof stamp));
  if (stamp.size != sizeof stamp || section->size() < sizeof stamp) {
    refuse(name, "stamp of another size",
           std::to_string(stamp.size) + " bytes and ABI " + std::to_string(stamp.abi),
           std::to_string(sizeof stamp) + " and ABI " + std::to_string(APUS_ABI));
  }
  if (!is_text(stamp.build) || !is_text(stamp.name) || !is_text(stamp.version))
    file.fail("is damaged: its stamp holds no plain text");
  return stamp;
}

PluginStamp read_stamp(const fs::path& path) {
  return parse_stamp(file_bytes(path), path.string());
}

void check_build(const fs::path& path, const PluginStamp& stamp) {
  if (stamp.abi != APUS_ABI) {
    refuse(path.string(), "built for another contract", "ABI " + std::to_string(stamp.abi),
           "ABI " + std::to_string(APUS_ABI));
  }
  if (std::string_view(stamp.build) != APUS_BUILD) {
    refuse(path.string(), "built another way", "'" + std::string(stamp.build) + "'",
           "'" APUS_BUILD "'");
  }
}

void check_stamp(const fs::path& path, const PluginStamp& stamp, PluginKind wanted) {
  check_build(path, stamp);
  const auto kind = static_cast<PluginKind>(stamp.kind);
  if (kind == wanted) return;
  const std::string_view article = wanted == PluginKind::kApp ? "an " : "a ";
  throw PluginError(path.string() + ": is a plugin of kind " + std::string(kind_name(kind)) +
                    ", where " + std::string(article) + std::string(kind_name(wanted)) +
                    " is needed");
}

}  // namespace apus
