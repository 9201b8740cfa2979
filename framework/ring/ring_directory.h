// The rings of a folder, loaded when first asked for and again when a file changes.
#pragma once

#include <apus/host.h>
#include <apus/ring.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace apus {

/// RingDirectory over FOLDER/{account,container,object[-N]}.ring.gz. At most every 15 s one caller
/// looks whether the file's time changed and loads it; a file that does not load then keeps the old
/// ring.
class APUS_API RingFolder final : public RingDirectory {
 public:
  RingFolder(std::filesystem::path folder, Clock& clock);
  ~RingFolder() override;

  std::shared_ptr<const Ring> account() override { return ring("account"); }
  std::shared_ptr<const Ring> container() override { return ring("container"); }
  std::shared_ptr<const Ring> object(int policy_index) override;

 private:
  struct Entry {
    std::shared_ptr<const Ring> ring;
    std::filesystem::file_time_type changed;
    Clock::Steady checked;
    bool loading = false;
  };
  std::shared_ptr<const Ring> ring(const std::string& name);

  std::filesystem::path folder_;
  Clock& clock_;
  std::mutex mutex_;  ///< held for map and pointer work only
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace apus
