#include "framework/pipeline/not_built.h"

namespace apus {
namespace {

struct NotBuilt {
  std::string_view plugin;
  std::string_view reason;
};

constexpr NotBuilt kNotBuilt[] = {
    {"kms_keymaster",
     "is not built: it asks Barbican for its root secrets, and no client of Barbican is here; give "
     "those secrets to keymaster (encryption_root_secret_ID, in a file of keymaster_config_path)"},
    {"kmip_keymaster",
     "is not built: it asks a KMIP server for its root secrets, and no client of KMIP is here; "
     "give "
     "those secrets to keymaster (encryption_root_secret_ID, in a file of keymaster_config_path)"},
};

}  // namespace

std::string_view why_not_built(std::string_view plugin) {
  for (const NotBuilt& one : kNotBuilt) {
    if (one.plugin == plugin) return one.reason;
  }
  return {};
}

}  // namespace apus
