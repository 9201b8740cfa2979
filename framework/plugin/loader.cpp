#include "framework/plugin/loader.h"

#include <dlfcn.h>

#include <algorithm>
#include <boost/dll/runtime_symbol_info.hpp>
#include <boost/dll/shared_library.hpp>
#include <memory>

#include "framework/conf/nearest_name.h"

namespace apus {
namespace {

namespace fs = std::filesystem;
namespace dll = boost::dll;

constexpr char kSymbol[] = "apus_plugin";
constexpr char kCheckSymbol[] = "apus_plugin_check";
constexpr char kWatcherSymbol[] = "apus_watcher";

// Kept for ever: code of a plugin may run until the process ends.
std::vector<std::unique_ptr<dll::shared_library>>& loaded() {
  static auto* all = new std::vector<std::unique_ptr<dll::shared_library>>();
  return *all;
}

// Null when the descriptor came from none of them.
const dll::shared_library* library_of(const Descriptor& descriptor) {
  for (const auto& library : loaded()) {
    if (&library->get<const Descriptor>(kSymbol) == &descriptor) return library.get();
  }
  return nullptr;
}

}  // namespace

PluginLoader::PluginLoader(std::vector<fs::path> folders) : folders_(std::move(folders)) {
  const auto add = [&](const fs::path& folder) {
    if (std::find(folders_.begin(), folders_.end(), folder) == folders_.end())
      folders_.push_back(folder);
  };
  const fs::path executable(dll::program_location().string());
  add((executable.parent_path().parent_path() / "lib" / "apus").lexically_normal());
  const fs::path library(dll::symbol_location(read_stamp).string());
  add(fs::weakly_canonical(library).parent_path() / "apus");
}

bool PluginLoader::has(const std::string& plugin) const {
  std::error_code error;
  return std::any_of(folders_.begin(), folders_.end(), [&](const fs::path& folder) {
    return fs::exists(folder / (plugin + ".so"), error);
  });
}

std::vector<std::string> PluginLoader::names() const {
  std::error_code error;
  std::vector<std::string> out;
  for (const fs::path& folder : folders_) {
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".so") out.push_back(entry.path().stem().string());
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

fs::path PluginLoader::find(const std::string& plugin) const {
  std::error_code error;
  if (plugin.find('/') != std::string::npos) {
    if (fs::exists(plugin, error)) return plugin;
    throw PluginError(plugin + ": no such file");
  }
  std::string looked;
  for (const fs::path& folder : folders_) {
    if (fs::exists(folder / (plugin + ".so"), error)) return folder / (plugin + ".so");
    looked += (looked.empty() ? "" : ", ") + folder.string();
  }
  const std::string near = nearest_name(plugin, names());
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
  if (!library->has(kSymbol))
    throw PluginError(path.string() + ": has a stamp but no descriptor (no symbol apus_plugin)");
  const auto& descriptor = library->get<const Descriptor>(kSymbol);
  loaded().push_back(std::move(library));
  return descriptor;
}

PluginLoader::Check PluginLoader::check_of(const Descriptor& descriptor) {
  const dll::shared_library* library = library_of(descriptor);
  return library != nullptr && library->has(kCheckSymbol)
             ? &library->get<void(const Options&)>(kCheckSymbol)
             : nullptr;
}

const WatcherDescriptor& PluginLoader::watcher_of(const Descriptor& descriptor) {
  const dll::shared_library* library = library_of(descriptor);
  if (library == nullptr || !library->has(kWatcherSymbol)) {
    throw PluginError(std::string(descriptor.stamp->name) +
                      ": has a watcher's stamp but no watcher (no symbol apus_watcher)");
  }
  return library->get<const WatcherDescriptor>(kWatcherSymbol);
}

}  // namespace apus
