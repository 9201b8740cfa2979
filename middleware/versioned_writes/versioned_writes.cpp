// versioned_writes: old versions of objects are kept; by copies in a container that the user names,
// or (object versioning) by links to a hidden one.
#include <apus/json.h>
#include <apus/plugin.h>

#include <array>
#include <stdexcept>

#include "middleware/versioned_writes/legacy.h"
#include "middleware/versioned_writes/object_versions.h"

namespace apus::versioned_writes {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"allow_versioned_writes", OptionType::kBool, nullptr,
               "X-Versions-Location and X-History-Location are obeyed; not set: where they were "
               "set by an old container server"},
    OptionSpec{"allow_object_versioning", OptionType::kBool, "no", "X-Versions-Enabled is obeyed"},
};

// Object versions lie below the copies of the first kind.
std::unique_ptr<const App> with_object_versions(const PluginArgs& args,
                                                std::unique_ptr<const App> next) {
  if (!args.options.flag("allow_object_versioning")) return next;
  const auto info = Json::parse(args.host.info().document(false, {}));
  if (!info || info->find("symlink") == nullptr) {
    throw std::runtime_error(
        "allow_object_versioning needs the symlink filter after versioned_writes");
  }
  return std::make_unique<const ObjectVersions>(args, std::move(next));
}

class VersionedWritesFilter final : public App {
 public:
  VersionedWritesFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : versions_(args, with_object_versions(args, std::move(next))) {}
  Response operator()(Request& request) const override { return versions_(request); }
  void foresee(const Request& request, ForeseenKeys& keys) const override {
    versions_.foresee(request, keys);
  }

 private:
  LegacyVersions versions_;
};

}  // namespace

APUS_EXPORT_FILTER("versioned_writes", "1.0", VersionedWritesFilter, kOptions)

}  // namespace apus::versioned_writes
