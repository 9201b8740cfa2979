// Requests to other services: identity, key management. Not for storage servers
// (see transport.h).
#pragma once

#include <apus/abi.h>
#include <apus/headers.h>
#include <apus/transport.h>

#include <chrono>
#include <cstddef>
#include <string>

namespace apus {

struct WebRequest {
  std::string method = "GET";
  std::string url;  ///< http:// or https://, path and query as on the wire
  Headers headers;
  std::string body;  ///< sent with its length when not empty
};

struct WebAnswer {
  int status = 0;
  Headers headers;
  std::string body;
};

struct WebOptions {
  std::chrono::milliseconds timeout{10000};  ///< for connecting, and for each wait
  std::size_t max_body = 1U << 20U;          ///< a larger answer is kMalformed
  std::string ca_file;                       ///< PEM; empty = the system's
  bool verify = true;                        ///< the peer's certificate
};

/// One request on a connection of its own; redirects are answers. Throws
/// TransportError; blocks the calling thread only. Thread-safe.
APUS_API WebAnswer fetch(const WebRequest& request, const WebOptions& options);

}  // namespace apus
