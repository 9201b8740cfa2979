#include "servers/apus/operators/metadata_groups.h"

#include <apus/headers.h>

namespace apus {

MetadataGroup group_of(std::string_view kind, bool drop_prefix, std::string& name) {
  const auto is_under = [&](std::string_view what) {
    const std::string prefix = "x-" + std::string(kind) + "-" + std::string(what) + "-";
    if (name.size() <= prefix.size() || !starts_with_name(name, prefix)) return false;
    if (drop_prefix) name.erase(0, prefix.size());
    return true;
  };
  if (is_under("meta")) return MetadataGroup::kUser;
  if (is_under("sysmeta")) return MetadataGroup::kSystem;
  if (kind == "object" && is_under("transient-sysmeta")) return MetadataGroup::kTransientSystem;
  return MetadataGroup::kOther;
}

}  // namespace apus
