// Listening sockets that outlive the worker that serves them.
#pragma once

#include <apus/options.h>

#include <filesystem>
#include <string>
#include <vector>

#include "servers/apus/served.h"

namespace apus {

/// Where one conf listens.
struct ListenPlace {
  std::filesystem::path conf;
  Options options;  ///< the server's
};

/// What the confs want to listen on, without loading a plugin. Problems of the files are appended.
std::vector<ListenPlace> listen_places(const std::vector<std::filesystem::path>& confs,
                                       std::vector<ConfProblem>& problems);

/// A socket for each place: from `had` when it is there, else bound, for up to bind_timeout seconds
/// while the address is taken. Those of `had` that nobody wants any more are closed. Throws
/// std::runtime_error that names address and reason.
ListeningSockets open_sockets(const std::vector<ListenPlace>& places, ListeningSockets had);

/// As text for an environment variable, and back. Sockets in it survive an exec.
std::string pack_sockets(const ListeningSockets& sockets);
ListeningSockets unpack_sockets(const std::string& text);

}  // namespace apus
