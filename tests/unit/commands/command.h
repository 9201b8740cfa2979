// Runs the built `apus` and keeps what it said.
#pragma once

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

struct Said {
  int status = -1;
  std::string text;  ///< stdout and stderr
};

inline Said run_apus(const std::string& arguments) {
  const std::string line = std::string(APUS_BIN_DIR "/apus ") + arguments + " 2>&1 </dev/null";
  std::FILE* pipe = ::popen(line.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen");
  Said out;
  std::array<char, 4096> piece;
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), pipe))
    out.text.append(piece.data(), count);
  const int status = ::pclose(pipe);
  out.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return out;
}
