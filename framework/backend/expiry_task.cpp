#include "framework/backend/expiry_task.h"

#include <apus/digest.h>

#include "framework/backend/shared_work.h"

namespace apus {

std::optional<ExpiryTask> parse_expiry_task(std::string_view name) {
  const std::size_t dash = name.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto when = Timestamp::parse(name.substr(0, dash));
  const std::string_view target = name.substr(dash + 1);
  const std::size_t first = target.find('/');
  if (!when || first == std::string_view::npos || first == 0) return std::nullopt;
  const std::size_t second = target.find('/', first + 1);
  if (second == std::string_view::npos || second == first + 1 || second + 1 == target.size())
    return std::nullopt;
  return ExpiryTask{*when, std::string(target.substr(0, first)),
                    std::string(target.substr(first + 1, second - first - 1)),
                    std::string(target.substr(second + 1))};
}

std::int64_t expirer_of(std::string_view container_and_task, std::int64_t divisor) {
  return share_of(md5_hex(container_and_task), divisor);
}

}  // namespace apus
