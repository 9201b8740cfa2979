// The smallest ELF file that has a section of a given name.
#pragma once

#include <elf.h>

#include <cstring>
#include <string>
#include <string_view>

namespace apus::test {

/// A shared object of three sections: none, ".apus" with `contents`, and the names.
inline std::string small_elf(std::string_view contents, std::string_view section = ".apus") {
  std::string names("\0", 1);
  names.append(section).append("\0.shstrtab", 11).push_back('\0');
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_DYN;
#if defined(__aarch64__)
  header.e_machine = EM_AARCH64;
#else
  header.e_machine = EM_X86_64;
#endif
  header.e_shoff = sizeof header + contents.size() + names.size();
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 3;
  header.e_shstrndx = 2;
  Elf64_Shdr sections[3] = {};
  sections[1].sh_name = 1;
  sections[1].sh_type = SHT_PROGBITS;
  sections[1].sh_offset = sizeof header;
  sections[1].sh_size = contents.size();
  sections[2].sh_name = static_cast<Elf64_Word>(section.size() + 2);
  sections[2].sh_type = SHT_STRTAB;
  sections[2].sh_offset = sizeof header + contents.size();
  sections[2].sh_size = names.size();
  std::string out(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(contents).append(names);
  out.append(reinterpret_cast<const char*>(sections), sizeof sections);
  return out;
}

}  // namespace apus::test
