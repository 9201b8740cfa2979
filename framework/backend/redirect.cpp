#include "framework/backend/redirect.h"

namespace apus {

std::optional<Redirect> redirect_of(const Response& response) {
  std::string location(response.headers.get("Location"));
  if (is_true(response.internal.get("X-Backend-Location-Is-Quoted"))) location = unquote(location);
  location.insert(0, "/v1");  // what is read is a client's path
  const auto path = split_api_path(location, 3);
  const auto when = Timestamp::parse(response.internal.get("X-Backend-Redirect-Timestamp"));
  if (!path || !when) return std::nullopt;
  return Redirect{std::string(path->account) + "/" + std::string(path->container), *when};
}

}  // namespace apus
