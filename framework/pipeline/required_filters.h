// The filters a proxy cannot do without, put in when a conf leaves them out.
#pragma once

#include <string>
#include <vector>

#include "framework/conf/paste.h"
#include "framework/plugin/loader.h"

namespace apus {

/// Inserts what is missing by Swift's rule: right behind the last of the filters it must follow,
/// else first. `reasons` runs along `app.filters` and grows with it. What `loader` does not have is
/// left out.
void insert_required_filters(PasteApp& app, std::vector<std::string>& reasons,
                             const PluginLoader& loader);

}  // namespace apus
