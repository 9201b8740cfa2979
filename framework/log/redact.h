// Secrets do not reach a log.
#pragma once

#include <apus/abi.h>

#include <string>
#include <string_view>

namespace apus {

/// The text with the values of secrets cut behind their first bytes: tokens, keys and signatures as
/// header fields ("X-Auth-Token: ..."), query parameters ("temp_url_sig=...") and options, also
/// where separators are percent-encoded. A value of at most 16 bytes goes whole; one that ends in
/// "..." was cut before and stays. Linear.
APUS_API std::string redact(std::string_view text);

}  // namespace apus
