#include "framework/plugin/stamp.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "tests/unit/plugin/small_elf.h"

using namespace apus;
using apus::test::small_elf;

namespace {

PluginStamp good_stamp() {
  PluginStamp out{};
  std::memcpy(out.magic, kPluginMagic, sizeof out.magic);
  out.size = sizeof out;
  out.abi = APUS_ABI;
  out.kind = 1;
  std::strcpy(out.build, APUS_BUILD);
  std::strcpy(out.name, "x");
  std::strcpy(out.version, "1.0");
  return out;
}

std::string bytes_of(const PluginStamp& stamp) {
  return {reinterpret_cast<const char*>(&stamp), sizeof stamp};
}

// What is said about these bytes; empty when there is a stamp in them.
std::string said(const std::string& bytes) {
  try {
    parse_stamp(bytes, "x.so");
  } catch (const PluginError& error) {
    return error.what();
  }
  return "";
}

// A good file with some of its bytes replaced.
template <typename T>
std::string with(std::size_t offset, T value) {
  std::string bytes = small_elf(bytes_of(good_stamp()));
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

}  // namespace

TEST_CASE("a stamp is found in its section") {
  const PluginStamp stamp = parse_stamp(small_elf(bytes_of(good_stamp())), "x.so");
  CHECK(stamp.abi == APUS_ABI);
  CHECK(std::string(stamp.name) == "x");
  CHECK(std::string(stamp.build) == APUS_BUILD);
  CHECK(said(small_elf(bytes_of(good_stamp()) + "padding")) == "");
}

TEST_CASE("bytes that are no ELF file") {
  for (const std::string& bytes :
       {std::string(), std::string("\x7f"), std::string("#!/bin/sh\n"), std::string(1000, '\0')}) {
    CHECK(said(bytes) == "x.so: is not a shared object (no ELF file)");
  }
}

TEST_CASE("every cut is told, none is read past") {
  const std::string whole = small_elf(bytes_of(good_stamp()));
  for (std::size_t size = 4; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(said(whole.substr(0, size)).starts_with("x.so: is cut short: it has "));
  }
}

TEST_CASE("ELF files of other kinds and machines") {
  CHECK(said(with<std::uint8_t>(EI_CLASS, ELFCLASS32)) == "x.so: is a program for another machine");
  CHECK(said(with<std::uint16_t>(offsetof(Elf64_Ehdr, e_machine), EM_S390)) ==
        "x.so: is a program for another machine");
  CHECK(said(with<std::uint16_t>(offsetof(Elf64_Ehdr, e_type), ET_REL)) ==
        "x.so: is not a shared object (an ELF file of another type)");
}

TEST_CASE("section tables that make no sense") {
  const std::string no_sense = "x.so: is damaged: its section table makes no sense";
  CHECK(said(with<std::uint16_t>(offsetof(Elf64_Ehdr, e_shentsize), 63)) == no_sense);
  CHECK(said(with<std::uint16_t>(offsetof(Elf64_Ehdr, e_shstrndx), 3)) == no_sense);
  CHECK(said(with<std::uint64_t>(offsetof(Elf64_Ehdr, e_shoff), UINT64_MAX)) == no_sense);
  CHECK(said(with<std::uint64_t>(offsetof(Elf64_Ehdr, e_shoff), UINT64_MAX / 2))
            .starts_with("x.so: is cut short"));
  const std::size_t table = sizeof(Elf64_Ehdr) + sizeof(PluginStamp) + 18;
  const std::size_t second = table + sizeof(Elf64_Shdr);
  CHECK(said(with<std::uint64_t>(second + offsetof(Elf64_Shdr, sh_size), UINT64_MAX))
            .starts_with("x.so: is cut short"));
  CHECK(said(with<std::uint64_t>(second + offsetof(Elf64_Shdr, sh_offset), UINT64_MAX))
            .starts_with("x.so: is cut short"));
  CHECK(said(with<std::uint32_t>(second + offsetof(Elf64_Shdr, sh_name), UINT32_MAX)) ==
        "x.so: is a shared object, but no Apus plugin (no section .apus)");
  CHECK(said(with<std::uint32_t>(second + offsetof(Elf64_Shdr, sh_type), SHT_NOBITS)) ==
        "x.so: is damaged: its section .apus holds no stamp");
}

TEST_CASE("sections without a stamp, stamps of other contracts, texts that are none") {
  CHECK(said(small_elf(bytes_of(good_stamp()), ".text")) ==
        "x.so: is a shared object, but no Apus plugin (no section .apus)");
  CHECK(said(small_elf("")) == "x.so: is damaged: its section .apus holds no stamp");
  CHECK(said(small_elf("APUS")) == "x.so: is damaged: its section .apus holds no stamp");
  CHECK(said(small_elf(std::string(200, 'x'))) ==
        "x.so: is damaged: its section .apus holds no stamp");
  PluginStamp stamp = good_stamp();
  stamp.size = 96;
  stamp.abi = 7;
  CHECK(said(small_elf(bytes_of(stamp))) ==
        "x.so: stamp of another size: the plugin has 96 bytes and ABI 7, this Apus " +
            std::to_string(sizeof stamp) + " and ABI " + std::to_string(APUS_ABI));
  stamp = good_stamp();
  std::memset(stamp.name, 'x', sizeof stamp.name);
  CHECK(said(small_elf(bytes_of(stamp))) == "x.so: is damaged: its stamp holds no plain text");
  stamp = good_stamp();
  stamp.build[0] = '\x1b';
  CHECK(said(small_elf(bytes_of(stamp))) == "x.so: is damaged: its stamp holds no plain text");
}
