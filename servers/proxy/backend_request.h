// Requests to account, container and object servers: built from typed fields and allow-lists.
#pragma once

#include <apus/message.h>
#include <apus/transport.h>

#include <string>
#include <string_view>

#include "servers/proxy/services.h"

namespace apus {

/// The internal field by which back ends are told the storage policy.
inline constexpr std::string_view kPolicyIndex = "X-Backend-Storage-Policy-Index";

/// X-Timestamp, X-Trans-Id, User-Agent, and what the filters said (Request::internal).
Request backend_request(const Services& services, const Request& client, const std::string& method,
                        const Place& place, const RingDevice& device);

/// The node's address on the network the request asks for.
Endpoint endpoint_of(const Request& request, const RingDevice& device);

/// What of a GET or HEAD a back end has to know.
void copy_read_fields(const Request& client, Request& to);
/// An account's or container's metadata, `kind` "Account" or "Container"; X-Remove-KIND-Meta-A as
/// an empty X-KIND-Meta-A.
void copy_metadata(const Request& client, Request& to, std::string_view kind);
/// ACLs, sync and versions fields, and X-Remove- of them.
void copy_container_fields(const Request& client, Request& to);
/// An object's: all but what belongs to the connection, to the user or to servers, for an object
/// server decides itself what it keeps (allowed_headers).
void copy_object_fields(const Request& client, Request& to);

}  // namespace apus
