// Objects sent to other clusters: requests of <apus/web_client.h> whose body streams, through a
// proxy where there is one.
#pragma once

#include <apus/source.h>
#include <apus/web_client.h>

#include <cstdint>
#include <string>

namespace apus {

struct WebBody {
  Source* source = nullptr;  ///< null = WebRequest::body is sent
  std::uint64_t length = 0;  ///< what the source holds
};

/// As `fetch`. `proxy` is "http://HOST:PORT" or "HOST:PORT" of a proxy for HTTP, which is asked for
/// a tunnel where the URL is https; empty = none. A source that ends early, or fails, is a
/// BodyError; the connection is cut then, and the peer knows that the body is not whole.
APUS_API WebAnswer fetch_through(const std::string& proxy, const WebRequest& request,
                                 const WebBody& body, const WebOptions& options);

}  // namespace apus
