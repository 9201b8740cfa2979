// Keeps the copies of account and container databases alike: what both replicators share.
#pragma once

#include <apus/app.h>
#include <apus/host.h>
#include <apus/json.h>
#include <apus/options.h>
#include <apus/ring.h>
#include <apus/transport.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/backend/backend.h"
#include "framework/backend/pace.h"
#include "framework/backend/recon_cache.h"
#include "framework/store/db/broker.h"

namespace apus {

/// The calls to one peer's database.
class APUS_API ReplicationPeer {
 public:
  ReplicationPeer(Host& host, const Deadlines& deadlines, const RingDevice& device,
                  std::uint32_t partition, const std::string& hash);

  struct Answer {
    int status = 0;  ///< 0 = none came
    std::string body;
    [[nodiscard]] bool good() const { return status >= 200 && status < 300; }
  };
  /// Sends [call, arguments...]; `response` instead of the usual waiting time when it is not zero.
  Answer call(const char* name, Json::Array arguments,
              std::chrono::milliseconds response = std::chrono::milliseconds(0));
  /// Sends such a list as it is; `meanwhile` runs in this thread, once it is on its way or
  /// was refused.
  Answer send(std::string_view body, const std::function<void()>& meanwhile,
              std::chrono::milliseconds response = std::chrono::milliseconds(0));
  [[nodiscard]] const RingDevice& device() const { return device_; }
  /// "IP:PORT/DEVICE"
  [[nodiscard]] std::string name() const;

 private:
  Host& host_;
  Deadlines deadlines_;
  const RingDevice& device_;
  std::string path_;
};

class APUS_API DatabaseReplicator : public Daemon {
 public:
  /// `kind` is "account" or "container".
  DatabaseReplicator(Host& host, const Options& options, const std::string& kind);
  ~DatabaseReplicator() override;

  void run_once(std::stop_token stop) override;
  void run_forever(std::stop_token stop) override;

  /// What became of one database.
  struct Replicated {
    bool whole = false;           ///< nothing failed; also where no peer had to be asked
    std::vector<bool> successes;  ///< of each peer, and of this device where it is a primary
    [[nodiscard]] std::int64_t count() const;
  };
  /// One database: brings its peers up to date and lets it go where it does not belong.
  Replicated replicate(const DatabasePlace& place, int device_id);

 protected:
  [[nodiscard]] virtual std::unique_ptr<Broker> broker_at(const DatabasePlace& place) = 0;
  [[nodiscard]] virtual std::shared_ptr<const Ring> ring() = 0;
  /// More facts for the sync call.
  virtual void add_sync_arguments(const Json& info, Json::Array& arguments) const;
  /// What comes before rows: true or false decides without rows, nothing goes on.
  virtual std::optional<bool> before_rows(ReplicationPeer& peer, Broker& broker, const Json& info,
                                          const Json& theirs);
  /// False keeps a database that is on a handoff.
  [[nodiscard]] virtual bool may_leave(Broker& broker);
  /// Whether a deleted database's last numbers were told to whoever counts them.
  [[nodiscard]] virtual bool was_reported(const Json& info) const;
  virtual void after(Broker& broker, const Json& info, const std::vector<bool>& successes);
  /// True keeps a database for now that is not needed here any more: who says so lets it go later.
  [[nodiscard]] virtual bool must_wait(const Json& info, const DatabasePlace& place, int device_id);
  /// At the end of a pass.
  virtual void finish_pass(const std::stop_token& stop);

  [[nodiscard]] BrokerServices services();
  [[nodiscard]] std::vector<const RingDevice*> own_devices(const Ring& ring) const;

  Host& host_;
  Logger& log_;
  std::string root_;
  std::int64_t per_diff_;
  Devices devices_;
  std::chrono::milliseconds interval_;
  Deadlines deadlines_;
  double reclaim_age_;

  /// The numbers of the pass, by Swift's names, and how they begin again.
  [[nodiscard]] Json::Object pass_numbers() const;
  void begin_numbers();
  /// Takes all files of a database away.
  void remove(const DatabasePlace& place);

 private:
  enum class Reached { kDone, kFailed, kNoDrive };
  Reached replicate_to(const RingDevice& device, Broker& broker, std::uint32_t partition,
                       const Json& info, bool other_region);
  bool bring_rows(ReplicationPeer& peer, Broker& broker, const Json& info, const Json& theirs,
                  bool other_region);
  bool send_rows(ReplicationPeer& peer, Broker& broker, const std::string& own_id,
                 const std::string& their_id, std::int64_t point);
  bool send_file(ReplicationPeer& peer, Broker& broker, const std::string& own_id, const char* call,
                 std::chrono::milliseconds timeout, bool other_region);
  bool rsync(const std::string& file, const std::string& target, bool whole, bool other_region);
  void leave(const Json& info, const DatabasePlace& place, int device_id);
  void drop_old_copies(const std::string& device);
  void dump(double start, double seconds) const;

  std::string kind_;
  std::vector<std::string> addresses_;
  int port_;
  std::size_t threads_;
  Pace pace_;
  std::int64_t max_diffs_;
  std::int64_t handoff_delete_;  ///< 0 = all
  bool handoffs_only_;
  bool compress_;
  std::string module_;
  ReconCache recon_;
  DatabasePool connections_{DatabasePool::kOfDaemon};

  struct Counts {
    std::atomic<std::int64_t> attempted = 0, success = 0, failure = 0, no_change = 0, hashmatch = 0,
                              rsync = 0, diff = 0, remote_merge = 0, diff_capped = 0, remove = 0;
  } counts_;
};

}  // namespace apus
