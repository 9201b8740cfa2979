// Reads every account database of this machine's devices and adds up its policies; a damaged one
// goes to quarantine.
#include <apus/plugin.h>

#include <array>

#include "framework/backend/database_auditor.h"
#include "framework/store/db/account_broker.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
    OptionSpec{"recon_cache_path", kText, "/var/cache/swift", "folder of the recon files"},
    OptionSpec{"interval", kNumber, "1800", "seconds between the starts of passes", 0, 1e9},
    OptionSpec{"accounts_per_second", kNumber, "200", "databases read a second; 0 = no bound", 0,
               1e9},
};

class AccountAuditor final : public DatabaseAuditor {
 public:
  explicit AccountAuditor(const PluginArgs& args)
      : DatabaseAuditor(args.host, args.options, "account") {}

 private:
  std::string audit(const DatabasePlace& place) override {
    AccountBroker broker(services(), place, "");
    if (broker.gone()) return "";
    const auto stat = broker.info();
    if (!stat) return "the database is gone";
    AccountStat::PolicyStat sum;
    for (const auto& one : stat->policies) {
      sum.container_count += one.container_count;
      sum.object_count += one.object_count;
      sum.bytes_used += one.bytes_used;
    }
    if (sum.container_count == stat->container_count && sum.object_count == stat->object_count &&
        sum.bytes_used == stat->bytes_used)
      return "";
    return "The totals for account " + stat->account + " do not match the sums across its policies";
  }
};

}  // namespace

APUS_EXPORT_DAEMON("account-auditor", "1.0", AccountAuditor, kOptions)

}  // namespace apus
