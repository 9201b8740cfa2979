// A call of an app of this process.
#pragma once

#include <apus/app.h>
#include <apus/transport.h>

#include <string>

namespace apus::local {

inline Outcome failed(TransportError::Kind kind, const std::string& what) {
  return {std::nullopt, TransportError(kind, what)};
}

inline Outcome no_server(const Endpoint& endpoint) {
  return failed(TransportError::Kind::kConnect,
                "no server at " + endpoint.ip + ":" + std::to_string(endpoint.port));
}

/// What the app throws becomes a lost connection.
inline Outcome run(const App& app, Request& request) {
  try {
    return {app(request), std::nullopt};
  } catch (const std::exception& error) {
    return failed(TransportError::Kind::kReset, error.what());
  }
}

}  // namespace apus::local
