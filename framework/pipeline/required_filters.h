// The filters a proxy or object server cannot do without, put in when a conf leaves them out.
#pragma once

#include "framework/conf/paste.h"
#include "framework/plugin/loader.h"

namespace apus {

/// Inserts what is missing by Swift's rule: right behind the last of the filters it must follow,
/// else first. Its section's origin has line 0 and its reason says where it came from. What
/// `loader` does not have is left out.
APUS_API void insert_required_filters(PasteApp& app, const PluginLoader& loader);

/// Puts the SSYNC filter right before an object app, when `loader` has it and the conf does not
/// name it. It shares the app's options.
APUS_API void insert_protocols(PasteApp& app, const PluginLoader& loader);

}  // namespace apus
