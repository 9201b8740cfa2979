// Paste Deploy: which plugins a conf wants, in which order, each with which options.
#pragma once

#include <string>
#include <vector>

#include "framework/conf/ini_file.h"

namespace apus {

/// One filter or app as the conf wants it.
struct PasteStage {
  std::string section;  ///< "filter:cache"
  std::string name;     ///< "cache": what pipelines call it
  std::string plugin;   ///< "memcache", or a path with '/' of so:
  Origin origin;
  Options::Map options;  ///< [DEFAULT] with the section's own options over it, by Paste's rules
};

/// An app behind its filters, outermost first; or a composite that chooses by the path's start.
struct PasteApp {
  struct Route {
    std::string prefix;
    std::vector<PasteApp> app;  ///< exactly one; a vector for the recursive type's sake
  };
  std::vector<PasteStage> filters;
  PasteStage app;             ///< not used when there are routes
  std::vector<Route> routes;  ///< longest prefix first
};

struct PasteConf {
  ConfFile file;
  Options::Map defaults;  ///< [DEFAULT], interpolated
  PasteApp app;
};

/// Resolves [pipeline:main] (or app:, composite:, filter-app: of that name). Everything wrong in
/// the file is appended to `problems`; with a fatal one the result must not be used.
APUS_API PasteConf resolve_paste(ConfFile file, std::vector<ConfProblem>& problems,
                                 const std::string& name = "main");

/// A daemon's section by ConfigParser's ordinary rule: the section over [DEFAULT].
APUS_API Options::Map resolve_daemon(const ConfFile& file, const std::string& section,
                                     std::vector<ConfProblem>& problems);

}  // namespace apus
