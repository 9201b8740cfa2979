#include <apus/digest.h>
#include <apus/swift_conf.h>
#include <apus/text.h>

#include <algorithm>

namespace apus {

std::string StoragePolicy::directory(std::string_view base) const {
  std::string out(base);
  if (index != 0) out += "-" + std::to_string(index);
  return out;
}

SwiftConf::SwiftConf() = default;
SwiftConf::SwiftConf(const SwiftConf&) = default;
SwiftConf& SwiftConf::operator=(const SwiftConf&) = default;
SwiftConf::~SwiftConf() = default;

const StoragePolicy* SwiftConf::policy(int index) const {
  const auto at = std::find_if(policies.begin(), policies.end(),
                               [&](const auto& p) { return p.index == index; });
  return at == policies.end() ? nullptr : &*at;
}

const StoragePolicy* SwiftConf::policy(std::string_view name) const {
  const std::string wanted = lower(name);
  for (const StoragePolicy& policy : policies) {
    if (lower(policy.name) == wanted) return &policy;
    for (const std::string& alias : policy.aliases) {
      if (lower(alias) == wanted) return &policy;
    }
  }
  return nullptr;
}

const StoragePolicy& SwiftConf::default_policy() const {
  const auto at =
      std::find_if(policies.begin(), policies.end(), [](const auto& p) { return p.is_default; });
  return at == policies.end() ? policies.front() : *at;
}

std::string SwiftConf::hash_path(std::string_view account, std::string_view container,
                                 std::string_view object) const {
  Digest digest(DigestKind::kMd5);
  digest.update(hash_prefix);
  for (const std::string_view piece : {account, container, object}) {
    if (piece.empty()) break;
    digest.update("/");
    digest.update(piece);
  }
  digest.update(hash_suffix);
  return digest.finish_hex();
}

}  // namespace apus
