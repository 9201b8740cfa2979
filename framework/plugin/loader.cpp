#include "framework/plugin/loader.h"

#include <apus/text.h>
#include <dlfcn.h>

#include <algorithm>
#include <boost/dll/library_info.hpp>
#include <boost/dll/runtime_symbol_info.hpp>
#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "framework/conf/nearest_name.h"

namespace apus {
namespace {

namespace fs = std::filesystem;
namespace dll = boost::dll;

constexpr std::uintmax_t kMaxFile = 1U << 30U;
constexpr char kSymbol[] = "apus_plugin";

std::string file_bytes(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  if (error || !in) throw PluginError(path.string() + ": cannot be read");
  if (size > kMaxFile) throw PluginError(path.string() + ": is larger than 1 GiB");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool has_section(const fs::path& path) {
  try {
    dll::library_info info(path.string());
    const auto sections = info.sections();
    return std::find(sections.begin(), sections.end(), ".apus") != sections.end();
  } catch (const std::exception&) {
    throw PluginError(path.string() + ": is damaged: its ELF section table cannot be read");
  }
}

bool ends_in_nul(std::span<const char> text) {
  return std::memchr(text.data(), '\0', text.size()) != nullptr;
}

void refuse(const fs::path& path, const std::string& what, const std::string& its,
            const std::string& ours) {
  throw PluginError(path.string() + ": " + what + ": the plugin has " + its + ", this Apus " +
                    ours);
}

// Kept for ever: code of a plugin may run until the process ends.
std::vector<std::unique_ptr<dll::shared_library>>& loaded() {
  static auto* all = new std::vector<std::unique_ptr<dll::shared_library>>();
  return *all;
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
  return "unknown kind";
}

PluginStamp read_stamp(const fs::path& path) {
  const std::string bytes = file_bytes(path);
  if (!bytes.starts_with("\x7f"
                         "ELF"))
    throw PluginError(path.string() + ": is not a shared object (no ELF file)");
  if (!has_section(path)) {
    throw PluginError(path.string() +
                      ": is a shared object, but no Apus plugin (no section .apus)");
  }
  const std::string_view magic(kPluginMagic, sizeof kPluginMagic);
  const std::size_t at = bytes.find(magic);
  if (at == std::string::npos || bytes.size() - at < sizeof(PluginStamp)) {
    throw PluginError(path.string() + ": is damaged: the plugin's stamp is cut short");
  }
  PluginStamp stamp;
  std::memcpy(&stamp, bytes.data() + at, sizeof stamp);
  if (stamp.size != sizeof stamp) {
    refuse(path, "stamp of another size", std::to_string(stamp.size) + " bytes",
           std::to_string(sizeof stamp));
  }
  if (!ends_in_nul(stamp.build) || !ends_in_nul(stamp.name) || !ends_in_nul(stamp.version)) {
    throw PluginError(path.string() + ": is damaged: a text of the plugin's stamp has no end");
  }
  return stamp;
}

void check_stamp(const fs::path& path, const PluginStamp& stamp, PluginKind wanted) {
  if (stamp.abi != APUS_ABI) {
    refuse(path, "built for another contract", "ABI " + std::to_string(stamp.abi),
           "ABI " + std::to_string(APUS_ABI));
  }
  if (std::string_view(stamp.build) != APUS_BUILD) {
    refuse(path, "built another way", "'" + std::string(stamp.build) + "'", "'" APUS_BUILD "'");
  }
  const auto kind = static_cast<PluginKind>(stamp.kind);
  if (kind != wanted) {
    throw PluginError(path.string() + ": is a plugin of kind " + std::string(kind_name(kind)) +
                      ", where a " + std::string(kind_name(wanted)) + " is needed");
  }
}

PluginLoader::PluginLoader(std::vector<fs::path> folders) : folders_(std::move(folders)) {
  const fs::path executable(dll::program_location().string());
  folders_.push_back((executable.parent_path().parent_path() / "lib" / "apus").lexically_normal());
}

bool PluginLoader::has(const std::string& plugin) const {
  std::error_code error;
  return std::any_of(folders_.begin(), folders_.end(), [&](const fs::path& folder) {
    return fs::exists(folder / (plugin + ".so"), error);
  });
}

fs::path PluginLoader::find(const std::string& plugin) const {
  std::error_code error;
  if (plugin.find('/') != std::string::npos) {
    if (fs::exists(plugin, error)) return plugin;
    throw PluginError(plugin + ": no such file");
  }
  std::vector<std::string> names;
  std::string looked;
  for (const fs::path& folder : folders_) {
    if (fs::exists(folder / (plugin + ".so"), error)) return folder / (plugin + ".so");
    looked += (looked.empty() ? "" : ", ") + folder.string();
    for (const auto& entry : fs::directory_iterator(folder, error))
      names.push_back(entry.path().stem().string());
  }
  const std::string near = nearest_name(plugin, names);
  throw PluginError("no plugin '" + plugin + "' in " + looked +
                    (near.empty() ? "" : "; did you mean " + near + "?"));
}

const Descriptor& PluginLoader::load(const std::string& plugin, PluginKind wanted) {
  const fs::path path = fs::absolute(find(plugin)).lexically_normal();
  const PluginStamp stamp = read_stamp(path);
  check_stamp(path, stamp, wanted);
  auto library = std::make_unique<dll::shared_library>();
  boost::system::error_code error;
  library->load(path.string(), error, dll::load_mode::rtld_now | dll::load_mode::rtld_local);
  if (error) {
    // The loader's own text names the missing library or symbol.
    const char* why = ::dlerror();
    throw PluginError(path.string() +
                      ": cannot be loaded: " + (why != nullptr ? why : error.message().c_str()));
  }
  if (!library->has(kSymbol)) throw PluginError(path.string() + ": has a stamp but no descriptor");
  const auto& descriptor = library->get<const Descriptor>(kSymbol);
  loaded().push_back(std::move(library));
  return descriptor;
}

}  // namespace apus
