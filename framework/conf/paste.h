// Paste Deploy: which plugins a conf wants, in which order, each with which options.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "framework/conf/ini_file.h"

namespace apus {

/// One filter or app as the conf wants it.
struct PasteStage {
  std::string section;   ///< "filter:cache"
  std::string name;      ///< "cache": what pipelines call it
  std::string plugin;    ///< "memcache", or a path with '/' of so:
  Origin origin;         ///< of the section; line 0 = none in a file
  std::string reason;    ///< why it stands where it stands
  Options::Map globals;  ///< [DEFAULT] with every 'set' that reaches here
  Options::Map locals;   ///< the section's own, without those that [DEFAULT] has
  /// Locals over globals: what the plugin gets; for an app, options of [NAME:policy:N] as
  /// "policy:N:OPTION".
  Options::Map options;
};

/// An app behind its filters, outermost first; or a composite that chooses by the path's start.
struct PasteApp {
  struct Route {
    std::string prefix;
    std::vector<PasteApp> app;  ///< exactly one; a vector for the recursive type's sake
  };
  std::vector<PasteStage> filters;
  PasteStage app;                   ///< not used when there are routes
  std::vector<Route> routes;        ///< longest prefix first
  std::vector<PasteApp> not_found;  ///< at most one: answers what no route takes
  Options::Map globals;             ///< of the pipeline: what a filter added to it gets
};

struct PasteConf {
  ConfFile file;
  Options::Map defaults;  ///< [DEFAULT], interpolated
  Options::Map server;    ///< what the server itself reads: the app's options, as Swift does
  PasteApp app;
  std::set<std::string, std::less<>> referred;  ///< names that values refer to with %(name)s
};

/// Resolves [pipeline:main] (or app:, composite:, filter-app: of that name). Everything wrong in
/// the file is appended to `problems`; with a fatal one the result must not be used. As Swift does,
/// the app's log_name (its section's name when unset) is the log_name of all.
APUS_API PasteConf resolve_paste(ConfFile file, std::vector<ConfProblem>& problems,
                                 const std::string& name = "main");

/// A daemon's section by ConfigParser's ordinary rule: the section over [DEFAULT], names in lower
/// case, log_name the section's name when unset, kConfFileOption the conf itself.
APUS_API Options::Map resolve_daemon(const ConfFile& file, const std::string& section,
                                     std::vector<ConfProblem>& problems);

}  // namespace apus
