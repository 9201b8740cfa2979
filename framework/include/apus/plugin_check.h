// What a plugin finds wrong with its options, beyond what its table can say.
#pragma once

#include <apus/abi.h>
#include <apus/options.h>

/// Behind a plugin's export line. FUNCTION is a `void(const apus::Options&)` that throws
/// std::runtime_error with a text for the deployer (no secret in it). `apus check` calls it, and so
/// does every start before anything is made, once the table's own checks passed. It may read files
/// that options name, and leaves nothing behind.
#define APUS_EXPORT_CHECK(FUNCTION)                                               \
  extern "C" __attribute__((visibility("default"), used)) void apus_plugin_check( \
      const ::apus::Options& options) {                                           \
    FUNCTION(options);                                                            \
  }
