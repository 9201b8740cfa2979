// Calls a server of this process without a socket; others over the transport behind it.
#pragma once

#include <apus/app.h>
#include <apus/transport.h>

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>

namespace apus {

namespace local {
class Running;
}

/// Thread-safe. Apps are added while a process starts and outlive every call.
class APUS_API LocalTransport final : public Transport {
 public:
  /// `beyond` carries calls to endpoints that are not here; null = they fail with kConnect.
  explicit LocalTransport(Transport* beyond = nullptr);
  ~LocalTransport() override;

  void add(const Endpoint& endpoint, const App& app);

  Outcome call(Call call, const Deadlines& deadlines) override;
  std::vector<Outcome> gather(
      std::vector<Call> calls, const Deadlines& deadlines,
      const std::function<bool(const std::vector<std::optional<Outcome>>&)>& enough,
      std::chrono::milliseconds straggler) override;
  std::unique_ptr<Upload> upload(const Deadlines& deadlines) override;
  std::unique_ptr<Volley> volley(const Deadlines& deadlines) override;

  /// The app at an endpoint of this process; null when there is none.
  [[nodiscard]] const App* find(const Endpoint& endpoint) const;
  /// Waits for the copies of uploads that nobody waits for any more: before the apps go.
  void settle();

 private:
  Transport* beyond_;
  std::shared_ptr<local::Running> running_;
  mutable std::shared_mutex mutex_;
  std::map<std::pair<std::string, int>, const App*> apps_;
};

}  // namespace apus
