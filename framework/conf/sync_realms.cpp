#include <apus/sync_realms.h>
#include <apus/text.h>

#include <algorithm>

#include "framework/conf/ini_file.h"

namespace apus {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace

SyncRealms::SyncRealms(const std::string& swift_dir) {
  std::vector<ConfProblem> problems;
  const ConfFile file = read_conf(swift_dir + "/container-sync-realms.conf", problems);
  for (const ConfSection& section : file.sections) {
    if (section.name == "DEFAULT") continue;
    Realm& realm = realms_[upper(section.name)];
    for (const ConfOption& option : section.options) {
      const std::string name = lower(option.name);
      const std::string& value = option.value;
      if (name == "key") realm.key = value;
      if (name == "key2") realm.key2 = value;
      if (name.starts_with("cluster_")) realm.clusters[upper(name.substr(8))] = value;
    }
  }
}
SyncRealms::SyncRealms(const SyncRealms&) = default;
SyncRealms& SyncRealms::operator=(const SyncRealms&) = default;
SyncRealms::~SyncRealms() = default;

const SyncRealms::Realm* SyncRealms::find(std::string_view realm) const {
  const auto found = realms_.find(upper(realm));
  return found == realms_.end() ? nullptr : &found->second;
}

std::string SyncRealms::key(std::string_view realm) const {
  const Realm* found = find(realm);
  return found == nullptr ? "" : found->key;
}

std::string SyncRealms::key2(std::string_view realm) const {
  const Realm* found = find(realm);
  return found == nullptr ? "" : found->key2;
}

std::string SyncRealms::endpoint(std::string_view realm, std::string_view cluster) const {
  const Realm* found = find(realm);
  if (found == nullptr) return "";
  const auto at = found->clusters.find(upper(cluster));
  return at == found->clusters.end() ? "" : at->second;
}

}  // namespace apus
