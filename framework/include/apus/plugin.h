// How a shared object says what it is, and how the host makes what it offers.
#pragma once

#include <apus/abi.h>
#include <apus/app.h>
#include <apus/host.h>
#include <apus/options.h>

#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>

namespace apus {

enum class PluginKind : std::uint32_t { kFilter = 1, kApp = 2, kDaemon = 3 };

/// First in every plugin, as plain bytes in the section ".apus": read from the file before the
/// loader runs any of its code. Texts end in NUL.
struct PluginStamp {
  char magic[16];       ///< kPluginMagic
  std::uint32_t size;   ///< sizeof(PluginStamp)
  std::uint32_t abi;    ///< APUS_ABI
  std::uint32_t kind;   ///< PluginKind
  std::uint32_t flags;  ///< bit 0: trusted (a back end: internal headers cross the wire)
  char build[64];       ///< APUS_BUILD
  char name[48];
  char version[24];
};

inline constexpr char kPluginMagic[16] = "APUS-PLUGIN-1\r\n";
inline constexpr std::uint32_t kPluginTrusted = 1;

/// What a factory gets. The references outlive what it makes.
struct PluginArgs {
  const Options& options;
  Host& host;
};

/// Exported as `apus_plugin`. Exactly one of the three factories is set. A factory throws
/// std::runtime_error with a text for the deployer when it cannot start.
struct Descriptor {
  const PluginStamp* stamp;
  const OptionSpec* options;
  std::size_t option_count;
  std::unique_ptr<const App> (*make_filter)(const PluginArgs& args,
                                            std::unique_ptr<const App> next);
  std::unique_ptr<const App> (*make_app)(const PluginArgs& args);
  std::unique_ptr<Daemon> (*make_daemon)(const PluginArgs& args);
};

namespace detail {

template <typename T>
std::unique_ptr<const App> make_filter(const PluginArgs& args, std::unique_ptr<const App> next) {
  return std::make_unique<const T>(args, std::move(next));
}
template <typename T>
std::unique_ptr<const App> make_app(const PluginArgs& args) {
  return std::make_unique<const T>(args);
}
template <typename T>
std::unique_ptr<Daemon> make_daemon(const PluginArgs& args) {
  return std::make_unique<T>(args);
}

}  // namespace detail
}  // namespace apus

#define APUS_PLUGIN_STAMP_(NAME, VERSION, KIND, FLAGS)                             \
  extern "C" __attribute__((visibility("default"), section(".apus"), used))        \
  const ::apus::PluginStamp apus_plugin_stamp = {"APUS-PLUGIN-1\r\n",              \
                                                 sizeof(::apus::PluginStamp),      \
                                                 APUS_ABI,                         \
                                                 static_cast<std::uint32_t>(KIND), \
                                                 FLAGS,                            \
                                                 APUS_BUILD,                       \
                                                 NAME,                             \
                                                 VERSION};

#define APUS_PLUGIN_(OPTIONS, FILTER, APP, DAEMON)                                                 \
  extern "C" __attribute__((visibility("default"), used)) const ::apus::Descriptor apus_plugin = { \
      &apus_plugin_stamp, std::data(OPTIONS), std::size(OPTIONS), FILTER, APP, DAEMON};

/// The last line of a filter's file. `TYPE` is an App with the constructor
/// `TYPE(const PluginArgs&, std::unique_ptr<const App> next)`; `OPTIONS` an array of OptionSpec
/// (std::array<OptionSpec, 0> when there are none); NAME is the .so's name and the INI name.
#define APUS_EXPORT_FILTER(NAME, VERSION, TYPE, OPTIONS)            \
  APUS_PLUGIN_STAMP_(NAME, VERSION, ::apus::PluginKind::kFilter, 0) \
  APUS_PLUGIN_(OPTIONS, (&::apus::detail::make_filter<TYPE>), nullptr, nullptr)

/// An app for clients: internal headers are dropped in both directions. `TYPE(const PluginArgs&)`.
#define APUS_EXPORT_APP(NAME, VERSION, TYPE, OPTIONS)            \
  APUS_PLUGIN_STAMP_(NAME, VERSION, ::apus::PluginKind::kApp, 0) \
  APUS_PLUGIN_(OPTIONS, nullptr, (&::apus::detail::make_app<TYPE>), nullptr)

/// An app that only other servers talk to: internal headers cross its wire.
#define APUS_EXPORT_BACKEND_APP(NAME, VERSION, TYPE, OPTIONS)                         \
  APUS_PLUGIN_STAMP_(NAME, VERSION, ::apus::PluginKind::kApp, ::apus::kPluginTrusted) \
  APUS_PLUGIN_(OPTIONS, nullptr, (&::apus::detail::make_app<TYPE>), nullptr)

/// `TYPE(const PluginArgs&)`, a Daemon.
#define APUS_EXPORT_DAEMON(NAME, VERSION, TYPE, OPTIONS)            \
  APUS_PLUGIN_STAMP_(NAME, VERSION, ::apus::PluginKind::kDaemon, 0) \
  APUS_PLUGIN_(OPTIONS, nullptr, nullptr, (&::apus::detail::make_daemon<TYPE>))
