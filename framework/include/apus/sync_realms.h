// container-sync-realms.conf: clusters that trust each other with a key.
#pragma once

#include <apus/abi.h>

#include <map>
#include <string>
#include <string_view>

namespace apus {

/// The realms of one file. A value, read when it is made; a file that is not there, or what cannot
/// be read of it, holds nothing. Realm and cluster names match in any case.
class APUS_API SyncRealms {
 public:
  /// Reads `swift_dir`/container-sync-realms.conf.
  explicit SyncRealms(const std::string& swift_dir);
  SyncRealms(const SyncRealms&);
  SyncRealms& operator=(const SyncRealms&);
  ~SyncRealms();

  struct Realm {
    std::string key;
    std::string key2;
    std::map<std::string, std::string> clusters;  ///< upper-case name to URL
  };

  /// Empty when the realm is not known or has none.
  [[nodiscard]] std::string key(std::string_view realm) const;
  [[nodiscard]] std::string key2(std::string_view realm) const;
  [[nodiscard]] std::string endpoint(std::string_view realm, std::string_view cluster) const;
  /// By upper-case name.
  [[nodiscard]] const std::map<std::string, Realm>& all() const { return realms_; }

 private:
  [[nodiscard]] const Realm* find(std::string_view realm) const;

  std::map<std::string, Realm> realms_;
};

}  // namespace apus
