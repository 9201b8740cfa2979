// Names of the expirer's queue: what is read is what was written.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "framework/backend/expiry_task.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto task = apus::parse_expiry_task(text);
  if (task && (task->account.empty() || task->container.empty() || task->object.empty() ||
               !text.ends_with("-" + task->target())))
    std::abort();
  const std::int64_t mine = apus::expirer_of(text, 7);
  if (mine < 0 || mine >= 7) std::abort();
  return 0;
}
