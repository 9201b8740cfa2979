// Cross-origin requests: preflights, and the fields that let a page's script see an answer.
#pragma once

#include <apus/account_info.h>
#include <apus/message.h>

#include <string_view>

#include "servers/proxy/controller.h"

namespace apus {

/// OPTIONS. `info` is null for accounts, which have no origins of their own.
Response answer_options(const Exchange& exchange, std::string_view allowed,
                        const ContainerInfo* info);

/// Adds Access-Control-* to the answer of a request with Origin, when that may see it.
void add_cors_fields(const Exchange& exchange, const ContainerInfo& info, Response& response);

}  // namespace apus
