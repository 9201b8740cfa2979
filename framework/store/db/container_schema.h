// The tables of a container database, and how those of older Swifts become them.
#pragma once

#include "framework/store/db/sqlite.h"

namespace apus {

/// All but the sync tables; no rows.
void create_container_tables(Database& database);
/// Brings an older database to the present schema; one that is there already stays untouched.
void migrate_container_tables(Database& database);

}  // namespace apus
