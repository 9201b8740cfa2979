// The rings of a folder, loaded when first asked for and again when a file changes.
#pragma once

#include <apus/host.h>
#include <apus/ring.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace apus {

/// RingDirectory over FOLDER/{account,container,object[-N]}.ring.gz: one copy of each, for all. At
/// most every 15 s a caller looks whether the file's time changed; then a thread of its own loads
/// it, and callers have the old ring until the new one is there. A file that does not load keeps
/// the old ring.
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
    bool loading = false;  ///< somebody reads the file
    std::thread loader;    ///< has nothing more to do with the entry once `loading` is false
  };
  std::shared_ptr<const Ring> ring(const std::string& name);
  [[nodiscard]] std::filesystem::path path_of(const std::string& name) const;
  void load(const std::string& name, Entry& entry);
  void look_for_change(const std::string& name, Entry& entry);

  std::filesystem::path folder_;
  Clock& clock_;
  std::mutex mutex_;  ///< held for map and pointer work only
  std::condition_variable loaded_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace apus
