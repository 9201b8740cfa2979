// What /info shows, gathered while the pipelines are made.
#pragma once

#include <apus/host.h>
#include <apus/json.h>

#include <map>
#include <mutex>

namespace apus {

/// The InfoRegistry of a running process. Documents are put together on each call: /info is rare.
class APUS_API ProcessInfo final : public InfoRegistry {
 public:
  ProcessInfo();
  ~ProcessInfo() override;

  /// `json` that is no object is kept as an empty one.
  void set(std::string_view section, std::string_view json, bool admin) override;
  [[nodiscard]] std::string document(bool admin,
                                     std::span<const std::string> hidden) const override;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Json, std::less<>> open_;
  std::map<std::string, Json, std::less<>> admin_;
};

}  // namespace apus
