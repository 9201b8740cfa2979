// Reads every container database of this machine's devices; a damaged one goes to quarantine.
#include <apus/plugin.h>

#include <array>

#include "framework/backend/database_auditor.h"
#include "framework/store/db/container_broker.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
    OptionSpec{"recon_cache_path", kText, "/var/cache/swift", "folder of the recon files"},
    OptionSpec{"interval", kNumber, "1800", "seconds between the starts of passes", 0, 1e9},
    OptionSpec{"containers_per_second", kNumber, "200", "databases read a second; 0 = no bound", 0,
               1e9},
};

class ContainerAuditor final : public DatabaseAuditor {
 public:
  explicit ContainerAuditor(const PluginArgs& args)
      : DatabaseAuditor(args.host, args.options, "container") {}

 private:
  std::string audit(const DatabasePlace& place) override {
    ContainerBroker broker(services(), place, "", "");
    if (broker.gone()) return "";
    return broker.info() ? "" : "the database is gone";
  }
};

}  // namespace

APUS_EXPORT_DAEMON("container-auditor", "1.0", ContainerAuditor, kOptions)

}  // namespace apus
