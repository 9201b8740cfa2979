// Keeps the copies of every account database alike.
#include <apus/plugin.h>

#include "framework/backend/database_replicator.h"
#include "framework/backend/replicator_options.h"
#include "framework/store/db/account_broker.h"

namespace apus {
namespace {

constexpr auto kOptions = replicator_options("6202", "{replication_ip}::account");

class AccountReplicator final : public DatabaseReplicator {
 public:
  explicit AccountReplicator(const PluginArgs& args)
      : DatabaseReplicator(args.host, args.options, "account") {}

 private:
  std::unique_ptr<Broker> broker_at(const DatabasePlace& place) override {
    return std::make_unique<AccountBroker>(services(), place, "");
  }
  std::shared_ptr<const Ring> ring() override { return host_.rings().account(); }
};

}  // namespace

APUS_EXPORT_DAEMON("account-replicator", "1.0", AccountReplicator, kOptions)

}  // namespace apus
